"""Files of a tree as values: what goes into a sandbox and what comes out of it.

Paths are relative, with `/` between parts, decoded as `os.fsdecode` does (bytes that are not
UTF-8 become surrogates), so that any name git can hold survives the way there and back.
"""

from __future__ import annotations

from dataclasses import dataclass

REGULAR = 0o100644
EXECUTABLE = 0o100755
LINK = 0o120000


@dataclass(frozen=True)
class TreeFile:
    """One file: git's mode (one of the three above) and its bytes; a link's are its target."""

    path: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class TreeChange:
    """What leads from one tree to another. A path is in one of the two at most."""

    written: tuple[TreeFile, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.written or self.deleted)


@dataclass(frozen=True)
class Scan:
    """Paths of a sandbox that differ from what was last settled; content is not read yet."""

    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.deleted)
