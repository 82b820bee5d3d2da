"""A bench on a real engine: cases side by side, the tests protected, nothing left behind."""

from __future__ import annotations

import pytest

from selfheal_tui.adapters.docker.owner import SESSION
from tests.support.bench_model import HealsAtTheSecond
from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, role_of, submit
from tests.support.problems import PROBLEMS, QUOTES, write_problems

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _a_base(base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def test_problems_are_healed_side_by_side_in_containers_of_their_own(tmp_path, engine):
    place = Workplace(tmp_path, {})
    cheating = QUOTES | {"task_id": "Hand/cheat", "prompt": QUOTES["prompt"].replace("tab", "TAB")}
    cases = write_problems(tmp_path / "few.jsonl.gz", [*PROBLEMS, cheating])
    heals = HealsAtTheSecond([*PROBLEMS, cheating])

    def model(body):
        asked = "\n".join(str(message.get("content")) for message in body["messages"])
        if cheating["prompt"].strip() in asked and role_of(body) == "coder":
            # Changes what decides the verdict instead of the code.
            cheat = call("write_file", path="test_solution.py", content="print('ok')\n")
            return calls(cheat, submit("Done."))
        return heals(body)

    with ModelServer((), forever=model) as server:
        ended = place.run(
            "bench", str(cases), "--output-dir", str(tmp_path / "out"), "--jobs", "2",
            "--model", "openai/scripted", "--api-base", server.base_url, "--no-plan",
            "--output", "json", "--fail-under", "80%",
        )  # fmt: skip
    assert ended.exit_code == 1, ended.err
    assert "75.0% healed: below --fail-under 80.0%" in ended.err
    assert [
        (case["case"], case["status"], case["healed_at"]) for case in ended.result["cases"]
    ] == [
        ("Hand/0", "healed", 2),
        ("Hand/1", "healed", 2),
        ("Hand/2", "healed", 2),
        ("Hand/cheat", "not healed", 0),
    ]
    sessions = {case["session"] for case in ended.result["cases"]}
    assert len(sessions) == 4
    left = [one.labels.get(SESSION) for one in engine.containers.list(all=True)]
    assert not sessions & set(left)
