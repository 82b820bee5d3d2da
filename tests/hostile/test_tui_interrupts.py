"""Ctrl-C at a real terminal, once and twice, in every stage of a session: once cuts the step within
a second, twice leaves within three, with the terminal as it was and the session to be taken up."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Any

import pytest

from selfheal_tui.ui.app import AGAIN_SECONDS
from tests.hostile.faulted import CURRENT, EDITS, FILES, LOCAL, PUSHED, watched, whole
from tests.hostile.scene import Scene
from tests.hostile.screens import (
    CTRL_C,
    answer,
    at_terminal,
    go_on_without_isolation,
    left,
)
from tests.support.model_server import ModelServer, call, dripped, say, stalled

CUT, LEFT = 1.0, 3.0
"""Seconds that are promised."""

SLACK = 2.0
"""Seconds that a busy machine may add."""

DEAF = "trap '' TERM INT HUP; echo beg''un; while :; do sleep 100; done"
PASSING = "grep -qx b a.txt"
ENDLESS = f"grep -qx b a.txt || exit 1; test ! -e '{{}}' || {{{{ {DEAF}; }}}}"
"""A check that does not end as long as a file is there."""


@dataclass(frozen=True)
class Stage:
    """`first` is what the model does, `drawn` what shows that the stage is reached. `cut` says
    whether there is a step of the agent that can be cut; `asks` is what is approved before."""

    first: Any = EDITS
    drawn: str = "begun"
    cut: bool = False
    asks: tuple[str, ...] = ()
    options: tuple[str, ...] = PUSHED
    local: tuple[str, ...] = LOCAL
    check: str = PASSING


STAGES = {
    "a command that ignores TERM": Stage(call("bash", command=DEAF), cut=True),
    "an answer that streams": Stage(
        dripped(say("flows " + "and on " * 500), 0.02), "flows", cut=True
    ),
    "an answer that stalls": Stage(stalled(say("halts " * 40)), "halts", cut=True),
    "a check that ignores TERM": Stage(check=ENDLESS),
    "the approval of a commit": Stage(drawn="Make this commit?", options=CURRENT),
    "the approval of a push": Stage(drawn="Push this commit?", asks=("Make this commit?",)),
}


def options_of(stage, server):
    return (*stage.local, "--model", "openai/x", "--api-base", server.base_url, *stage.options)


@contextlib.contextmanager
def reached(forks, scene, stage, server):
    """The terminal of a session that has come to this stage."""
    with at_terminal(forks, scene, *options_of(stage, server), "make it pass") as terminal:
        go_on_without_isolation(terminal)
        for question in stage.asks:
            answer(terminal, question)
        terminal.until(stage.drawn)
        yield terminal


def scene_of(folder, stage):
    block = folder / "block"
    block.touch()
    scene = Scene(folder / "scene", FILES | {"check.sh": stage.check.format(block)})
    scene.write("notes.txt", "notes\nmy own words\n")
    return scene


def left_twice(terminal):
    """Ctrl-C twice: how it ended, and in how many seconds after the second."""
    terminal.send(CTRL_C)
    terminal.until("Ctrl-C again")
    began = time.monotonic()
    terminal.send(CTRL_C)
    return terminal.ran(), took(began)


def took(since):
    return time.monotonic() - since


def test_once_cuts_each_step_and_the_next_message_goes_on(tmp_path, screens):
    steps = {name: stage for name, stage in STAGES.items() if stage.cut}
    first = next(iter(steps.values()))
    script, seconds = [stage.first for stage in steps.values()], {}
    scene = scene_of(tmp_path, first)
    with (
        ModelServer(script, forever=EDITS) as server,
        watched(scene, server) as oracle,
        reached(screens, scene, first, server) as terminal,
    ):
        for number, (name, stage) in enumerate(steps.items()):
            if number:
                terminal.until(stage.drawn)
            # A second one within three seconds would leave.
            terminal.read_for(AGAIN_SECONDS + 0.5 if number else 0)
            began = time.monotonic()
            terminal.send(CTRL_C)
            terminal.until("waits for you", CUT + SLACK)
            seconds[name] = round(took(began), 2)
            terminal.send(f"go on {number}\r")
        answer(terminal, "Make this commit?")
        answer(terminal, "Push this commit?")
        terminal.until("(exit 0)")
        ran = left(terminal)
    print(f"cut in {seconds} s")
    assert whole(scene, oracle, ran) == []
    assert all(f"go on {number}" in server.requests[-1].text for number in range(len(steps)))


@pytest.mark.parametrize("name", STAGES)
def test_twice_leaves_in_time_and_the_session_is_taken_up(tmp_path, screens, name):
    stage = STAGES[name]
    scene = scene_of(tmp_path, stage)
    with ModelServer([stage.first], forever=EDITS) as server, watched(scene, server) as oracle:
        with reached(screens, scene, stage, server) as terminal:
            ran, seconds = left_twice(terminal)
        print(f"{name}: left in {seconds:.2f} s")
        assert oracle.broken(ran) == []
        assert (ran.exit_code, terminal.wrong, b"Traceback" in ran.drawn) == (130, [], False)
        assert seconds < LEFT + SLACK
        (tmp_path / "block").unlink()
        again = screens.start(scene, "--yes", *options_of(stage, server), "--continue")
        ran = again.ended(60.0)
    assert whole(scene, oracle, ran) == []


def test_twice_leaves_in_time_while_the_engine_does_not_answer(tmp_path, screens):
    scene = scene_of(tmp_path, STAGES["an answer that stalls"])
    engine = socket.create_server(("127.0.0.1", 0))
    at = f"tcp://127.0.0.1:{engine.getsockname()[1]}"
    with engine, ModelServer([], forever=EDITS) as server, watched(scene, server) as oracle:
        arguments = ("--check", PASSING, "--model", "openai/x", "--api-base", server.base_url)
        with at_terminal(screens, scene, *arguments, "make it pass", DOCKER_HOST=at) as terminal:
            terminal.until("make it pass")
            ran, seconds = left_twice(terminal)
    assert oracle.broken(ran) == []
    assert (terminal.wrong, b"Traceback" in ran.drawn, server.requests) == ([], False, [])
    assert ran.exit_code == 130
    assert seconds < LEFT + SLACK


def test_twice_leaves_in_time_while_the_remote_does_not_answer(tmp_path, screens):
    scene = scene_of(tmp_path, STAGES["an answer that stalls"])
    hook, reached_by = scene.remote / "hooks" / "pre-receive", tmp_path / "reached"
    hook.write_text(f"#!/bin/sh\ntouch '{reached_by}'\nexec sleep 60\n")
    hook.chmod(0o755)
    stage = Stage(asks=("Make this commit?", "Push this commit?"), drawn="push approved")
    with ModelServer([], forever=EDITS) as server, watched(scene, server) as oracle:
        with reached(screens, scene, stage, server) as terminal:
            while not reached_by.exists():
                terminal.rest()
            ran, seconds = left_twice(terminal)
        print(f"left in {seconds:.2f} s")
        assert oracle.broken(ran) == []
        assert (ran.exit_code, terminal.wrong) == (130, [])
        assert seconds < LEFT + SLACK
        hook.unlink()
        again = screens.start(scene, "--yes", *options_of(stage, server), "--continue")
        ran = again.ended(60.0)
    assert whole(scene, oracle, ran) == []
