"""The interface in a real terminal is killed, told to end, or loses its terminal, in each stage of
a session. Nothing is left, the user's work is untouched, and the session is taken up."""

from __future__ import annotations

import signal
import time

import pytest

from tests.hostile.faulted import CURRENT, EDITS, LOCAL, PUSHED, scenes, watched, whole
from tests.hostile.scene import Ran
from tests.hostile.screens import answer, at_terminal, go_on_without_isolation, left
from tests.support.model_server import ModelServer, call, say, stalled

IN_TIME = 5.0
SLACK = 2.0
COMMIT, PUSH = "Make this commit?", "Push this commit?"
STAGES = {
    "the model answers": (stalled(say("halts " * 40)), "halts", (), PUSHED),
    "a command runs": (call("bash", command="echo beg''un; sleep 100"), "begun", (), CURRENT),
    "the commit is asked for": (EDITS, COMMIT, (), CURRENT),
    "the push is asked for": (EDITS, PUSH, (COMMIT,), CURRENT),
}
ENDINGS = {
    "the model answers": signal.SIGKILL,
    "a command runs": signal.SIGHUP,
    "the commit is asked for": signal.SIGTERM,
    "the push is asked for": signal.SIGKILL,
}
"""With a signal; SIGHUP is sent by closing the terminal."""


def ended_by(terminal, number):
    """How it ended, and in how many seconds."""
    began = time.monotonic()
    if number == signal.SIGHUP:
        # What was read last may be the first half of a sequence.
        drawn = bytes(terminal.raw).rpartition(b"\x1b")[0]
        return Ran(terminal.hang_up(), drawn=drawn), time.monotonic() - began
    return terminal.kill(number), time.monotonic() - began


@pytest.mark.parametrize("name", STAGES)
def test_it_is_taken_up_headless(tmp_path, screens, name):
    first, drawn, asked, options = STAGES[name]
    number, scene = ENDINGS[name], next(scenes(tmp_path))
    with ModelServer([first], forever=EDITS) as server, watched(scene, server) as oracle:
        options = (*LOCAL, "--model", "openai/x", "--api-base", server.base_url, *options)
        with at_terminal(screens, scene, *options, "make it pass") as terminal:
            go_on_without_isolation(terminal)
            for question in asked:
                answer(terminal, question)
            terminal.until(drawn)
            ran, seconds = ended_by(terminal, number)
        assert oracle.broken(ran if number != signal.SIGKILL else None) == []
        if number != signal.SIGKILL:
            assert (ran.exit_code, seconds < IN_TIME + SLACK) == (128 + number, True)
        ran = screens.start(scene, "--yes", *options, "--continue").ended(60.0)
    print(f"{name}: ended in {seconds:.2f} s")
    assert whole(scene, oracle, ran) == []


def test_it_is_taken_up_at_the_terminal_after_a_kill(tmp_path, screens):
    scene = next(scenes(tmp_path))
    with ModelServer([EDITS]) as server, watched(scene, server) as oracle:
        options = (*LOCAL, "--model", "openai/x", "--api-base", server.base_url, *CURRENT)
        with at_terminal(screens, scene, *options, "make it pass") as terminal:
            go_on_without_isolation(terminal)
            terminal.until(COMMIT)
            ended_by(terminal, signal.SIGKILL)
        assert oracle.broken() == []
        with at_terminal(screens, scene, *options, "--continue") as terminal:
            go_on_without_isolation(terminal)
            answer(terminal, COMMIT)
            answer(terminal, PUSH)
            terminal.until("pushed (exit 0)")
            ran = left(terminal)
    assert whole(scene, oracle, ran) == []
    assert terminal.wrong == []
