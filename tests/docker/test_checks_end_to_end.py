"""Several checks, failing tests first, and the log of a red check, in real containers."""

from __future__ import annotations

import json

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, submit
from tests.support.projects import DURATIONS

pytestmark = pytest.mark.engine

CHECK = "python -m pytest -q"


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def edit(change):
    return call("edit_file", path=change.path, old=change.old, new=change.new)


def test_failing_tests_run_first_and_the_log_can_be_read(tmp_path):
    place = Workplace(tmp_path, DURATIONS.files)
    script = [
        calls(call("write_file", path="notes.txt", content="x\n"), submit("Nothing yet.")),
        calls(call("read_file", path="/tmp/selfheal/check.log")),
        calls(edit(DURATIONS.wrong), submit("First.")),
        calls(edit(DURATIONS.right), submit("Second.")),
    ]
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", "test -d src", "--check", CHECK, "--no-plan", "--no-review",
            "--output-dir", str(tmp_path / "out"), SELFHEAL_CHECK_FOCUS_AFTER="0",
        )  # fmt: skip
        told = server.requests[2].text
    assert ended.exit_code == 0, ended.err
    assert "test_a_bare_number_is_seconds" in told
    lines = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    ran = [(e["purpose"], e["command"]) for e in events if e["event"] == "CommandStarted"]
    focused = [command for purpose, command in ran if purpose == "focused"]
    assert len(focused) == 3
    assert all(command.startswith(f"{CHECK} tests/test_parse.py::") for command in focused)
    assert [purpose for purpose, _ in ran[-4:]] == ["verify", "verify", "proof", "proof"]
    assert ended.result["check"] == f"test -d src && {CHECK}"
    assert "check.log" not in (tmp_path / "out" / "patch.diff").read_text()
    costs = [e["seconds"] for e in events if e["event"] == "CheckEnded"]
    assert min(costs) > 0
