"""The whole product: real command line, real engine, real git, a real HTTP model server."""

from __future__ import annotations

import json
import signal

import git
import pytest

from tests.support.headless import Workplace, edit, healing_script
from tests.support.model_server import (
    ModelServer,
    call,
    calls,
    say,
    submit,
    submit_review,
    wrong_key,
)
from tests.support.projects import DURATIONS, PROJECTS

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    """Every run starts from the base image that the tests were given."""
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_real_bug_is_healed_at_the_second_attempt_and_pushed(tmp_path, project):
    place = Workplace(tmp_path, project.files)
    place.write("notes.txt", "not committed\n")
    head = place.git("rev-parse", "HEAD")
    status = place.git("status", "--porcelain")
    with ModelServer(healing_script(project)) as server:
        ended = place.heal(
            server.base_url, "--check", project.check, "--push", "origin/healed",
            "--output-dir", str(tmp_path / "out"),
        )  # fmt: skip
        digest_request = server.requests[2].text
    assert ended.exit_code == 0, ended.err
    result = ended.result
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["better", "green"] or [
        attempt["outcome"] for attempt in result["attempts"]
    ] == ["same", "green"]
    assert project.failing in digest_request
    assert result["proof"]["verified"] is True
    assert result["proof"]["exit_code"] == 0
    # The user's branch, index and working tree are as they were.
    assert place.git("rev-parse", "HEAD") == head
    assert place.git("status", "--porcelain") == status
    # The commit holds the two edits and nothing else; the remote holds exactly it.
    commit = place.git("rev-parse", "refs/heads/selfheal/make-the-tests-pass")
    assert result["commit"] == commit
    assert place.git("rev-parse", f"{commit}^") == head
    changed = place.git("diff", "--name-only", head, commit).split()
    assert changed == [project.right.path]
    with git.Repo(place.remote) as remote:
        pushed = remote.heads["healed"].commit
        assert (pushed.hexsha, pushed.tree.hexsha) == (commit, result["tree"])
        assert pushed.message == "Mend what the tests show\n\nFound by its failing test.\n"
        assert pushed.author == git.Actor("Ada", "ada@example.invalid")
        assert [ref.path for ref in remote.refs] == ["refs/heads/healed", "refs/heads/main"]
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert written["commit"] == commit
    assert project.right.path in (tmp_path / "out" / "patch.diff").read_text()


def test_what_is_never_healed_ends_with_exit_1_and_an_untouched_repository(tmp_path):
    place = Workplace(tmp_path, DURATIONS.files)
    before = place.manifest()
    script = {
        "planner": healing_script(DURATIONS)["planner"],
        "coder": [
            calls(edit(DURATIONS.wrong), submit("First.")),
            calls(
                call("write_file", path="src/durations/parse.py", content="broken("), submit("2")
            ),
            calls(call("bash", command="echo >> README.md"), submit("Third.")),
        ],
    }
    with ModelServer(script) as server:
        ended = place.heal(server.base_url, "--check", DURATIONS.check)
        last_request = server.requests[-1].text
    assert ended.exit_code == 1, ended.err
    assert place.manifest() == before
    outcomes = [attempt["outcome"] for attempt in ended.result["attempts"]]
    assert outcomes == ["better", "worse", "same"]
    assert "the files went back to attempt 1" in last_request
    assert "1 failing instead of 2" in ended.result["text"]


def test_headless_stops_at_the_proposal_and_resume_takes_it_up(tmp_path):
    place = Workplace(tmp_path, DURATIONS.files)
    before = place.manifest()
    with ModelServer(healing_script(DURATIONS)) as server:
        ended = place.run(
            "--headless", "--output", "json", "--model", "openai/x", "--api-base", server.base_url,
            "--check", DURATIONS.check, "make the tests pass",
        )  # fmt: skip
    assert ended.exit_code == 3, ended.err
    assert place.manifest() == before
    assert ended.result["proof"]["verified"] is True
    assert ended.result["commit"] is None
    taken_up = place.run("--yes", "--output", "json", "--continue", "--model", "openai/x",
                         "--api-base", server.base_url)  # fmt: skip
    assert taken_up.exit_code == 0, taken_up.err
    commit = place.git("rev-parse", "refs/heads/selfheal/make-the-tests-pass")
    assert place.git("rev-parse", f"{commit}^{{tree}}") == ended.result["tree"]


def test_current_branch_moves_the_branch_and_its_files(tmp_path):
    place = Workplace(tmp_path, DURATIONS.files)
    place.write("README.md", "# durations\n\nmy own uncommitted words\n")
    head = place.git("rev-parse", "HEAD")
    with ModelServer(healing_script(DURATIONS)) as server:
        ended = place.heal(server.base_url, "--check", DURATIONS.check, "--current-branch")
    assert ended.exit_code == 0, ended.err
    assert place.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert place.git("rev-parse", "HEAD^") == head
    assert "isdigit" in (place.repository / DURATIONS.right.path).read_text()
    assert place.git("status", "--porcelain").split() == ["M", "README.md"]
    assert place.git("diff", "--name-only", "HEAD^", "HEAD").split() == [DURATIONS.right.path]


