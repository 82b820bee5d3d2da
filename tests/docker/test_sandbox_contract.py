"""The sandbox in Docker does what every sandbox does."""

from __future__ import annotations

import pytest

from selfheal_tui.adapters.docker.sandbox import open_docker_sandbox
from selfheal_tui.core.profile import Profile
from tests.support.sandbox_contract import SandboxContract

pytestmark = pytest.mark.engine


class TestDockerSandbox(SandboxContract):
    @pytest.fixture
    async def sandbox(self, engine, base_image):
        opened = await open_docker_sandbox(engine, base_image, Profile("plain", ""), "contract")
        yield opened
        await opened.close()
