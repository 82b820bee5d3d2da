"""Reads mocha's reporter for people (spec)."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, js_frames
from selfheal_tui.core.failures.report import Report, blocks, message, sum_of

_PASSING = re.compile(r"^  (\d+) passing \([\d.]+\w+\)$", re.MULTILINE)
_FAILING = re.compile(r"^  \d+ failing$", re.MULTILINE)
_HEADER = re.compile(r"^  \d+\) (\S.*)$", re.MULTILINE)


def read(text: str, root: str) -> Report | None:
    """Failing tests as `outer > inner`; None where this is no report of mocha."""
    passing = list(_PASSING.finditer(text))
    if not passing:
        return None
    failing = _FAILING.search(text, passing[0].end())
    report = text[failing.end() :] if failing else ""
    failures = (_failure(header[1], body, root) for header, body in blocks(report, _HEADER))
    unique = {failure.name: failure for failure in failures}
    return Report(tuple(unique.values()), sum_of([found[1] for found in passing]))


def _failure(first: str, body: str, root: str) -> Failure:
    """The title takes a line for each level and ends with a colon."""
    title, lines = [first], body.strip("\n").split("\n")
    while lines and not title[-1].endswith(":"):
        title.append(lines.pop(0).strip())
        if len(title) > 20:
            break
    name = " > ".join(title).removesuffix(":")
    detail = "\n".join(line.removeprefix("     ") for line in lines).strip("\n")
    where = first_own(js_frames(detail), root)
    return Failure(name, message(detail.split("\n")), where, detail)
