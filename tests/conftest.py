"""Settings of every test: property tests judge results, not how busy the machine is."""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.hostile.forking import Forks
from tests.hostile.tally import pytest_terminal_summary
from tests.support.headless import Workplace

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


@pytest.fixture(scope="session", autouse=True)
def _forked_runs() -> Iterator[None]:
    """Whole runs of the command line are forked from one interpreter, which is started for the
    first of them: loading the libraries for each took most of the time of their tests."""
    with contextlib.ExitStack() as open_until_the_end:
        one = Forks()
        Workplace.forks = functools.cache(lambda: open_until_the_end.enter_context(one))
        yield
        Workplace.forks = None
