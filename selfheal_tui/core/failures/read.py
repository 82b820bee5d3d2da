"""From what a check printed to the failing tests by name. The exit code stays the verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from selfheal_tui.core.checks import NOT_NAMED, Failure
from selfheal_tui.core.failures import (
    cargo,
    ctest,
    generic,
    go,
    jest,
    junit,
    mocha,
    node,
    pytest,
    tap,
    unittest,
    vitest,
)
from selfheal_tui.core.failures.report import Report
from selfheal_tui.core.text import cut_middle, fold_terminal

MAX_TEXT = 500_000
"""Characters of output that are read; longer output is cut in its middle before."""

_READERS = (
    pytest.read,
    unittest.read,
    node.read,
    tap.read,
    jest.read,
    vitest.read,
    mocha.read,
    go.read,
    cargo.read,
    ctest.read,
)

_MAX_RAW = 4 * MAX_TEXT
_DETAIL = 8_000
_LONG_LINE = re.compile(r"^(.{4000}).+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{4,}")


def read_failures(
    command: str, output: str, exit_code: int, timed_out: bool, *, root: str = "/work"
) -> tuple[tuple[Failure, ...], int | None]:
    """The failing tests, and how many passed where a report says so.

    Never empty for a red run, always empty for exit 0 in time. Which runner wrote the report is
    seen from the text: `command` may be a script that calls several. `root` is where the tree
    was; locations are relative to it.
    """
    text = _legible(output)
    reports = [found for reader in _READERS if (found := reader(text, root)) is not None]
    if not any(report.failures for report in reports):
        reports += [found for found in (junit.read(text),) if found is not None]
    passed = _passed(reports)
    if exit_code == 0 and not timed_out:
        return (), passed
    failures = list(_merged(reports))
    if timed_out:
        return (generic.timed_out(text), *failures), passed
    if not failures:
        return (generic.last_words(text, command, exit_code, root),), passed
    unread = [report.unread for report in reports if report.unread]
    if unread:
        failures.append(Failure(NOT_NAMED, "; ".join(unread)))
    return tuple(failures), passed


def _legible(output: str) -> str:
    """The text as a terminal would show it in the end, without floods that no reader needs."""
    text = cut_middle(fold_terminal(cut_middle(output, _MAX_RAW)), MAX_TEXT)
    return _EMPTY_LINES.sub("\n\n\n", _LONG_LINE.sub(r"\1", text))


def _passed(reports: Sequence[Report]) -> int | None:
    counts = [report.passed for report in reports if report.passed is not None]
    return sum(counts) if counts else None


def _merged(reports: Iterable[Report]) -> Iterable[Failure]:
    """Every name once: the first report of it counts, which is the nearest runner's own."""
    named: dict[str, Failure] = {}
    for report in reports:
        for failure in report.failures:
            named.setdefault(failure.name, failure)
    return (replace(found, detail=cut_middle(found.detail, _DETAIL)) for found in named.values())
