"""A Docker engine and a base image for the tests; without them a skip with a reason, in CI a
failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

import docker
import pytest

from selfheal_tui.adapters.docker.engine import connect
from selfheal_tui.errors import SandboxError

BASE = "selfheal-base"


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    try:
        client = connect()
    except SandboxError as error:
        _cannot(f"no Docker engine: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def base_image(engine: docker.DockerClient) -> str:
    """The name of an image to start sandboxes from."""
    if named := os.environ.get("SELFHEAL_BASE_IMAGE"):
        return named
    found = engine.images.list(BASE)
    if not found:
        _cannot(f"no base image: set SELFHEAL_BASE_IMAGE, or make {BASE} with .ci/base-image")
    newest = max(found, key=lambda image: image.attrs["Created"])
    return next(tag for tag in newest.tags if tag.startswith(f"{BASE}:"))


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
