"""The engine and the base image of the engine's own tests, the one interpreter that forks runs, and
what is counted over all tests."""

from __future__ import annotations

import pytest

from tests.docker.conftest import base_image, engine
from tests.hostile.faulted import LOCAL, PUSHED, mending, scenes
from tests.hostile.forking import Forks, heal
from tests.hostile.tally import pytest_runtest_call
from tests.support.headless import Workplace

__all__ = ["base_image", "engine", "forks", "pytest_runtest_call"]


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Forks:
    """What starts selfheal at the cost of a fork; it takes seconds to load, so there is one. What
    a first whole run loads, the next ones have."""
    assert Workplace.forks is not None
    running = Workplace.forks()
    with mending() as server:
        scene = next(scenes(tmp_path_factory.mktemp("first")))
        ran, _ = running.run(scene, *heal(server.base_url, *LOCAL, *PUSHED))
        assert ran.exit_code == 0, ran.says
    return running


@pytest.fixture(scope="session")
def screens(forks: Forks) -> Forks:
    """The same, for runs at a terminal."""
    return forks
