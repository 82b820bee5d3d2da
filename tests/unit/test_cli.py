"""What the command line says to input that cannot work; no engine is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_tui.agent.deliver import Target
from selfheal_tui.cli.parser import SUBCOMMANDS, run_parser
from selfheal_tui.cli.run import target_of
from tests.support.headless import Workplace
from tests.support.model_server import (
    ModelServer,
    call,
    calls,
    submit,
    unknown_model,
    unreachable,
    wrong_key,
)

FILES = {"a.txt": "a\n"}
MODEL = ("--model", "openai/x", "--api-base", "http://127.0.0.1:9/v1")


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path, FILES)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--yes", "--no-such-flag"], 2, "unrecognized arguments: --no-such-flag"),
        (["--yes", "--headless", "x"], 2, "not allowed with argument"),
        (["--yes", "--attempts", "0", "x"], 2, "must be at least 1, not 0"),
        (["--yes", "--max-cost", "nan", "x"], 2, "must be at least 0, not nan"),
        (["--yes", "--max-time", "soon", "x"], 2, "invalid number value: 'soon'"),
        (["--yes", ""], 2, "the task is empty"),
        (["--yes", "  \n "], 2, "the task is empty"),
        (["--yes"], 2, "the task is empty"),
        (["--yes", "fix", "the", "tests"], 2, "unrecognized arguments: the tests"),
        (["x"], 2, "there is no terminal"),
        ([], 2, "there is no terminal"),
        (["--headless", "--push", "origin", "x"], 2, "--push goes with --yes"),
        (["--headless", "--sandbox", "local", "x"], 2, "no isolation"),
        (["--yes", "-C", "missing", "x"], 2, "not a folder"),
        (["--yes", "--resume", "nope", "x"], 2, "there is no session nope"),
        (["--yes", "--continue"], 2, "there is no session yet"),
        (["-C", "missing", "sessions"], 2, "-C missing"),
        (["show", "nope"], 2, "there is no session nope"),
        (["--yes", *MODEL, "--check", "true", "--sandbox", "no-such", "x"], 2, "no-such"),
    ],
)
def test_bad_input_is_a_sentence_with_the_right_code(place, arguments, code, sentence):
    before = place.manifest()
    ended = place.run(*arguments)
    assert (ended.exit_code, sentence in ended.err + ended.out) == (code, True), ended.err
    assert "Traceback" not in ended.err
    assert place.manifest() == before


def test_a_folder_without_a_repository_is_refused(place, tmp_path):
    (tmp_path / "plain").mkdir()
    ended = place.run("-C", str(tmp_path / "plain"), "--yes", *MODEL, "x")
    assert ended.exit_code == 6
    assert "not in a git repository" in ended.out


def test_a_bare_repository_is_refused(place):
    ended = place.run("-C", str(place.remote), "--yes", *MODEL, "x")
    assert ended.exit_code == 6
    assert "bare" in ended.out


def test_a_merge_in_progress_is_refused_before_anything_is_spent(place):
    head = place.git("rev-parse", "HEAD")
    (place.repository / ".git" / "MERGE_HEAD").write_text(head + "\n")
    ended = place.run("--yes", *MODEL, "--check", "false", "x")
    assert ended.exit_code == 6
    assert "merge" in ended.out


def test_no_model_and_no_key_is_the_models_exit(place):
    ended = place.run("--yes", "--check", "false", "x")
    assert ended.exit_code == 5
    assert "--model" in ended.out


def test_no_check_that_can_be_found_is_a_usage_error(place):
    ended = place.run("--yes", *MODEL, "x")
    assert ended.exit_code == 2
    assert "--check" in ended.out


def test_no_engine_is_the_sandboxes_exit(place):
    ended = place.run(
        "--yes", *MODEL, "--check", "true", "x", DOCKER_HOST="unix:///nowhere/docker.sock"
    )
    assert ended.exit_code == 4
    assert "/nowhere/docker.sock" in ended.out


def test_an_unreadable_configuration_is_named(place):
    (place.folder / "config").mkdir()
    (place.folder / "config" / "config.toml").write_text("[limits]\natempts = 1\n")
    ended = place.run("--yes", *MODEL, "x")
    assert ended.exit_code == 2
    assert "config.toml: unknown key `limits.atempts`; did you mean" in ended.err


@pytest.mark.parametrize("output", ["text", "json", "stream-json"])
def test_the_output_folder_is_written_when_the_run_never_started(place, output):
    folder = place.folder / "out"
    ended = place.run("--yes", "--output", output, "--output-dir", str(folder), "")
    assert ended.exit_code == 2
    result = json.loads((folder / "result.json").read_text())
    assert (result["exit_code"], result["outcome"]) == (2, "not started")
    assert "the task is empty" in result["text"]


def test_a_failing_run_is_in_the_list_and_can_be_shown(place):
    place.run("--yes", *MODEL, "mend it")
    (row,) = map(json.loads, place.run("sessions", "--json").out.splitlines())
    assert (row["task"], row["exit_code"]) == ("mend it", 2)
    assert "mend it" in place.run("sessions").out
    shown = json.loads(place.run("show", row["id"], "--json").out)
    assert shown["text"] == row["text"]
    assert "no check command" in place.run("show").out


def test_the_version_is_one_line(place):
    from selfheal_tui import __version__

    for ended in (place.run("--version"), place.run("--yes", "--version")):
        assert (ended.exit_code, ended.out) == (0, f"selfheal {__version__}\n")


def test_config_tells_every_value_and_where_it_is_from(place):
    ended = place.run("config", SELFHEAL_MODEL="openai/x")
    assert 'model.name               "openai/x"     environment' in ended.out
    data = json.loads(place.run("config", "--json").out)
    assert data["settings"]["limits.attempts"] == {"value": 3, "source": "default"}


def test_doctor_tells_what_is_missing_and_ends_with_its_code(place):
    ended = place.run("doctor", "--json", DOCKER_HOST="unix:///nowhere/docker.sock")
    findings = {item["name"]: item for item in json.loads(ended.out)["findings"]}
    assert ended.exit_code == 4
    assert findings["git"]["ok"]
    assert not findings["engine"]["ok"]
    assert not findings["model"]["ok"]
    assert findings["state"]["ok"]
    assert "NO  engine" in place.run("doctor", DOCKER_HOST="unix:///nowhere/docker.sock").out


def test_doctor_never_shows_a_key(place):
    ended = place.run("doctor", OPENAI_API_KEY="sk-very-secret-1234")
    assert "key present" in ended.out
    assert "very-secret" not in ended.out + ended.err


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_every_subcommand_has_help(place, name):
    ended = place.run(name, "--help")
    assert (ended.exit_code, f"selfheal {name}" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ([], Target()),
        (["--push"], Target(remote="origin")),
        (["--push", "fork"], Target(remote="fork")),
        (["--push", "fork/a/b"], Target(remote="fork", remote_branch="a/b")),
        (["--branch", "x"], Target(branch="x")),
        (["--current-branch"], Target(current=True)),
    ],
)
def test_flags_say_where_the_commit_goes(arguments, target):
    assert target_of(run_parser().parse_args(["--yes", *arguments])) == target


def test_a_module_beside_the_user_does_not_shadow_ours(place):
    planted = place.repository / "platformdirs.py"
    planted.write_text("open('marker', 'w').close()\n")
    root = str(Path(__file__).parents[2])
    for path in ("", f"{root}:", f":{root}"):
        subprocess.run(
            [sys.executable, "-m", "selfheal_tui", "sessions"],
            cwd=place.repository,
            env={
                "PYTHONPATH": f"{root}:{path}",
                "HOME": str(place.folder),
                "PATH": "/usr/bin:/bin",
            },
            check=True,
            capture_output=True,
        )
    assert not (place.repository / "marker").exists()


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [
        (wrong_key("sk-shown-to-nobody"), "OPENAI_API_KEY"),
        (unknown_model("x"), "unknown model"),
    ],
    ids=["wrong key", "unknown model"],
)
def test_a_model_that_refuses_is_exit_5_in_words(place, turn, sentence):
    with ModelServer([], forever=turn) as server:
        ended = place.heal(server.base_url, "--check", "false", "--sandbox", "local")
    assert ended.exit_code == 5
    assert sentence in ended.result["text"]
    assert "shown-to-nobody" not in ended.out + ended.err


def test_an_endpoint_that_nobody_serves_is_tried_again_and_then_exit_5(place):
    ended = place.heal(
        unreachable(), "--check", "false", "--sandbox", "local", SELFHEAL_MODEL_RETRIES="1"
    )
    assert ended.exit_code == 5
    assert "cannot reach" in ended.result["text"]
    assert ended.err.count("again in") == 1


def test_an_edit_of_a_file_that_was_never_committed_is_refused_with_its_name(tmp_path):
    place = Workplace(tmp_path, {})
    place.write("a.txt", "a\n")
    script = [calls(call("write_file", path="a.txt", content="b\n"), submit("Said b."))]
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", "grep -q b a.txt", "--sandbox", "local", "--no-plan",
            "--no-review",
        )  # fmt: skip
    assert ended.exit_code == 6
    assert "uncommitted edits in a.txt: commit or stash them first" in ended.result["text"]


def test_an_empty_repository_says_that_it_is_empty(tmp_path):
    place = Workplace(tmp_path, {})
    ended = place.run("--yes", *MODEL, "--sandbox", "local", "x")
    assert ended.exit_code == 2
    assert "holds no files yet" in ended.err


def test_the_local_sandbox_is_said_to_have_no_isolation(place):
    with ModelServer([], forever=submit("Nothing.")) as server:
        ended = place.heal(
            server.base_url, "--check", "false", "--sandbox", "local", "--attempts", "1",
            "--no-plan",
        )  # fmt: skip
    assert ended.exit_code == 1
    assert any("no isolation" in warning for warning in ended.result["warnings"])


def test_the_key_reaches_the_model_only(place):
    secret = "sk-very-secret-abcdef123456"
    script = [call("bash", command="env; cat ~/.netrc; echo " + secret), submit("Looked.")]
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", "false", "--sandbox", "local", "--attempts", "1",
            "--no-plan", OPENAI_API_KEY=secret,
        )  # fmt: skip
        bodies = b"".join(request.body for request in server.requests)
    assert ended.exit_code == 1
    assert server.requests[0].headers["authorization"] == f"Bearer {secret}"
    assert secret.encode() not in bodies
    assert secret not in ended.out + ended.err
    state = b"".join(path.read_bytes() for path in place.state.rglob("*") if path.is_file())
    assert secret.encode() not in state
