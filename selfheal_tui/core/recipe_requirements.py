"""Requirements files: which ones a project has, what they include, and whether they ask for
anything. Refuses to follow an include that leaves the tree.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from selfheal_tui.core.recipe_parts import Folder

_MAIN = "requirements.txt"
_FOR_TESTS = re.compile(
    r"requirements[-_.](?:dev|develop|development|test|tests|testing)\.txt"
    r"|(?:dev|test|tests|testing)[-_.]requirements\.txt"
)
_IN_FOLDER = re.compile(r"requirements/(?:dev|develop|development|test|tests|testing)\.txt")
_IN_FOLDER_MAIN = re.compile(r"requirements/(?:base|main|common|default|prod|requirements)\.txt")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s*)(\S+)")
_MAX_FILES = 50


@dataclass(frozen=True)
class Requirements:
    """What the files ask for. `files` are those that pip reads, includes as well.

    `named` are the ones on the command line. `hashed` says that they carry hashes,
    `installs_project` that one of them installs the project itself.
    """

    named: tuple[str, ...]
    files: tuple[str, ...]
    hashed: bool
    installs_project: bool

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(f"-r {shlex.quote(name)}" for name in self.named)


def read_requirements(folder: Folder) -> Requirements | None:
    """The project's requirements; None where no file asks for anything."""
    named = _named(folder)
    files: dict[str, str] = {}
    waiting = list(named)
    while waiting and len(files) < _MAX_FILES:
        name = waiting.pop(0)
        if name in files:
            continue
        files[name] = folder.text(name)
        included = (_INCLUDE.fullmatch(line) for line in _lines(files[name]))
        targets = (folder.beside(name, match[1].strip("'\" ")) for match in included if match)
        waiting += [target for target in targets if target]
    lines = [line for text in files.values() for line in _lines(text)]
    if not any(_asks(line) for line in lines):
        return None
    return Requirements(
        named=tuple(named),
        files=tuple(files),
        hashed=any("--hash=" in line for line in lines),
        installs_project=any(_is_project(line) for line in lines),
    )


def _named(folder: Folder) -> list[str]:
    names = list(folder.below())
    top = [name for name in names if _FOR_TESTS.fullmatch(name)]
    inside = [name for name in names if _IN_FOLDER.fullmatch(name)]
    main = [_MAIN] if folder.has(_MAIN) else []
    if main or top or inside:
        return [*main, *top, *inside]
    return [name for name in names if _IN_FOLDER_MAIN.fullmatch(name)]


def _lines(text: str) -> list[str]:
    """Logical lines without comments: a backslash at the end joins the next one."""
    joined = re.sub(r"\\\r?\n", " ", text)
    plain = (re.sub(r"(?:^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in plain if line]


def _asks(line: str) -> bool:
    return not line.startswith("-") or _EDITABLE.fullmatch(line) is not None


def _is_project(line: str) -> bool:
    editable = _EDITABLE.match(line)
    target = editable[1] if editable else line
    return re.fullmatch(r"(?:file:)?\./?(?:\[[^\]]*\])?", target) is not None
