"""The terminal interface in a real terminal: real engine, real git, a real HTTP model server."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from uuid import uuid4

import pytest

from selfheal_tui.core.events import ApprovalAnswered, HunksRefused, ProposalMade, from_json
from selfheal_tui.core.proof import Proof
from tests.support.headless import Workplace, edit, healing_script
from tests.support.model_server import ModelServer, call, calls, submit, submit_review
from tests.support.projects import DURATIONS
from tests.support.terminal import RESTORED, Terminal

pytestmark = pytest.mark.engine

CTRL_C, CTRL_N, CTRL_Y, ESCAPE = "\x03", "\x0e", "\x19", "\x1b"


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    """Every run starts from the base image that the tests were given."""
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


@contextmanager
def interface(place, *arguments, columns=120, lines=36, **environment):
    argv = [sys.executable, "-m", "selfheal_tui", *arguments]
    env = place._environment() | {"TERM": "xterm-256color"} | environment
    terminal = Terminal(argv, cwd=place.repository, env=env, columns=columns, lines=lines)
    try:
        yield terminal
    finally:
        terminal.close()


def model_of(server):
    return "--model", "openai/scripted", "--api-base", server.base_url


def containers_of(engine, place):
    """The containers of the latest session."""
    name = json.loads(place.run("sessions", "--json").out.splitlines()[0])["id"]
    return engine.containers.list(all=True, filters={"label": f"selfheal.session={name}"})


def test_a_task_is_typed_refused_once_approved_and_pushed(tmp_path, engine):
    place = Workplace(tmp_path, DURATIONS.files)
    head = place.git("rev-parse", "HEAD")
    script = healing_script(DURATIONS)
    again = call("bash", command="echo '# mended' >> README.md")
    script["coder"] += [calls(again, submit("With a note.", "Mend it, with a note"))]
    script["reviewer"] += [submit_review("approve", "Still right.")]
    with ModelServer(script) as server:
        arguments = (*model_of(server), "--check", DURATIONS.check, "--push", "origin/healed")
        with interface(place, *arguments) as terminal:
            terminal.until("what should be healed?")
            terminal.send("make the tests pass\r")
            terminal.until("Make this commit?", 120)
            terminal.until("VERIFIED")
            terminal.until("Ctrl+Y yes")
            terminal.send("\r")
            terminal.send(CTRL_N)
            terminal.until("Why not?")
            terminal.send("say so in the README\r")
            # The first question may be drawn once more while it goes: wait for the work behind it.
            terminal.until("Attempt 3 of 3", 120)
            terminal.until("Make this commit?", 120)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("Push this commit?")
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("pushed (exit 0)")
            terminal.send(CTRL_C)
            terminal.until("Ctrl-C again")
            terminal.send(CTRL_C)
            assert terminal.ended() == 0
        requests = [request.text for request in server.requests]
    assert any("does not want it like this: say so in the README" in text for text in requests)
    assert RESTORED in terminal.drawn
    commit = place.remote_git("rev-parse", "refs/heads/healed")
    assert place.git("rev-parse", "refs/heads/selfheal/make-the-tests-pass") == commit
    assert place.git("rev-parse", f"{commit}^") == head
    assert place.git("log", "-1", "--format=%s", commit) == "Mend it, with a note"
    changed = place.git("diff", "--name-only", head, commit).split()
    assert changed == ["README.md", DURATIONS.right.path]
    assert place.git("status", "--porcelain") == ""
    assert containers_of(engine, place) == []


def test_a_hunk_is_refused_and_exactly_the_rest_is_checked_committed_and_pushed(tmp_path, engine):
    place = Workplace(tmp_path, DURATIONS.files)
    head = place.git("rev-parse", "HEAD")
    script = healing_script(DURATIONS)
    note = call("bash", command="echo '# mended' >> README.md")
    script["coder"][1:1] = [note]
    with ModelServer(script) as server:
        arguments = (*model_of(server), "--check", DURATIONS.check, "--push", "origin/healed")
        with interface(place, *arguments) as terminal:
            terminal.until("what should be healed?")
            terminal.send("make the tests pass\r")
            terminal.until("Make this commit?", 120)
            terminal.until("Ctrl+Y yes")
            # The first file is the README: its only hunk is refused, with a reason.
            terminal.send("h")
            terminal.send("x")
            terminal.until("A reason, if you like")
            terminal.send("nobody asked for it\r")
            terminal.until("1 of 2 hunks refused")
            terminal.send(CTRL_Y)
            terminal.until("refused", 60)
            terminal.until("Make this commit?", 60)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("Push this commit?")
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("pushed (exit 0)")
            terminal.send("\x11")
            assert terminal.ended() == 0
    commit = place.remote_git("rev-parse", "refs/heads/healed")
    assert place.git("rev-parse", "refs/heads/selfheal/make-the-tests-pass") == commit
    assert place.git("diff", "--name-only", head, commit).split() == [DURATIONS.right.path]
    events = [from_json(line)[0] for line in place.run("show", "--events").out.splitlines()]
    (refused,) = (event for event in events if isinstance(event, HunksRefused))
    assert refused.hunks[0][::2] == ("README.md", "nobody asked for it")
    first, second = (event for event in events if isinstance(event, ProposalMade))
    assert first.tree != second.tree == place.git("rev-parse", f"{commit}^{{tree}}")
    proof = Proof.from_json(second.proof)
    assert (proof.verified, proof.tree, len(proof.refused)) == (True, second.tree, 1)
    assert containers_of(engine, place) == []


def test_escape_ends_the_running_command_and_the_next_message_goes_on(tmp_path):
    place = Workplace(tmp_path, {"check.sh": "grep -q b a.txt\n", "a.txt": "a\n"})
    write = call("write_file", path="a.txt", content="b\n")
    script = [call("bash", command="echo started; sleep 100"), calls(write, submit("Done."))]
    with ModelServer(script) as server:
        arguments = (*model_of(server), "--check", "sh check.sh", "--no-plan", "--no-review")
        with interface(place, *arguments, "try", columns=160) as terminal:
            terminal.until("started", 60)
            terminal.send(ESCAPE)
            terminal.until("waits for you")
            terminal.send("write b instead\r")
            terminal.until("Make this commit?", 60)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("committed (exit 0)")
            terminal.send("\x11")
            assert terminal.ended() == 0
        told = server.requests[1].text
    assert "the user interrupted this call" in told
    assert "write b instead" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_screen_and_leaves_a_session_to_take_up(tmp_path, engine, number):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    before = place.manifest()
    with ModelServer([call("bash", command="echo started; sleep 100")]) as server:
        arguments = (*model_of(server), "--check", "false", "--no-plan", "try")
        with interface(place, *arguments, columns=160) as terminal:
            terminal.until("started", 60)
            terminal.signal(number)
            assert terminal.ended() == 128 + number
    assert RESTORED in terminal.drawn
    assert "Traceback" not in terminal.drawn
    assert place.manifest() == before
    assert containers_of(engine, place) == []
    row = json.loads(place.run("sessions", "--json").out)
    assert row["exit_code"] == 128 + number


def test_a_closed_terminal_ends_the_session_and_its_container(tmp_path, engine):
    place = Workplace(tmp_path, {"a.txt": "a\n"})
    with ModelServer([call("bash", command="echo started; sleep 100")]) as server:
        arguments = (*model_of(server), "--check", "false", "--no-plan", "try")
        with interface(place, *arguments, columns=160) as terminal:
            terminal.until("started", 60)
            assert terminal.hang_up() == 128 + signal.SIGHUP
    assert containers_of(engine, place) == []
    assert json.loads(place.run("sessions", "--json").out)["exit_code"] == 129


def test_a_stopped_session_is_taken_up_from_its_last_edit(tmp_path):
    place = Workplace(tmp_path, DURATIONS.files)
    script = [
        edit(DURATIONS.wrong),
        edit(DURATIONS.right),
        call("bash", command="echo started; sleep 100"),
    ]
    options = ("--check", DURATIONS.check, "--no-plan", "--no-review")
    with ModelServer([*script, submit("Done.", "Mend it")]) as server:
        with interface(place, *model_of(server), *options, "make it pass", columns=160) as terminal:
            terminal.until("started", 60)
            terminal.send("\x11")
            assert terminal.ended() == 130
        with interface(place, *model_of(server), *options, "--resume", columns=160) as terminal:
            terminal.until("make it pass")
            terminal.send("\r")
            terminal.until("Make this commit?", 40)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("committed (exit 0)")
            terminal.send("\x11")
            assert terminal.ended() == 0
    changed = place.git("diff", "--name-only", "HEAD", "selfheal/make-it-pass").split()
    assert changed == [DURATIONS.right.path]


def test_a_set_up_is_approved_by_hand_and_a_guessed_name_refused(tmp_path, engine):
    files = {"greet.py": "import yaml_helper_utils\n", "test_greet.py": "import greet\n"}
    place, before = Workplace(tmp_path, files), set_ups(engine)
    place.run("config", "--add-setup", f"echo {uuid4()} >/opt/mark")
    check = "test -s /opt/mark && python -m pytest -q"
    with ModelServer([]) as server:
        arguments = (*model_of(server), "--check", check, "--no-plan", "--no-review", "try")
        with interface(place, *arguments) as terminal:
            terminal.until("Run this set-up command?", 60)
            terminal.until(">/opt/mark")
            terminal.until("kept for this repository")
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("Run this set-up command?", 60)
            terminal.until("pip install yaml_helper_utils")
            terminal.until("a GUESS")
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_N)
            terminal.until("Why not?")
            terminal.send("nobody knows that name\r")
            terminal.until("approval refused (exit 3)")
            terminal.send("\x11")
            assert terminal.ended() == 3
    events = [from_json(line)[0] for line in place.run("show", "--events").out.splitlines()]
    answers = [event for event in events if isinstance(event, ApprovalAnswered)]
    assert [(one.kind, one.granted, one.by, one.reason) for one in answers] == [
        ("setup", True, "user", ""),
        ("setup", False, "user", "nobody knows that name"),
    ]
    # The approved one is kept as a layer; nothing of the refused one is there, or is kept.
    made = set_ups(engine) - before
    assert len(made) == 1
    assert "yaml_helper_utils" not in place.run("config").out
    assert containers_of(engine, place) == []
    engine.images.remove(made.pop())


def set_ups(engine):
    return {tag for image in engine.images.list("selfheal/setup") for tag in image.tags}
