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
    gradle,
    jest,
    junit,
    lint,
    maven,
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
    maven.read,
    gradle.read,
)

_MAX_RAW = 4 * MAX_TEXT
_DETAIL = 8_000
_MESSAGE = 300
_LONG_LINE = re.compile(r"^(.{4000}).+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{4,}")


def read_failures(
    command: str,
    output: str,
    exit_code: int,
    timed_out: bool,
    *,
    root: str = "/work",
    documents: Sequence[str] = (),
) -> tuple[tuple[Failure, ...], int | None]:
    """The failing tests, and how many passed where a report says so.

    Never empty for a red run, always empty for exit 0 in time. Which runner wrote the report is
    seen from the text: `command` may be a script that calls several. `root` is where the tree
    was; locations are relative to it. `documents` are files of JUnit XML that this run wrote.
    """
    text = _legible(output)
    reports = _reports(text, command, root, documents)
    passed = _passed(reports)
    if exit_code == 0 and not timed_out:
        return (), passed
    failures = list(_merged(reports))
    if timed_out:
        return (generic.timed_out(text), *failures), passed
    unread = "; ".join(report.unread for report in reports if report.unread)
    if not failures:
        last = generic.last_words(text, command, exit_code, root)
        return (replace(last, message=unread[:_MESSAGE]) if unread else last,), passed
    if unread:
        failures.append(Failure(NOT_NAMED, unread))
    return tuple(failures), passed


def _reports(text: str, command: str, root: str, documents: Sequence[str]) -> list[Report]:
    """What the readers found: runners in the output first, else JUnit XML; a linter's findings."""
    reports = [found for reader in _READERS if (found := reader(text, root)) is not None]
    if all(report.vague or not report.failures for report in reports):
        written = junit.read_documents(documents, root) or junit.read(text, root)
        if written is not None and (written.failures or not any(r.failures for r in reports)):
            reports = [*(replace(report, failures=(), passed=None) for report in reports), written]
    # Elsewhere the same words come from a compiler, and hide all the tests after it.
    if lint.is_linter(command) and (found := lint.read(text, root)) is not None:
        reports.append(found)
    return reports


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
