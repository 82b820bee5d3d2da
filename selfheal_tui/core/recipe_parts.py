"""What the readers of each language's files share: a folder of the tree, and a recipe's part."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

MAX_BYTES = 8 * 1024 * 1024
"""A manifest that is longer is not read."""


class Malformed(ValueError):
    """A file of the project cannot be understood; the text is a sentence that names it."""


@dataclass(frozen=True)
class Part:
    """One language's part of a recipe. `files` are relative to the tree's root."""

    name: str
    command: str
    files: tuple[str, ...]
    place: str = ""

    def inside(self, folder: str) -> Part:
        """The same part, run in `folder` of the tree (empty: its root)."""
        if not folder:
            return self
        return replace(self, command=f"(cd {shlex.quote(folder)} && {self.command})")


@dataclass(frozen=True)
class Folder:
    """One folder of the tree. Names are relative to it; `path` is empty for the root."""

    tree: frozenset[str]
    read: Callable[[str], bytes]
    path: str = ""

    def has(self, name: str) -> bool:
        return self.full(name) in self.tree

    def full(self, name: str) -> str:
        """The path from the tree's root."""
        return f"{self.path}/{name}" if self.path else name

    def text(self, name: str) -> str:
        """The file's text. Raises Malformed when it is not UTF-8, or far too long."""
        content = self.read(self.full(name))
        if len(content) > MAX_BYTES:
            raise Malformed(f"{self.full(name)} is too long to be read for a set-up")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Malformed(f"{self.full(name)} is not UTF-8: {error.reason}") from error

    def below(self) -> Iterator[str]:
        """The names of all files in this folder and its folders, sorted."""
        start = f"{self.path}/" if self.path else ""
        yield from sorted(path[len(start) :] for path in self.tree if path.startswith(start))

    def beside(self, name: str, other: str) -> str:
        """`other` as `name` refers to it; empty when it is not a file of this folder."""
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), other))
        return joined if self.has(joined) else ""

    def present(self, *names: str) -> tuple[str, ...]:
        """Those of `names` that are there, as full paths."""
        return tuple(self.full(name) for name in names if self.has(name))


def table(value: object) -> dict[str, object]:
    """`value` when it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def strings(value: object) -> tuple[str, ...]:
    """The strings of a list; nothing for anything else."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
