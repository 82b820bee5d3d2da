"""Reads the report of Python's unittest, and of runners that print the same (Django's)."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import last_own
from selfheal_tui.core.failures.report import Report, blocks, counted, message

_HEADER = re.compile(
    r"^={70}\n(FAIL|ERROR|UNEXPECTED SUCCESS): (\S+)(?: \(([^()\n]*)\))?(.*)\n", re.MULTILINE
)
_END = re.compile(r"^(?:={70}\n|-{70}\nRan \d+ test)", re.MULTILINE)
_RAN = re.compile(r"^Ran (\d{1,9}) tests? in ", re.MULTILINE)
_COUNT = re.compile(r"\b(skipped|expected failures|unexpected successes)=(\d{1,9})")
_VERDICT = re.compile(r"^(?:OK|FAILED)\b(?: \((.*)\))?$", re.MULTILINE)
_FRAME = re.compile(r'^  File "([^"\n]+)", line (\d+)', re.MULTILINE)
_FIXTURES = ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")
_NOT_LOADED = "unittest.loader._FailedTest"


def read(text: str, root: str) -> Report | None:
    """Failing tests by dotted name; None where this is no such report."""
    runs = list(_RAN.finditer(text))
    if not runs:
        return None
    found = [(header, body.strip("\n")) for header, body in blocks(text, _HEADER, _END)]
    failures = [_failure(header, body, root) for header, body in found]
    unread = sum(1 for header, _ in found if _hides_tests(header))
    tests = {(header[2], header[3]) for header, _ in found if not header[2].startswith(_FIXTURES)}
    passed = sum(int(run[1]) for run in runs) - len(tests) - _not_passed(text, found)
    return Report(
        tuple(failures),
        max(passed, 0),
        f"{counted(unread, 'module')} could not be set up: not all tests ran" if unread else "",
    )


def _hides_tests(header: re.Match[str]) -> bool:
    loaded = not (header[3] or "").startswith(_NOT_LOADED)
    return not loaded or header[2] in ("setUpClass", "setUpModule")


def _not_passed(text: str, found: list[tuple[re.Match[str], str]]) -> int:
    """Tests that did not pass and have no block of their own."""
    told = any(header[1] == "UNEXPECTED SUCCESS" for header, _ in found)
    return sum(
        int(number)
        for verdict in _VERDICT.finditer(text)
        for what, number in _COUNT.findall(verdict[1] or "")
        if not (told and what == "unexpected successes")
    )


def _failure(header: re.Match[str], body: str, root: str) -> Failure:
    _, rule, trace = body.rpartition(f"{'-' * 70}\n")
    detail = (trace if rule else body).strip("\n")
    if header[1] == "UNEXPECTED SUCCESS":
        return Failure(_name(header), "it passed, but is marked as expected to fail")
    frames = list(_FRAME.finditer(detail))
    end = frames[-1].end() if frames else 0
    said = [line for line in detail[end:].split("\n")[1:] if line[:1].strip()]
    places = ((frame[1], frame[2]) for frame in frames)
    return Failure(_name(header), message(said), last_own(places, root), detail)


def _name(header: re.Match[str]) -> str:
    """`module.Class.method`, as `python -m unittest` takes it; a subtest's label follows."""
    method, within, label = header[2], header[3] or "", header[4]
    if within.startswith(_NOT_LOADED):
        return within.removeprefix(f"{_NOT_LOADED}.") if within != _NOT_LOADED else method
    if not within or method in _FIXTURES:
        return within or f"{method}{label}"
    return (within if within.endswith(f".{method}") else f"{within}.{method}") + label
