"""Reads vitest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, js_frames
from selfheal_tui.core.failures.report import Report, blocks, counted, message, sum_of

_ENDED = re.compile(r"^ +(?:Test Files|Tests) +(?:.*\(\d+\)|no tests)$", re.MULTILINE)
_PASSED = re.compile(r"^ +Tests +(?:\d+ \w+ \| )*?(\d+) passed", re.MULTILINE)
_HEADER = re.compile(r"^ FAIL  (?:\|[^|\n]*\| )?(\S.*)$", re.MULTILINE)
_STOP = re.compile(r"^(?:\u23af{3,}| Test Files )", re.MULTILINE)
_FILE_ONLY = re.compile(r"^(\S+) \[ .* \]$")


def read(text: str, root: str) -> Report | None:
    """Failing tests as `file > outer > inner`; None where this is no report of vitest."""
    if _ENDED.search(text) is None:
        return None
    failures = {failure.name: failure for failure in _failures(text, root)}
    unread = sum(1 for name in failures if " > " not in name)
    return Report(
        tuple(failures.values()),
        sum_of(_PASSED.findall(text)),
        f"{counted(unread, 'test file')} could not be run" if unread else "",
    )


def _failures(text: str, root: str) -> Iterator[Failure]:
    """Headers that follow each other share the error after the last of them."""
    waiting: list[str] = []
    for header, body in blocks(text, _HEADER, _STOP):
        waiting.append(_FILE_ONLY.sub(r"\1", header[1]))
        detail = body.strip("\n")
        if not detail:
            continue
        why, where = message(detail.split("\n")), first_own(js_frames(detail), root)
        yield from (Failure(name, why, where, detail) for name in waiting)
        waiting = []
    yield from (Failure(name) for name in waiting)
