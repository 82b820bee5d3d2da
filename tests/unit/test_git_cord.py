"""What a runner has started can be ended from another thread."""

from __future__ import annotations

import signal
import subprocess

import pytest

from selfheal_tui.adapters.git.cord import Cord


def started(script):
    return subprocess.Popen(
        ["sh", "-c", f"{script}; echo ready; while :; do sleep 10; done"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("script", "ended_by"), [("true", signal.SIGTERM), ("trap '' TERM", signal.SIGKILL)]
)
def test_what_runs_is_asked_to_end_then_killed(script, ended_by):
    cord = Cord()
    with started(script) as process, cord.holding(process):
        assert process.stdout.readline() == b"ready\n"
        cord.pull()
        assert process.wait(10) == -ended_by


def test_what_starts_after_it_was_pulled_ends_too():
    cord = Cord()
    cord.pull()
    with started("true") as process, cord.holding(process):
        assert process.wait(10) == -signal.SIGTERM
