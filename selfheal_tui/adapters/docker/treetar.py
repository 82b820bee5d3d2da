"""A tree as a tar stream for the engine, piece by piece; no names, ids or times of the host."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator

from selfheal_tui.core.tree import LINK, TreeFile

_PERMISSIONS = 0o777


def tar_pieces(files: Iterable[TreeFile]) -> Iterator[bytes]:
    """The archive of `files`. Folders are not in it: the engine makes them as they are needed."""
    for file in files:
        item = tarfile.TarInfo(file.path)
        if file.mode == LINK:
            item.type, item.linkname = tarfile.SYMTYPE, os.fsdecode(file.content)
            yield _header(item)
            continue
        item.size, item.mode = len(file.content), file.mode & _PERMISSIONS
        yield _header(item)
        yield file.content
        yield b"\0" * (-len(file.content) % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _header(item: tarfile.TarInfo) -> bytes:
    return item.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
