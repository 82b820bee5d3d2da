"""Reports that real runners printed (`outputs/`, the tree at /work), and what is read in them."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.read import read_failures

OUTPUTS = Path(__file__).parent / "outputs"


def recorded(name: str) -> str:
    return (OUTPUTS / name).read_text(encoding="utf-8")


def failures_in(name: str) -> tuple[dict[str, Failure], int | None]:
    """The failures of a recorded red run by name, and how many tests passed."""
    failures, passed = read_failures("check", recorded(name), 1, timed_out=False)
    assert len({failure.name for failure in failures}) == len(failures)
    return {failure.name: failure for failure in failures}, passed


def told(name: str) -> tuple[dict[str, tuple[str, str]], int | None]:
    """Message and location of each failure by its name, and how many tests passed."""
    failures, passed = failures_in(name)
    return {name: (found.message, found.location) for name, found in failures.items()}, passed
