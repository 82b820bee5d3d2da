"""The engine and the base image of the engine's own tests; an interpreter that forks interfaces."""

from __future__ import annotations

import pytest

from tests.docker.conftest import base_image, engine
from tests.hostile.forking import Forks

__all__ = ["base_image", "engine"]


@pytest.fixture(scope="session")
def screens():
    """Loads everything once for all tests of a worker."""
    with Forks(interface=True) as running:
        yield running
