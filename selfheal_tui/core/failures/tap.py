"""Reads the Test Anything Protocol: `node --test`, bats, tape, prove and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.node import broken_file
from selfheal_tui.core.failures.places import first_own, js_frames, own_path
from selfheal_tui.core.failures.report import Report, blocks, counted, message, sum_of

_IS_TAP = re.compile(r"^(?:TAP version \d+|1\.\.\d+)$", re.MULTILINE)
_POINT = re.compile(r"^( *)(?:# Subtest: (.*)|(not )?ok\b(?: \d+)?(?: -)? ?(.*?))$", re.MULTILINE)
_DIRECTIVE = re.compile(r" # (?:SKIP|TODO|skip|todo)\b")
_NODE_PASSED = re.compile(r"^# pass +(\d+)$", re.MULTILINE)
_ERROR = re.compile(r"^( *)(?:error|message): *(.*)$", re.MULTILINE)
_DECLARED = re.compile(r"^ *location: '([^'\n]+?):(\d+):\d+'$", re.MULTILINE)
_BATS = re.compile(r"in test file ([^\s,]+), line (\d+)")


@dataclass(frozen=True)
class _Point:
    """A test that failed: where it stands in the nesting, and what was printed about it."""

    path: tuple[str, ...]
    detail: str
    before: str


def read(text: str, root: str) -> Report | None:
    """Failing tests as `file > outer > inner`; None where this is no TAP."""
    if _IS_TAP.search(text) is None:
        return None
    told = sum_of(_NODE_PASSED.findall(text))
    points, passed = _points(text)
    found = [(point, _failure(point, root)) for point in points]
    # Only node says where a test stands; elsewhere a test may be called like a file.
    declared = [(p, f) for p, f in found if _DECLARED.search(p.detail)]
    files = sum(1 for point, failure in declared if own_path(point.path[-1], root) == failure.name)
    failures = tuple(failure for _, failure in found)
    unread = f"{counted(files, 'test file')} ended early: not all tests ran" if files else ""
    return Report(failures, passed if told is None else told, unread)


def _points(text: str) -> tuple[list[_Point], int]:
    """The innermost tests that failed, and how many points are ok."""
    failed, passed, nesting, comments = [], 0, [""], ""
    for found, body in blocks(text, _POINT):
        depth = len(found[1]) // 4
        if found[2] is not None:
            del nesting[depth:]
            nesting += [""] * (depth - len(nesting))
            nesting.append(_plain(found[2]))
            continue
        excused = _DIRECTIVE.search(found[4])
        if not found[3]:
            passed += not excused
        elif not excused and "failureType: 'subtestsFailed'" not in body:
            outer = tuple(name for name in nesting[:depth] if name)
            failed.append(_Point((*outer, _plain(found[4])), body, comments))
        comments = _trailing_comments(body)
    return failed, passed


def _trailing_comments(body: str) -> str:
    """What a file printed before it ended without a test; node tells it as comments."""
    lines = body.rstrip("\n").split("\n")
    kept = len(lines)
    while kept and lines[kept - 1].startswith("#"):
        kept -= 1
    return "\n".join(line[2:] for line in lines[kept:])


def _plain(name: str) -> str:
    return re.sub(r"\\([#\\])", r"\1", name).strip()


def _failure(point: _Point, root: str) -> Failure:
    detail = _dedented(_yaml(point.detail)).strip("\n")
    declared = _DECLARED.search(detail)
    stack = detail if declared is None else detail[: declared.start()] + detail[declared.end() :]
    file = own_path(declared[1], root) if declared else ""
    if own_path(point.path[-1], root) == file and file:
        return broken_file(file, point.before or detail, root)
    where = first_own([*js_frames(stack), *_BATS.findall(stack)], root)
    if not where and declared and file:
        where = f"{file}:{declared[2]}"
    name = " > ".join((file, *point.path) if file else point.path)
    return Failure(name, _why(detail), where, detail)


def _yaml(body: str) -> str:
    """The block of YAML in a body, or the whole of one without."""
    start = body.find("---\n")
    if start < 0:
        return body
    indent = body[body.rfind("\n", 0, start) + 1 : start]
    end = body.find(f"\n{indent}...\n", start)
    return body[start + 4 : end if end >= 0 else len(body)]


def _why(detail: str) -> str:
    found = _ERROR.search(detail)
    if found is None:
        return message([line.lstrip("# ") for line in _telling(detail)])
    if not found[2].startswith(("|", ">")):
        return message([found[2].strip("'\"")])
    indent = f"{found[1]} "
    lines: list[str] = []
    for line in detail[found.end() + 1 :].split("\n")[:20]:
        if line.strip() and not line.startswith(indent):
            break
        lines.append(line)
    return message(lines)


def _telling(detail: str) -> Iterator[str]:
    """Lines of a diagnostic but those that say only where."""
    return (line for line in detail.split("\n")[:50] if "in test file" not in line)


def _dedented(text: str) -> str:
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)
