"""What a folder holds, entry by entry, and what two such lists differ in. Times are left out: a
reader may move them. Refuses to follow a link."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True)
class Entry:
    """One name: its kind, its permissions, and for a file its size (bytes) and SHA-256 (hex), for
    a link its target."""

    kind: str
    mode: int
    size: int = 0
    sha256: str = ""
    target: str = ""


Manifest = dict[str, Entry]
"""By path below the folder."""


def manifest(folder: Path, leave_out: Iterable[Path] = ()) -> Manifest:
    """Everything below `folder` but what is at or below `leave_out`; empty for no folder."""
    left_out = {str(path) for path in leave_out}
    found: Manifest = {}
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if str(Path(where, name)) not in left_out]
        for name in [*folders, *files]:
            path = Path(where, name)
            if str(path) not in left_out:
                found[str(path.relative_to(folder))] = _entry(path)
    return found


def differences(before: Manifest, after: Manifest) -> dict[str, str]:
    """How each path that is not the same differs: `appeared`, `vanished`, or what is another."""
    return {
        path: _difference(before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def _difference(before: Entry | None, after: Entry | None) -> str:
    if before is None:
        return "appeared"
    if after is None:
        return "vanished"
    names = ("kind", "mode", "size", "sha256", "target")
    other = [name for name in names if getattr(before, name) != getattr(after, name)]
    return f"has another {' and '.join(other)}"


def _entry(path: Path) -> Entry:
    status = path.lstat()
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    mode = stat.S_IMODE(status.st_mode)
    if kind == "link":
        return Entry(kind, mode, target=str(path.readlink()))
    if kind == "file":
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Entry(kind, mode, status.st_size, digest)
    return Entry(kind, mode)
