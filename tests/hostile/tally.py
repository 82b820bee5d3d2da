"""What the hostile kit has tried, counted over all its tests and said at the end of a run:
scenarios that the oracle judged, faults that fired, kills, broken invariants.

Counts go with each test's report, so that they are whole where tests run in several processes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

SCENARIOS = "scenarios judged by the oracle"
FAULTS = "faults injected"
KILLS = "kills survived"
BROKEN = "invariants broken"
KINDS = (SCENARIOS, FAULTS, KILLS, BROKEN)

_counted: Counter[str] = Counter()
_counting = threading.Lock()


def count(kind: str, times: int = 1) -> None:
    """Note that something of this kind was done; of any thread."""
    with _counting:
        _counted[kind] += times


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hand on what one test has counted. Those of the oracle itself break things on purpose."""
    before = _counted.copy()
    try:
        return (yield)
    finally:
        if "test_oracle" not in item.nodeid:
            item.user_properties.extend((_counted - before).items())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say the sums, where there are any."""
    sums: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call":
                sums.update({kind: n for kind, n in report.user_properties if kind in KINDS})
    if sums:
        terminalreporter.section("hostile kit")
        for kind in KINDS:
            terminalreporter.line(f"{sums[kind]:>6,} {kind}")
