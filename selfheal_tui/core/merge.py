"""What a three-way merge of trees came to, and the marks that a conflict must not leave behind.

Values and text only: who merges is an adapter's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARK = re.compile(r"[<|>]{7}( |$)")
_CONTEXT = 3


@dataclass(frozen=True)
class Conflict:
    """A path that both sides changed so that no program can tell what is wanted.

    The merged tree has it as `why` says, and never with conflict marks. `text` is what it lacks:
    the places that clash, with both versions and the one before them, or the whole other version;
    empty where that is not text, or there is none.
    """

    path: str
    why: str
    text: str = ""


@dataclass(frozen=True)
class Merge:
    """The merged tree, and the paths of it that somebody has to look at, in their order."""

    tree: str
    conflicts: tuple[Conflict, ...] = ()


def clashes(marked: str) -> str:
    """The places of a text with conflict marks that clash, each with a few lines around it."""
    lines = marked.splitlines()
    kept: set[int] = set()
    for start, end in _marked(lines):
        kept.update(range(max(0, start - _CONTEXT), min(len(lines), end + 1 + _CONTEXT)))
    return "\n".join(_with_gaps(lines, sorted(kept)))


def left_marks(before: Iterable[str], now: str) -> bool:
    """Whether `now` has lines that are conflict marks and stand in no text of `before`."""
    known = {line for text in before for line in text.splitlines()}
    return any(_MARK.match(line) and line not in known for line in now.splitlines())


def _marked(lines: list[str]) -> Iterator[tuple[int, int]]:
    start = None
    for number, line in enumerate(lines):
        if start is None and line.startswith("<<<<<<< "):
            start = number
        elif start is not None and line.startswith(">>>>>>> "):
            yield start, number
            start = None


def _with_gaps(lines: list[str], kept: list[int]) -> Iterator[str]:
    last = -1
    for number in kept:
        if number > last + 1:
            yield f"[line {number + 1} of the marked text]"
        yield lines[number]
        last = number
