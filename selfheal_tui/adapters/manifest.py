"""Names and stamps of a sandbox's files, and what of them is new since they were last settled.

A stamp is `TYPE MODE SIZE MTIME CTIME INODE` as `find -printf '%y %m %s %T@ %C@ %i'` writes it.
It is only ever compared, but for type, size and ctime. Refuses to look at content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from selfheal_tui.core.tree import LINK, Scan, TreeFile
from selfheal_tui.errors import TreeRejected

FIND = r"-name .git -prune -o ! -type d -printf '%P\0%y %m %s %T@ %C@ %i\0'"
"""What makes `find` write a manifest; folders are left out, and a `.git` is not entered."""

MAX_LISTED = 1_000_000
"""Files that are listed at most, those that are no part of a change among them."""

_LONGEST_NAME = 64 * 1024
_LONGEST_STAMP = 160

Stamps = Mapping[str, bytes]


@dataclass(frozen=True)
class Manifest:
    """All files of a tree at one moment. `tick` is a ctime of that moment, by the same clock."""

    stamps: Stamps
    tick: bytes

    def is_racy(self, paths: Iterable[str]) -> bool:
        """Whether one of `paths` could change once more without getting another stamp.

        The clock behind stamps is coarse: two writes within a tick of it look the same.
        """
        return any(_ctime(self.stamps[path]) >= self.tick for path in paths if path in self.stamps)


class ManifestReader:
    """Reads what `find TICK . ` + `FIND` writes, as it comes; its first entry is the file TICK.

    Both methods raise TreeRejected when the listing is cut, not one, or too long to be true: it
    may come from a `find` that is somebody's own.
    """

    def __init__(self, most: int = MAX_LISTED) -> None:
        self._most = most
        self._held = b""
        self._name: bytes | None = None
        self._entries = 0
        self._stamps: dict[str, bytes] = {}
        self._tick: bytes | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the listing."""
        *parts, self._held = (self._held + piece).split(b"\0")
        if len(self._held) > _LONGEST_NAME:
            raise TreeRejected("the sandbox holds a name that is too long to be listed")
        if self._name is not None:
            parts.insert(0, self._name)
        self._name = parts.pop() if len(parts) % 2 else None
        self._take(parts)

    def close(self) -> Manifest:
        """All that was listed."""
        if self._held or self._name is not None or self._tick is None:
            raise _unreadable()
        return Manifest(self._stamps, self._tick)

    def _take(self, parts: list[bytes]) -> None:
        if self._tick is None and parts:
            name, stamp, *parts = parts
            if name:
                raise _unreadable()
            self._tick = _ctime(stamp)
        stamps = parts[1::2]
        self._entries += len(stamps)
        if self._entries > self._most:
            raise TreeRejected("the sandbox holds more files than can be listed")
        if stamps and max(map(len, stamps)) > _LONGEST_STAMP:
            raise _unreadable()
        self._stamps.update(zip(map(os.fsdecode, parts[::2]), stamps, strict=True))


@dataclass
class Settled:
    """What is known of a tree; `see` tells what differs from it."""

    _known: dict[str, bytes] = field(default_factory=dict)
    _seen: dict[str, bytes] = field(default_factory=dict)

    def see(self, stamps: Stamps) -> Scan:
        """The differences between what is known and `stamps`; names in order."""
        self._seen = dict(stamps)
        deleted = [path for path in self._known if path not in stamps]
        return Scan(tuple(sorted(self.new_in(stamps))), tuple(sorted(deleted)))

    def new_in(self, stamps: Stamps) -> list[str]:
        """The paths whose stamps are not the known ones."""
        return [path for path, stamp in stamps.items() if self._known.get(path) != stamp]

    def settle(self) -> None:
        """Take what was last seen as known."""
        self._known = dict(self._seen)

    def settle_paths(self, paths: Iterable[str], stamps: Stamps) -> None:
        """Take `paths` alone as known, as they are in `stamps`."""
        for path in paths:
            for known in (self._known, self._seen):
                if path in stamps:
                    known[path] = stamps[path]
                else:
                    known.pop(path, None)


def missing_from(
    stamps: Stamps, written: Iterable[TreeFile], deleted: Iterable[str] = ()
) -> str | None:
    """The first path that is not there as it was written, or still there; None when all is well."""
    for file in written:
        kind = b"l" if file.mode == LINK else b"f"
        found = stamps.get(file.path, b"").split(b" ")
        if found[0] != kind or found[2:3] != [b"%d" % len(file.content)]:
            return file.path
    return next((path for path in deleted if path in stamps), None)


def _ctime(stamp: bytes) -> bytes:
    fields = stamp.split(b" ")
    if len(fields) != 6:
        raise _unreadable()
    return fields[4]


def _unreadable() -> TreeRejected:
    return TreeRejected("the sandbox's list of files cannot be read")
