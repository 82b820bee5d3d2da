"""Opens what lies below one folder, part by part, and never through a link.

Refuses names that could lead out of the folder or into a `.git`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Beneath:
    """The files below `root` by relative path. Keeps the folders of the last path open.

    Every method may raise OSError: FileNotFoundError for what is not there, NotADirectoryError
    or ELOOP where a part of the path is a file or a link. Raises ValueError on a name that is
    not a plain relative path. Not for two threads at a time.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER)
        self._open: list[tuple[str, int]] = []

    def __enter__(self) -> Beneath:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._forget(0)
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def parent(self, path: str, *, make: bool = False) -> tuple[int, str]:
        """A descriptor of the folder that holds `path` (valid until the next call), and its name.

        With `make`, folders that are missing are made.
        """
        *folders, name = parts_of(path)
        kept = _common(folders, self._open)
        self._forget(kept)
        for folder in folders[kept:]:
            self._open.append((folder, _enter(self._here(), folder, make=make)))
        return self._here(), name

    def status(self, path: str) -> os.stat_result:
        """The status of the path itself, a link's too."""
        folder, name = self.parent(path)
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def link(self, path: str) -> bytes:
        """The target of a link."""
        folder, name = self.parent(path)
        return os.readlink(os.fsencode(name), dir_fd=folder)

    def content(self, path: str) -> bytes:
        """The bytes of a regular file. Raises ValueError for anything else."""
        folder, name = self.parent(path)
        descriptor = os.open(name, _FILE, dir_fd=folder)
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("not a regular file")
            return _read_all(stream.fileno(), status.st_size)

    def file(self, path: str) -> TreeFile | None:
        """The file as a tree would hold it; None when nothing is there.

        Raises ValueError when something else (a folder, a device) is there.
        """
        try:
            status = self.status(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(status.st_mode):
            return TreeFile(path, LINK, self.link(path))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        return TreeFile(path, mode_of(status), self.content(path))

    def below(self, path: str) -> Iterator[str]:
        """The paths of everything but folders below the folder `path`."""
        self.parent(path + "/x")
        with os.scandir(self._here()) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_folder in found:
            child = f"{path}/{name}"
            if is_folder and name.casefold() != ".git":
                yield from self.below(child)
            else:
                yield child

    def forget(self) -> None:
        """Look every folder up anew from here on."""
        self._forget(0)

    def _here(self) -> int:
        return self._open[-1][1] if self._open else self._root

    def _forget(self, kept: int) -> None:
        while len(self._open) > kept:
            os.close(self._open.pop()[1])


def parts_of(path: str) -> list[str]:
    """The parts of a relative path. Raises ValueError when it is not a plain one."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.casefold() == ".git" for part in parts):
        raise ValueError(f"not a plain path within the tree: {path!r}")
    return parts


def above_of(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def folders_of(paths: Iterable[str]) -> set[str]:
    """Every folder that some path is in."""
    folders: set[str] = set()
    for path in paths:
        for folder in above_of(path):
            if folder in folders:
                break
            folders.add(folder)
    return folders


def mode_of(status: os.stat_result) -> int:
    """Git's mode of a regular file."""
    return EXECUTABLE if status.st_mode & stat.S_IXUSR else REGULAR


def _enter(folder: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
    return os.open(name, _FOLDER, dir_fd=folder)


def _common(folders: list[str], opened: list[tuple[str, int]]) -> int:
    count = 0
    for wanted, (name, _) in zip(folders, opened, strict=False):
        if wanted != name:
            break
        count += 1
    return count


def _read_all(descriptor: int, size: int) -> bytes:
    first = os.read(descriptor, size + 1)
    if len(first) == size:
        return first
    pieces = [first]
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)
