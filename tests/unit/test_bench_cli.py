"""`selfheal bench` as it is called: real sessions in the local sandbox, a scripted model."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from selfheal_tui.cli.benchcase import settings_for
from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.settings import LimitSettings, SandboxSettings, Settings
from tests.support.bench_model import HealsAtTheSecond
from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, call, calls, say, stalled, submit, wrong_key
from tests.support.problems import PROBLEMS, QUOTES, write_problems

LOCAL = ("--sandbox", "local", "--yes")


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path, {})


@pytest.fixture
def cases(tmp_path):
    return write_problems(tmp_path / "few.jsonl")


def healing(never=()):
    return ModelServer((), forever=HealsAtTheSecond(PROBLEMS, never))


def arguments(cases, server_url, *more):
    return (
        "bench", str(cases), "--output-dir", "../out", "--model", "openai/scripted",
        "--api-base", server_url, *LOCAL, *more,
    )  # fmt: skip


def finished(place):
    """The ids of the cases in the results, in their order."""
    lines = (place.folder / "out" / "results.jsonl").read_text().splitlines()[1:]
    return [json.loads(line)["case"] for line in lines]


def solution_of(place, case):
    """What was committed for a case, as a program that prints it."""
    (folder,) = (place.folder / "out" / "cases").glob(f"{case.replace('/', '-')}-*")
    return place.git("show", "selfheal/healed:solution.py", at=folder / "repository")


def test_every_case_is_healed_in_a_repository_of_its_own(place, cases):
    with healing() as server:
        ended = place.run(
            *arguments(cases, server.base_url, "--jobs", "3", "--output", "json"),
            "--fail-under", "100%", "--junit", "../junit.xml",
        )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    figures = ended.result["figures"]
    wanted = ("cases", "healed_first", "healed", "attempts", "first_rate", "rate", "priced")
    assert {key: figures[key] for key in wanted} == {
        "cases": 3,
        "healed_first": 0,
        "healed": 3,
        "attempts": 6,
        "first_rate": 0.0,
        "rate": 1.0,
        "priced": False,
    }
    assert figures["input_tokens"] == sum(case["input_tokens"] for case in ended.result["cases"])
    # The report has the order of the file, whatever came first.
    assert [case["case"] for case in ended.result["cases"]] == ["Hand/0", "Hand/1", "Hand/2"]
    for problem in PROBLEMS:
        expected = (problem["prompt"] + problem["canonical_solution"]).strip()
        assert solution_of(place, problem["task_id"]) == expected
    assert ElementTree.parse(place.folder / "junit.xml").getroot().get("failures") == "0"
    # The user's own list of sessions knows nothing of them.
    assert place.run("sessions", "--all").out == "no sessions\n"
    (home,) = (place.folder / "out" / "cases").glob("Hand-0-*")
    kept = {"events.jsonl", "log.txt", "patch.diff", "repository", "result.json"}
    assert {path.name for path in home.iterdir()} == kept


def test_progress_is_told_on_stderr_and_the_table_on_stdout(place, cases):
    with healing(never=["Hand/1"]) as server:
        ended = place.run(*arguments(cases, server.base_url, "--attempts", "2"))
    assert ended.exit_code == 0, ended.err
    assert "[1/3] Hand/0: healed at attempt 2" in ended.err
    assert "[2/3] Hand/1: not healed" in ended.err
    assert "after healing   66.7% (2 of 3)" in ended.out.splitlines()


@pytest.mark.parametrize(("least", "code"), [("0.6", 0), ("67%", 1)])
def test_fail_under_goes_by_the_rate_after_healing(place, cases, least, code):
    with healing(never=["Hand/1"]) as server:
        ended = place.run(
            *arguments(cases, server.base_url, "--attempts", "2", "--fail-under", least)
        )
    assert ended.exit_code == code, ended.err
    assert ("below --fail-under 67.0%" in ended.err) is (code == 1)


def test_a_kill_loses_the_running_case_only_and_the_same_command_goes_on(place, cases):
    with healing() as server:
        process = place.start(*arguments(cases, server.base_url))
        for line in process.stderr:
            if "[1/3]" in line:
                break
        process.kill()
        process.communicate()
        kept = finished(place)
        asked = len(server.requests)
        ended = place.run(*arguments(cases, server.base_url))
        later = "\n".join(request.text for request in server.requests[asked:])
    assert ended.exit_code == 0, ended.err
    assert kept[0] == "Hand/0"
    assert f"{len(kept)} of 3 cases are finished already" in ended.err
    assert finished(place) == ["Hand/0", "Hand/1", "Hand/2"]
    # What is finished is not paid for once more.
    assert "in_seconds" not in later
    assert "after healing   100.0% (3 of 3)" in ended.out


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(place, cases):
    heals, asked = HealsAtTheSecond(PROBLEMS), threading.Event()

    def silent_on_the_second(body):
        text = json.dumps(body["messages"])
        if "Half of what" not in text:
            return heals(body)
        asked.set()
        return stalled(say("Hm."))

    with ModelServer((), forever=silent_on_the_second) as server:
        process = place.start(*arguments(cases, server.base_url))
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "2 cases were not finished; the same command goes on" in err
    assert "after healing   100.0% (1 of 1)" in out
    assert finished(place) == ["Hand/0"]
    (log,) = (place.folder / "out" / "cases").glob("Hand-1-*/log.txt")
    assert "interrupted (exit 130)" in log.read_text()
    with healing() as server:
        ended = place.run(*arguments(cases, server.base_url))
    assert ended.exit_code == 0, ended.err
    assert finished(place) == ["Hand/0", "Hand/1", "Hand/2"]


def test_a_model_that_never_answers_ends_the_bench_and_is_asked_again_later(place, tmp_path):
    many = [QUOTES | {"task_id": f"Q/{number}"} for number in range(6)]
    cases = write_problems(tmp_path / "many.jsonl", many)
    with ModelServer((), forever=wrong_key()) as server:
        ended = place.run(*arguments(cases, server.base_url))
    assert ended.exit_code == 5, ended.err
    assert "3 cases in a row came to no verdict" in ended.err
    assert finished(place) == ["Q/0", "Q/1", "Q/2"]
    with ModelServer((), forever=HealsAtTheSecond(many)) as server:
        again = place.run(*arguments(cases, server.base_url, "--fail-under", "1"))
    assert again.exit_code == 0, again.err
    assert "after healing   100.0% (6 of 6)" in again.out


def test_no_engine_is_exit_4(place, cases):
    with healing() as server:
        command = arguments(cases, server.base_url)
        nowhere = [one for one in command if one not in LOCAL]
        ended = place.run(*nowhere, DOCKER_HOST="unix:///nowhere.sock")
    assert ended.exit_code == 4, ended.err
    assert "no container engine at unix:///nowhere.sock" in ended.err


def test_tests_that_are_changed_heal_nothing(place, cases):
    cheat = calls(
        call("write_file", path="test_solution.py", content="print('ok')\n"), submit("Done.")
    )
    with ModelServer({"coder": ()}, forever=cheat) as server:
        ended = place.run(
            *arguments(cases, server.base_url, "--limit", "1", "--no-plan", "--no-review"),
            "--output", "json", "--attempts", "2",
        )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    assert (ended.result["figures"]["healed"], ended.result["figures"]["not_healed"]) == (0, 1)


def test_a_folder_of_repositories_goes_by_its_own_check(place, tmp_path):
    broken = tmp_path / "cases" / "broken"
    broken.mkdir(parents=True)
    (broken / "a.txt").write_text("a\n")
    (broken / "bench.toml").write_text("task = 'put b there'\ncheck = 'grep -q b a.txt'\n")
    green = tmp_path / "cases" / "green"
    green.mkdir()
    (green / "bench.toml").write_text("task = 'nothing'\ncheck = 'true'\n")
    heals = calls(call("write_file", path="a.txt", content="b\n"), submit("There."))
    with ModelServer((), forever=heals) as server:
        ended = place.run(
            *arguments(tmp_path / "cases", server.base_url, "--no-plan", "--no-review")
        )
    assert ended.exit_code == 0, ended.err
    assert "at attempt 1    100.0% (1 of 1)" in ended.out
    assert "besides         1 already green (not counted)" in ended.out
    # The user's folder is as it was.
    assert sorted(path.name for path in broken.iterdir()) == ["a.txt", "bench.toml"]
    assert (broken / "a.txt").read_text() == "a\n"


def test_a_case_that_was_changed_is_run_again(place, tmp_path):
    cases = write_problems(tmp_path / "few.jsonl", [QUOTES])
    with healing() as server:
        place.run(*arguments(cases, server.base_url))
        changed = QUOTES | {"test": QUOTES["test"] + "    assert candidate('') == '\"\"'\n"}
        write_problems(cases, [changed])
        ended = place.run(*arguments(cases, server.base_url))
    assert ended.exit_code == 0, ended.err
    assert finished(place) == ["Hand/2", "Hand/2"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["few.jsonl", "--model", "openai/x"], "--output-dir"),
        (["few.jsonl", "--output-dir", "out", "--sandbox", "local"], "confirm it with --yes"),
        (["few.jsonl", "--output-dir", "out", "--only", "Nobody/*"], "no case is named like"),
        (["none.jsonl", "--output-dir", "out"], "cannot read none.jsonl"),
        (["few.jsonl", "--output-dir", "out", "--fail-under", "90"], "must be 0 to 1"),
        (["few.jsonl", "--output-dir", "out", "--fail-under", "nan"], "must be 0 to 1"),
        (["few.jsonl", "--output-dir", "out", "--jobs", "0"], "must be at least 1"),
        (["few.jsonl", "--output-dir", "out", "--junit", "no/j.xml"], "its folder does not exist"),
        (["few.jsonl", "--output-dir", "few.jsonl.d"], "holds other things"),
    ],
)
def test_what_cannot_be_is_exit_2_with_a_sentence(place, more, words):
    write_problems(place.repository / "few.jsonl")
    place.write("few.jsonl.d/mine.txt", "mine\n")
    ended = place.run("bench", *more)
    assert (ended.exit_code, ended.out) == (2, ""), ended.err
    assert words in ended.err


def test_mlflow_that_is_missing_is_told_before_any_work(place, cases):
    blocked = place.folder / "path"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'mlflow' else find(name, *a)\n"
    )
    root = str(Path(__file__).parents[2])
    ended = place.run(
        *arguments(cases, "http://127.0.0.1:9/v1", "--mlflow", "runs"),
        PYTHONPATH=f"{blocked}:{root}",
    )
    assert ended.exit_code == 2, ended.err
    assert "--mlflow needs the package mlflow" in ended.err
    assert not (place.folder / "out").exists()


def test_a_flag_holds_for_every_case_and_a_case_for_itself():
    base = Settings(limits=LimitSettings(attempts=4), sandbox=SandboxSettings(name="generic"))
    case = BenchCase("x", "t", "true", "w", "c", attempts=7, sandbox="node")

    def chosen(*given):
        common = SimpleNamespace(settings=base, given=frozenset(given))
        made = settings_for(case, common)
        return made.check.chosen, made.limits.attempts, made.sandbox.name

    assert chosen() == (("true",), 7, "node")
    assert chosen("limits.attempts") == (("true",), 4, "node")
    assert chosen("sandbox.name") == (("true",), 7, "generic")
