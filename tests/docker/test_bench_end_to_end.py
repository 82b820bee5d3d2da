"""A bench on a real engine: cases side by side, the tests protected, nothing left behind."""

from __future__ import annotations

import signal
import threading

import pytest

from selfheal_tui.adapters.docker.owner import SESSION
from tests.support.bench_model import HealsAtTheSecond
from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, role_of, say, stalled, submit
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
    left = [
        one.labels.get(SESSION) for one in engine.containers.list(all=True, ignore_removed=True)
    ]
    assert not sessions & set(left)


def test_ctrl_c_ends_all_that_run_side_by_side_and_leaves_no_container(tmp_path, engine):
    place = Workplace(tmp_path, {})
    many = [QUOTES | {"task_id": f"Q/{number}"} for number in range(4)]
    cases = write_problems(tmp_path / "many.jsonl", many)
    both = threading.Barrier(3, timeout=120)

    def silent(body):
        both.wait()
        return stalled(say("Hm."))

    with ModelServer((), forever=silent) as server:
        process = place.start(
            "bench", str(cases), "--output-dir", str(tmp_path / "out"), "--jobs", "2",
            "--model", "openai/scripted", "--api-base", server.base_url, "--no-plan",
        )  # fmt: skip
        both.wait()
        assert len(containers_below(tmp_path / "out", engine)) == 2
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "4 cases were not finished; the same command goes on" in err
    assert containers_below(tmp_path / "out", engine) == []


@pytest.mark.registry
def test_what_heals_a_cases_environment_is_kept_for_no_other_run(tmp_path, engine):
    before = set_ups(engine)
    place = Workplace(tmp_path, {})
    folder = tmp_path / "cases" / "needs-yaml"
    folder.mkdir(parents=True)
    (folder / "bench.toml").write_text("task = 'make it pass'\ncheck = 'python3 a.py'\n")
    (folder / "a.py").write_text("import yaml\n\nyaml.safe_load(str())\n")
    try:
        with ModelServer([]) as server:
            ended = place.run(
                "bench", str(folder.parent), "--output-dir", str(tmp_path / "out"),
                "--model", "openai/scripted", "--api-base", server.base_url, "--output", "json",
            )  # fmt: skip
        assert ended.exit_code == 0, ended.err
        (case,) = ended.result["cases"]
        events = (tmp_path / "out" / case["folder"] / "events.jsonl").read_text()
        assert "EnvironmentHealed" in events
        assert not (tmp_path / "config" / "environments").exists()
    finally:
        for name in set_ups(engine) - before:
            engine.images.remove(name)


def set_ups(engine):
    return {tag for image in engine.images.list("selfheal/setup") for tag in image.tags}


def containers_below(out, engine):
    """The containers of the sessions whose records are in this folder."""
    sessions = {path.name for path in (out / "state" / "sessions").iterdir()}
    found = [
        one.labels.get(SESSION) for one in engine.containers.list(all=True, ignore_removed=True)
    ]
    return [session for session in found if session in sessions]
