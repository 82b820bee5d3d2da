"""The start where the engine comes late: the same task works without starting anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.core.events import SessionEnded
from selfheal_tui.settings import CheckSettings, SandboxSettings, Settings
from tests.support.sessions import NO_ROLES
from tests.unit.test_warm import HEALS, event_of, live, not_started

pytestmark = pytest.mark.engine


@pytest.fixture
def usual_socket():
    """The socket of the engine; it is linked to when the engine is to be there."""
    given = Path("/var/run/docker.sock")
    if not given.exists():
        pytest.skip("the engine has no socket at its usual place")
    return given


async def test_an_engine_that_is_started_late_is_found_when_the_task_is_sent_again(
    tmp_path, engine, base_image, usual_socket
):
    socket = tmp_path / "engine.sock"
    settings = Settings(
        check=CheckSettings("sh check.sh", timeout=60),
        flow=NO_ROLES,
        sandbox=SandboxSettings(base_image=base_image),
    )
    environment = {"DOCKER_HOST": f"unix://{socket}"}
    async with live(tmp_path, settings, HEALS, **environment) as (conductor, heard):
        conductor.open()
        conductor.start("mend it")
        given_back = await heard.until(not_started)
        assert given_back.task == "mend it"
        assert heard.steps()["engine"][0] == "failed"
        socket.symlink_to(usual_socket)
        conductor.start("mend it")
        ended = await heard.until(event_of(SessionEnded))
        assert (ended.event.exit_code, ended.event.outcome) == (0, "committed")
        assert {state for state, _ in heard.steps().values()} == {"ready"}
