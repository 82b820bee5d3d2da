"""Reads the reporter for people (spec) of `node --test`. Its TAP is read by `tap`."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, js_frames, own_path
from selfheal_tui.core.failures.report import Report, blocks, counted, message, sum_of

_PASSED = re.compile(r"^\u2139 pass (\d+)$", re.MULTILINE)
_FAILED_PART = re.compile(r"^(?:\u2716 failing tests|Failed tests):$", re.MULTILINE)
_LINE = re.compile(
    r"^( *)([\u2714\u2716\u25b6\ufe63\u26a0]) (.+?)(?: \(([\d.]+)ms\)( # .*)?)?$", re.MULTILINE
)
_DECLARED = re.compile(r"^test at (\S+?):(\d+):\d+$", re.MULTILINE)
_COUNTS = re.compile(r"^\u2139 (?:tests|suites|pass|fail) \d+$", re.MULTILINE)
_FAIL, _SUITE = "\u2716", "\u25b6"


@dataclass(frozen=True)
class _Told:
    """A failing test as the tree of results shows it, and what was printed just before."""

    path: tuple[str, ...]
    detail: str = ""
    before: str = ""


def read(text: str, root: str) -> Report | None:
    """Failing tests as `file > outer > inner`; None where this is no such report."""
    passed = sum_of(_PASSED.findall(text))
    parts = [found.start() for found in _FAILED_PART.finditer(text)]
    if passed is None and not parts:
        return None
    tree, failing = (text[: parts[-1]], text[parts[-1] :]) if parts else (text, "")
    told = _tree(tree)
    failures = list(_failing(failing, told, root) if parts else _only_tree(told, root))
    files = sum(1 for failure in failures if _is_file(failure.name))
    unread = f"{counted(files, 'test file')} ended early: not all tests ran" if files else ""
    return Report(tuple(failures), passed, unread)


def _is_file(name: str) -> bool:
    return " > " not in name and re.search(r"\.[cm]?[jt]sx?$", name) is not None


def _tree(text: str) -> list[_Told]:
    """The innermost tests that failed, in order, with the names around them."""
    failed: list[_Told] = []
    nesting: list[str] = []
    before = ""
    for line, body in blocks(text, _LINE, _COUNTS):
        depth, name = len(line[1]) // 2, line[3]
        closes = nesting[depth : depth + 1] == [name] and line[4]
        if line[2] == _SUITE and not line[4]:
            nesting[depth:] = [name]
        elif closes:
            del nesting[depth:]
        elif line[2] == _FAIL and not line[5]:
            failed.append(_Told((*nesting[:depth], name), body, before))
        before = body
    return failed


def _failing(text: str, told: list[_Told], root: str) -> Iterator[Failure]:
    """The last part names each failure's file and line; the tree knows the names around it."""
    by_name: dict[str, deque[_Told]] = defaultdict(deque)
    for test in told:
        by_name[test.path[-1]].append(test)
    for declared, body in blocks(text, _DECLARED):
        line = _LINE.search(body)
        if line is None or line[5]:
            continue
        known = by_name[line[3]].popleft() if by_name[line[3]] else _Told((line[3],))
        yield _failure(known, declared, body[line.end() :], root)


def _only_tree(told: list[_Told], root: str) -> Iterator[Failure]:
    """Where the run was cut before its last part."""
    for test in told:
        yield _failure(test, None, test.detail, root)


def _failure(told: _Told, declared: re.Match[str] | None, body: str, root: str) -> Failure:
    detail = "\n".join(line.removeprefix("  ") for line in body.strip("\n").split("\n"))
    file = own_path(declared[1], root) if declared else ""
    where = first_own(js_frames(detail), root)
    if not where and declared and file:
        where = f"{file}:{declared[2]}"
    if file and own_path(told.path[-1], root) == file:
        return broken_file(file, _printed_by_a_file(told.before) or detail, root)
    name = " > ".join((file, *told.path) if file else told.path)
    return Failure(name, message(detail.split("\n")), where, detail)


def _printed_by_a_file(text: str) -> str:
    """What stands at the margin: the report of the test before it is indented."""
    at_margin = re.search(r"^[^\s\u2139]", text, re.MULTILINE)
    return text[at_margin.start() :].strip("\n") if at_margin else ""


def broken_file(file: str, printed: str, root: str) -> Failure:
    """A file that ended without telling its tests: it could not be loaded, or it crashed."""
    lines = printed.split("\n")
    errors = [line for line in lines if re.match(r"\w*Error\b", line)]
    where = first_own(js_frames(printed), root)
    return Failure(file, message(errors or lines), where, printed)
