"""Which frames of a report are the project's own, and where they are in the tree."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "..", ".cargo", ".tox"})

_JS_FRAME = re.compile(
    r"^ *(?:at |\u276f )?(?:.* )?\(?((?:file:/*)?[^\s():]+\.\w+):(\d+):\d+\)?$", re.MULTILINE
)

Place = tuple[str, str]
"""A path as a runner printed it, and a line number."""


def own_path(path: str, root: str) -> str:
    """`path` within the tree at `root`; empty where it is no file of the project."""
    path = path.strip().removeprefix("file://").removeprefix("file:")
    path = path.removeprefix(f"{root}/").removeprefix("./")
    if not path or path[0] in "/<[" or path.startswith(("node:", "internal/")):
        return ""
    return "" if not _FOREIGN.isdisjoint(path.split("/")) else path


def last_own(places: Iterable[Place], root: str) -> str:
    """`path:line` of the last of `places` that is the project's own; empty where none is."""
    found = ""
    for path, line in places:
        if own := own_path(path, root):
            found = f"{own}:{line}"
    return found


def first_own(places: Iterable[Place], root: str) -> str:
    """`path:line` of the first own place: the innermost, where a runner prints it first."""
    for path, line in places:
        if own := own_path(path, root):
            return f"{own}:{line}"
    return ""


def js_frames(text: str) -> list[Place]:
    """The frames of JavaScript stacks, in the order they are printed: the innermost first."""
    return [(frame[1], frame[2]) for frame in _JS_FRAME.finditer(text)]
