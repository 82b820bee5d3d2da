"""Reads `node --test`: TAP, and the reporter for people (spec)."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure

_TAP = re.compile(r"^()() *not ok \d+ - (.*?)(?: # .*)?$", re.MULTILINE)
_SPEC = re.compile(r"^(?:test at ([^\n]+?):(\d+):\d+\n)? *\u2716 (.+?) \([\d.]+ms\)$", re.MULTILINE)
_PASSED = re.compile(r"^(?:#|\u2139) pass (\d+)$", re.MULTILINE)
_LOCATION = re.compile(r"location: '(?:file://)?([^'\n]+?):(\d+):\d+'")
_ERROR = re.compile(r"^ *error: ['\"|>-]*\s*([^\n]*)|^ *(\w*Error\b[^\n]*)", re.MULTILINE)
_SKIPPED = ("# SKIP", "# TODO")


def read(text: str) -> tuple[tuple[Failure, ...], int | None] | None:
    """Failing tests by name and how many passed; None where this is no such report."""
    passed = _PASSED.search(text)
    if passed is None:
        return None
    found = [match for match in _TAP.finditer(text) if not _is_excused(match[0])]
    if not found:
        found = _failing_section(text)
    ends = [match.start() for match in found[1:]] + [len(text)]
    failures: dict[str, Failure] = {}
    for match, end in zip(found, ends, strict=False):
        detail = text[match.end() : end].strip("\n")
        # A parent fails because of its children; the innermost comes first and tells more.
        if "failureType: 'subtestsFailed'" not in detail:
            failures.setdefault(match[3], _failure(match, detail))
    return tuple(failures.values()), int(passed[1])


def _is_excused(line: str) -> bool:
    return any(mark in line for mark in _SKIPPED)


def _failing_section(text: str) -> list[re.Match[str]]:
    """The spec reporter tells each failure twice; the last part has the details."""
    start = text.find("failing tests:")
    return list(_SPEC.finditer(text, max(start, 0)))


def _failure(match: re.Match[str], detail: str) -> Failure:
    error = _ERROR.search(detail)
    message = (error[1] or error[2] or "").strip("'\" ") if error else ""
    place = _LOCATION.search(detail)
    where = match.groups()[:2] if match[1] else place.groups() if place else ("", "")
    location = f"{str(where[0]).removeprefix('/work/')}:{where[1]}" if where[0] else ""
    return Failure(match[3], message, location, detail)
