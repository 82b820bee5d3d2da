"""Settings of every test: property tests judge results, not how busy the machine is."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

from tests.hostile.tally import pytest_terminal_summary

# Here, so that it is known where the tests run in other processes.
__all__ = ["pytest_terminal_summary"]

settings.register_profile(
    "selfheal", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("selfheal")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: looking through it again and again took a quarter of the time
    of the tests of the interface."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
