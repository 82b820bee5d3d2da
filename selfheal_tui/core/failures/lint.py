"""Reads linters and type checkers: ruff, flake8, mypy, pyright, eslint, tsc.

Each finding is named by its file, its rule and its words, without its line: an edit above it does
not make it another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import own_path
from selfheal_tui.core.failures.report import Report, message

_ENDED = re.compile(
    r"^(?:Found \d+ errors?\b.*|\d+ errors?, \d+ warnings?.*|\u2716 \d+ problems? \(.*"
    r"|Your code has been rated at .*)$",
    re.MULTILINE,
)
_LINE = re.compile(
    r"^ *(?P<path>[^\s:()]+\.\w+)(?::(?P<line>\d+)(?::\d+)?:?(?: -)?|\((?P<line2>\d+),\d+\):)"
    r" (?P<why>\S.*)$",
    re.MULTILINE,
)
_RUFF_FULL = re.compile(
    r"^(?P<why>[A-Z]+\d+ .*)\n +--> (?P<path>\S+?):(?P<line>\d+):\d+$", re.MULTILINE
)
_ESLINT_FILE = re.compile(r"^(?P<path>\S+\.[cm]?[jt]sx?|\S+\.vue)$")
_ESLINT_LINE = re.compile(r"^ +(?P<line>\d+):\d+ +(?P<kind>error|warning) +(?P<why>\S.*)$")
_TSC = re.compile(r"^\S+\(\d+,\d+\): error TS\d+: |^\S+:\d+:\d+ - error TS\d+: ", re.MULTILINE)
_FLAKE8 = re.compile(r"^\S+\.py:\d+:\d+: [A-Z]{1,3}\d{3} ", re.MULTILINE)
_NO_ERROR = re.compile(r"(?:note|warning|information):? ")

LINTERS = ("ruff", "flake8", "pylint", "mypy", "pyright", "eslint", "biome", "tsc", "vue-tsc",
           "golangci-lint", "clippy", "prettier", "black", "isort")  # fmt: skip
_LINTING = re.compile(
    r"(?:\w+=\S* )*(?:(?:python3?|uvx?|poetry|pdm|hatch|pipenv|npx|pnpm|yarn|npm|bun|bunx|make|just"
    r"|poe|task|cargo)(?: -m| exec| run)* )?"
    rf"(?:{'|'.join(map(re.escape, LINTERS))}|lint|typecheck|type-check|types|check-types"
    r"|check:types)(?: [^;&|<>`$]*)?"
)


def is_linter(command: str) -> bool:
    """Whether a command does nothing but to lint or to check types, as far as its words tell."""
    return _LINTING.fullmatch(command.strip()) is not None


def read(text: str, root: str) -> Report | None:
    """Findings as `path: words`; None where this is no report of a linter."""
    if not any(known.search(text) for known in (_ENDED, _TSC, _FLAKE8)):
        return None
    found = {failure.name: failure for failure in (*_lines(text, root), *_eslint(text, root))}
    return Report(tuple(found.values()), None) if found else None


def _lines(text: str, root: str) -> Iterator[Failure]:
    for pattern in (_RUFF_FULL, _LINE):
        for found in pattern.finditer(text):
            line = found["line"] or found.groupdict().get("line2") or ""
            if not _NO_ERROR.match(found["why"]):
                yield from _failure(found["path"], line, found["why"], root)


def _eslint(text: str, root: str) -> Iterator[Failure]:
    path = ""
    for line in text.split("\n"):
        if file := _ESLINT_FILE.match(line):
            path = file["path"]
        elif path and (found := _ESLINT_LINE.match(line)) and found["kind"] == "error":
            yield from _failure(path, found["line"], found["why"], root)


def _failure(path: str, line: str, why: str, root: str) -> Iterator[Failure]:
    if own := own_path(path, root):
        words = message([why.removeprefix("error: ").removeprefix("error ")])
        yield Failure(f"{own}: {words}", words, f"{own}:{line}")
