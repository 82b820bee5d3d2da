"""The engine and the base image of the engine's own tests, and the interpreter that forks runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.conftest import base_image, engine
from tests.hostile.forking import Forks

__all__ = ["base_image", "engine", "forks"]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """One for all files: it takes seconds to load."""
    with Forks() as running:
        yield running
