"""What may come out of a sandbox: judged entry by entry, before any content is taken.

Every refusal is a TreeRejected whose sentence names the file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from selfheal_tui.core.paths import fault_of, named
from selfheal_tui.errors import TreeRejected

MAX_FILES = 200_000
MAX_FILE_BYTES = 100 * 1024 * 1024
MAX_TREE_BYTES = 1024 * 1024 * 1024

_SET_ID = 0o6000


@dataclass(frozen=True)
class TreeLimits:
    """The most that comes out at a time: files, bytes of one file, bytes in all."""

    files: int = MAX_FILES
    file_bytes: int = MAX_FILE_BYTES
    tree_bytes: int = MAX_TREE_BYTES


@dataclass
class Gate:
    """Lets files out one after the other, and counts them; only those `asked` for, if named."""

    limits: TreeLimits = field(default_factory=TreeLimits)
    asked: Collection[str] | None = None
    _files: set[str] = field(default_factory=set)
    _bytes: int = 0

    def check(self, path: str, *, mode: int, size: int) -> None:
        """Judge the next file or link; `mode` is its permissions, 0 for a link."""
        check_name(path)
        if self.asked is not None and path not in self.asked:
            raise TreeRejected(f"the sandbox sent {named(path)}, which was not asked for")
        if path in self._files:
            raise TreeRejected(f"{named(path)} comes twice in the sandbox's answer")
        if mode & _SET_ID:
            raise TreeRejected(f"{named(path)} is setuid or setgid: it must not come out")
        self._files.add(path)
        self._bytes += size
        check_count(len(self._files), self.limits)
        if size > self.limits.file_bytes:
            raise TreeRejected(f"{named(path)} is larger than {_mib(self.limits.file_bytes)} MiB")
        if self._bytes > self.limits.tree_bytes:
            raise TreeRejected(f"the changes are larger than {_mib(self.limits.tree_bytes)} MiB")


def check_asked(paths: Collection[str]) -> None:
    """Raises TreeRejected when these must not come out, by their names or their number alone."""
    check_count(len(paths), TreeLimits())
    for path in paths:
        check_name(path)


def check_count(files: int, limits: TreeLimits) -> None:
    """Raises TreeRejected when so many must not come out at a time."""
    if files > limits.files:
        raise TreeRejected(f"more than {limits.files} files were changed")


def check_name(path: str) -> None:
    """Raises TreeRejected when no file of this name may come out."""
    if fault := fault_of(path):
        raise TreeRejected(f"{named(path)} {fault}: it must not come out of the sandbox")


def wrong_kind(path: str, kind: str) -> TreeRejected:
    """The refusal of what is neither a file nor a link."""
    return TreeRejected(f"{named(path)} is {kind}: only files and links come out")


def _mib(size: int) -> int:
    return size // (1024 * 1024)
