"""Which frames of a report are the project's own, and where they are in the tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "..", ".cargo", ".tox"})

_JS_FRAME = re.compile(
    r"^ *(?:at |\u276f )?(?:.* )?\(?((?:file:/*)?[^\s():]+\.\w+):(\d+):\d+\)?$", re.MULTILINE
)

_JAVA_FRAME = re.compile(
    r"^[ \t]*at (?:[\w.@-]*/){0,2}([\w.$]+)\.[\w$<>]+\((\w+\.(?:java|kt|groovy)):(\d+)\)", re.M
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


def java_frames(text: str, test: str = "") -> list[Place]:
    """The frames of a Java stack in the packages of the class `test`, the innermost first. A path
    is as far as the package tells: `acme/TillTest.java`."""
    package = test.rpartition(".")[0]
    top = ".".join(package.split(".")[:2])
    found = []
    for frame in _JAVA_FRAME.finditer(text):
        owner = frame[1]
        if test and (owner == test or owner.startswith((f"{test}$", f"{top}." if top else test))):
            folder = owner.rpartition(".")[0].replace(".", "/")
            found.append((f"{folder}/{frame[2]}" if folder else frame[2], frame[3]))
    return found


def resolved(location: str, paths: Mapping[str, Sequence[str]]) -> str:
    """A location whose path is only the end of one, as the path that the tree has; `paths` are
    the tree's, by their last part. It stays as it is where no path, or more than one, fits."""
    path, colon, line = location.rpartition(":")
    known = paths.get(path.rpartition("/")[2], ())
    if not colon or path in known:
        return location
    fits = [one for one in known if one.endswith(f"/{path}")]
    return f"{fits[0]}:{line}" if len(fits) == 1 else location


def by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    """The paths of a tree by their last part, for `resolved`."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found
