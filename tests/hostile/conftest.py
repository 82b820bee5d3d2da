"""The engine and the base image of the engine's own tests."""

from __future__ import annotations

from tests.docker.conftest import base_image, engine

__all__ = ["base_image", "engine"]