def test_a_green_baseline_is_said_and_nothing_is_done(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    before = place.manifest()
    with ModelServer([]) as server:
        ended = place.heal(server.base_url, "--check", "true")
        assert server.requests == []
    assert (ended.exit_code, ended.result["outcome"]) == (0, "already green")
    assert place.manifest() == before


def test_a_check_that_is_not_there_is_a_usage_error(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([]) as server:
        ended = place.heal(server.base_url, "--check", "no-such-checker --all")
    assert ended.exit_code == 2
    assert "no-such-checker" in ended.result["text"]


def test_a_check_that_hangs_is_a_failing_check(tmp_path):
    place = Workplace(tmp_path, {"seconds": "100\n"})
    script = [calls(call("write_file", path="seconds", content="0\n"), submit("No sleep."))]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[check]\ntimeout = 2\n")
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", "sleep $(cat seconds)", "--no-plan", "--no-review"
        )
        assert "did not end" in server.requests[0].text
    assert ended.exit_code == 0, ended.err


def test_a_model_that_submits_without_a_change_does_not_succeed(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([submit("Nothing to do.")] * 2) as server:
        ended = place.heal(
            server.base_url, "--check", "false", "--attempts", "2", "--no-plan", "--no-review"
        )
        assert "no file differs" in server.requests[-1].text
    assert ended.exit_code == 1
    assert [a["outcome"] for a in ended.result["attempts"]] == ["no change", "no change"]


def test_a_model_that_never_submits_is_nudged_and_then_ended(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([], forever=say("I think about it.")) as server:
        ended = place.heal(
            server.base_url, "--check", "false", "--attempts", "1", "--no-plan", "--no-review"
        )
    assert ended.exit_code == 1
    assert len(server.requests) < 10


def test_the_limit_of_steps_ends_the_run(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    counter = iter(range(1000))
    with ModelServer([], forever=lambda _: call("bash", command=f"echo {next(counter)}")) as server:
        ended = place.heal(server.base_url, "--check", "false", "--max-steps", "3", "--no-plan")
        assert len(server.requests) == 3
    assert ended.exit_code == 7
    assert "--max-steps" in ended.result["text"]


def test_the_limit_of_time_ends_the_run(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([], forever=call("bash", command="sleep 60")) as server:
        ended = place.heal(server.base_url, "--check", "false", "--max-time", "8", "--no-plan")
    assert ended.exit_code == 7
    assert "--max-time" in ended.result["text"]
    assert ended.result["seconds"] < 20


def test_a_wrong_key_is_the_models_fault(tmp_path):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([], forever=wrong_key("sk-secret-shown")) as server:
        ended = place.heal(server.base_url, "--check", "false")
    assert ended.exit_code == 5
    assert "sk-secret-shown" not in ended.out + ended.err


def test_what_passes_only_in_the_used_sandbox_is_not_green(tmp_path):
    place = Workplace(tmp_path, {"check.sh": "test -e /home/agent/here && grep -q b a.txt\n",
                                 "a.txt": "a\n"})  # fmt: skip
    before = place.manifest()
    cheat = call("bash", command="touch /home/agent/here; echo b > a.txt")
    with ModelServer([calls(cheat, submit("Done."))]) as server:
        ended = place.heal(
            server.base_url, "--check", "sh check.sh", "--attempts", "1", "--no-plan", "--no-review"
        )
    assert ended.exit_code == 1, ended.err
    assert place.manifest() == before


def test_a_reviewer_may_send_a_change_back_once(tmp_path):
    place = Workplace(tmp_path, {"check.sh": "grep -q b a.txt\n", "a.txt": "a\n"})
    script = {
        "coder": [
            calls(call("write_file", path="a.txt", content="b c\n"), submit("First.")),
            calls(call("write_file", path="a.txt", content="b\n"), submit("Second.", "Say b")),
        ],
        "reviewer": [submit_review("send_back", "No c, please."), submit_review("approve", "Yes.")],
    }
    with ModelServer(script) as server:
        ended = place.heal(server.base_url, "--check", "sh check.sh", "--no-plan")
    assert ended.exit_code == 0, ended.err
    assert [a["outcome"] for a in ended.result["attempts"]] == ["sent back", "green"]
    assert place.git("show", f"{ended.result['commit']}:a.txt") == "b"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_its_code_and_no_container(tmp_path, engine, number):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    before = place.manifest()
    with ModelServer([call("bash", command="echo started; sleep 100")]) as server:
        process = place.start(
            "--yes", "--output", "stream-json", "--model", "openai/x", "--api-base",
            server.base_url, "--check", "false", "--no-plan", "try",
        )  # fmt: skip
        lines = iter(process.stdout.readline, "")
        events = (json.loads(line) for line in lines)
        next(e for e in events if e["event"] == "CommandPrinted" and "started" in e["text"])
        process.send_signal(number)
        last = list(events)[-1]
        process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert (last["event"], last["exit_code"]) == ("SessionEnded", 128 + number)
    assert place.manifest() == before
    session = place.run("sessions", "--json")
    name = json.loads(session.out)["id"]
    label = {"label": f"selfheal.session={name}"}
    assert engine.containers.list(all=True, filters=label) == []
