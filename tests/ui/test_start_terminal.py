"""The first start in a real terminal, where something is missing; none of it is needed here."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from tests.support.headless import Workplace
from tests.support.terminal import RESTORED, Terminal

ESCAPE, CTRL_Q, CTRL_Y = "\x1b", "\x11", "\x19"
FILES = {"Makefile": "test:\n\ttrue\n"}


@contextmanager
def interface(place, *arguments, folder=None, **environment):
    argv = [sys.executable, "-m", "selfheal_tui", *arguments]
    env = place._environment() | {"TERM": "xterm-256color"} | environment
    terminal = Terminal(argv, cwd=folder or place.repository, env=env, columns=110, lines=60)
    try:
        yield terminal
    finally:
        terminal.close()


def test_a_first_start_without_a_key_and_an_engine_leads_by_the_hand(tmp_path):
    place = Workplace(tmp_path, FILES)
    nowhere = f"unix://{tmp_path}/none.sock"
    with interface(place, DOCKER_HOST=nowhere) as terminal:
        terminal.send("mend it\r")
        terminal.until("A model is missing")
        terminal.until("export ANTHROPIC_API_KEY=...")
        terminal.until("A container engine is missing")
        terminal.until("selfheal demo")
        terminal.send(CTRL_Q)
        assert terminal.ended() == 0
        assert RESTORED in terminal.drawn
    # A task that could not begin is no session.
    assert place.run("sessions", "--json").out == ""


def test_without_isolation_escape_leaves_with_the_code_of_a_refused_approval(tmp_path):
    place = Workplace(tmp_path, FILES)
    with interface(place, "--sandbox", "local") as terminal:
        terminal.until("Ctrl+Y goes on without isolation")
        terminal.send(ESCAPE)
        assert terminal.ended() == 3


def test_without_isolation_ctrl_y_goes_on(tmp_path):
    place = Workplace(tmp_path, FILES)
    with interface(place, "--sandbox", "local") as terminal:
        terminal.until("Ctrl+Y goes on without isolation")
        terminal.send(CTRL_Y)
        terminal.until("none: commands run on this machine as you, with no isolation")
        terminal.send(CTRL_Q)
        assert terminal.ended() == 0


def test_a_folder_without_a_repository_is_told_before_anything_is_drawn(tmp_path):
    place = Workplace(tmp_path, FILES)
    empty = tmp_path / "empty"
    empty.mkdir()
    with interface(place, folder=empty) as terminal:
        assert terminal.ended() == 6
        assert "is not inside a git repository: run `git init` there first" in terminal.drawn
        assert RESTORED not in terminal.drawn
