"""Whether a plan is worked on in parts: what the planner offers is taken, or declined in words.

Refuses parts that name the same files: who works at the same time must not share them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST_PARTS = 4
LEAST_PARTS = 2

LEAST_FILES = 4
"""Files that all parts name together; less is a small task, and one coder is faster and cheaper."""

LEAST_STEPS = 4
"""Steps of all parts together, for the same reason."""


@dataclass(frozen=True)
class Part:
    """A part of the work that needs no other one. `files` are relative paths, or folders."""

    title: str
    steps: tuple[str, ...]
    files: tuple[str, ...]

    def names(self, path: str) -> bool:
        """Whether `path` is one of the part's files, or lies in one of its folders."""
        return any(_same_or_beneath(path, named) for named in self.files)


@dataclass(frozen=True)
class Division:
    """The parts of a plan; or none, and why those that were offered are not taken (empty where
    none were)."""

    parts: tuple[Part, ...] = ()
    declined: str = ""


def divided(offered: object, root: str = "") -> Division:
    """What the planner's `parts` (anything) come to; paths may begin with the tree's `root`."""
    if not isinstance(offered, list) or not offered:
        return Division()
    if not LEAST_PARTS <= len(offered) <= MOST_PARTS:
        count = "1 part is" if len(offered) == 1 else f"{len(offered)} parts are"
        return Division(declined=f"{count} not {LEAST_PARTS} to {MOST_PARTS}")
    parts = tuple(_part(item, root) for item in offered)
    return Division(declined=fault) if (fault := _fault(parts)) else Division(parts)


def _part(item: object, root: str) -> Part:
    given = item if isinstance(item, Mapping) else {}
    title = " ".join(str(given.get("title", "")).split())
    files = dict.fromkeys(_plain(name, root) for name in _texts(given.get("files")))
    return Part(title, _texts(given.get("steps")), tuple(files))


def _texts(values: object) -> tuple[str, ...]:
    texts = (str(value).strip() for value in values) if isinstance(values, list) else ()
    return tuple(text for text in texts if text)


def _plain(path: str, root: str) -> str:
    return posixpath.normpath(path.removeprefix(f"{root}/") or ".")


def _fault(parts: Sequence[Part]) -> str:
    for number, part in enumerate(parts, 1):
        if not (part.title and part.steps and part.files):
            return f"part {number} lacks a title, steps or files"
        if "." in part.files:
            return f"part {number} names the whole project"
    if shared := _shared(parts):
        return f"more than one part names {shared}"
    files, steps = sum(len(p.files) for p in parts), sum(len(p.steps) for p in parts)
    if files < LEAST_FILES or steps < LEAST_STEPS:
        return f"the task is small ({steps} steps, {files} files): one coder does it"
    return ""


def _shared(parts: Sequence[Part]) -> str:
    """A path that two parts name, one of them perhaps by its folder; empty where there is none."""
    for at, part in enumerate(parts):
        for path in _files(parts[at + 1 :]):
            for own in part.files:
                if _same_or_beneath(path, own) or _same_or_beneath(own, path):
                    return path
    return ""


def _files(parts: Iterable[Part]) -> Iterable[str]:
    return (path for part in parts for path in part.files)


def _same_or_beneath(path: str, named: str) -> bool:
    # Without regard to case: what one system takes for two files is one on another.
    path, named = path.casefold(), named.casefold()
    return path == named or path.startswith(named + "/")
