"""Reads jest."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, js_frames, own_path
from selfheal_tui.core.failures.report import Report, blocks, counted, message, sum_of

_PASSED = re.compile(r"^Tests: +(?:\d+ \w+, )*?(\d+) passed, ", re.MULTILINE)
_ENDED = re.compile(r"^Tests: +(?:\d+ \w+, )*\d+ total$", re.MULTILINE)
_HEADER = re.compile(
    r"^(?:(FAIL|PASS) (?:\S+ )?(\S+\.\w+)(?: \([\d.]+ m?s\))?|  \u25cf (\S.*))$", re.MULTILINE
)
_STOP = re.compile(r"^(?:Test Suites: |Summary of all failing tests$|-+\|)", re.MULTILINE)
_NO_TEST = ("Console", "Deprecation Warning", "Validation Warning", "Cannot log after tests")
_NOT_RUN = "Test suite failed to run"
_SIDES = re.compile(r"^ *((?:Expected|Received)[^:\n]*: .*)$", re.MULTILINE)


def read(text: str, root: str) -> Report | None:
    """Failing tests as `file > outer > inner`; None where this is no report of jest."""
    if _ENDED.search(text) is None and "\n  \u25cf " not in text:
        return None
    failures: dict[str, Failure] = {}
    file = ""
    for header, body in blocks(text, _HEADER, _STOP):
        if header[2]:
            file = own_path(header[2], root) if header[1] == "FAIL" else ""
        elif file and not header[3].startswith(_NO_TEST):
            failure = _failure(file, header[3], body, root)
            failures.setdefault(failure.name, failure)
    unread = sum(1 for failure in failures.values() if " > " not in failure.name)
    return Report(
        tuple(failures.values()),
        sum_of(_PASSED.findall(text)),
        f"{counted(unread, 'test file')} could not be run" if unread else "",
    )


def _failure(file: str, title: str, body: str, root: str) -> Failure:
    detail = "\n".join(line.removeprefix("    ") for line in body.strip("\n").split("\n"))
    names = () if title.startswith(_NOT_RUN) else title.split(" \u203a ")
    where = first_own(js_frames(detail), root)
    return Failure(" > ".join((file, *names)), _why(detail), where, detail)


def _why(detail: str) -> str:
    said = message(detail.split("\n"))
    sides = _SIDES.findall(detail[:4000])[:2]
    return message([", ".join([said, *sides])])
