"""The engine and the base image of the engine's own tests, and one interpreter that forks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.conftest import base_image, engine
from tests.hostile.forking import Forks

__all__ = ["base_image", "engine"]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """What starts selfheal at the cost of a fork; it takes seconds to load, so there is one."""
    with Forks() as running:
        yield running
