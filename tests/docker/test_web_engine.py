"""The interface in a browser over a real engine: what runs behind a tab ends with it."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call
from tests.unit.test_web import at_work, closed, drawn, gone

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("ending", ["the server is asked to end", "the tab is closed"])
async def test_the_container_behind_a_tab_ends_with_it(
    tmp_path, engine, base_image, monkeypatch, ending
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([call("bash", command="echo started; sleep 100")]) as server:
        model = ("--model", "openai/scripted", "--api-base", server.base_url)
        async with at_work(place, *model, "--check", "false", "--no-plan") as parts:
            process, _, socket, child = parts
            await socket.send_json(["stdin", "mend it\r"])
            await drawn(socket, b"sleep 100")
            row = json.loads(place.run("sessions", "--json").out)
            wanted = {"label": f"selfheal.session={row['id']}"}
            assert len(engine.containers.list(filters=wanted)) == 1
            if ending == "the tab is closed":
                await socket.close()
            else:
                process.send_signal(signal.SIGINT)
                await closed(socket)
            await gone(child)
            assert engine.containers.list(all=True, filters=wanted) == []
    row = json.loads(place.run("sessions", "--json").out)
    assert row["exit_code"] == 130
