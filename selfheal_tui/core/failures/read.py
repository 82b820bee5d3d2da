"""From what a check printed to the failing tests by name. The exit code stays the verdict."""

from __future__ import annotations

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures import cargo, generic, go, node, pytest, unittest

_READERS = (pytest.read, unittest.read, node.read, go.read, cargo.read)


def read_failures(
    command: str, output: str, exit_code: int, timed_out: bool
) -> tuple[tuple[Failure, ...], int | None]:
    """The failing tests, and how many passed where a report says so.

    `output` is folded text. Never empty for a red run, always empty for exit 0.
    """
    reports = [report for reader in _READERS if (report := reader(output)) is not None]
    counts = [passed for _, passed in reports if passed is not None]
    passed = sum(counts) if counts else None
    if exit_code == 0 and not timed_out:
        return (), passed
    named = {failure.name: failure for failures, _ in reports for failure in failures}
    if timed_out:
        return (generic.timed_out(output), *named.values()), passed
    return tuple(named.values()) or (generic.last_words(output),), passed
