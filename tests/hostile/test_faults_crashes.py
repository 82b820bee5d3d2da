"""A run is killed before and after everything it does that lasts, from its commit on, at each such
moment once; then it is taken up, and all that was asked must be done exactly once."""

from __future__ import annotations

import itertools

import pytest

from tests.hostile.faulted import CURRENT, LOCAL, PUSHED, finish, mending, scenes, watched, whole
from tests.hostile.forking import heal

MOST = 60
"""Moments of one session at most: more would mean that it does not end."""

GOALS = {"a new branch and a push": PUSHED, "the current branch and a push": CURRENT}


@pytest.mark.parametrize("goal", GOALS)
def test_killed_at_any_moment_of_its_commit_a_run_is_taken_up(tmp_path, forks, goal):
    options = (*LOCAL, *GOALS[goal])
    moments, wrong = [], {}
    for number, scene in zip(itertools.count(1), scenes(tmp_path), strict=False):
        server = mending()
        with server, watched(scene, server) as oracle:
            spoil = ("tests.hostile.crashing", "die_at", number, "CommitStarted")
            killed, moment = forks.run(scene, *heal(server.base_url, *options), spoil=spoil)
            if not moment:
                break
            moments.append(moment)
            ran, _ = finish(forks, scene, server, killed, *options)
            if broken := whole(scene, oracle, ran):
                wrong[f"{number} {moment}"] = broken
        assert number < MOST
    print(f"{len(moments)} moments: {', '.join(moments)}")
    assert killed.exit_code == 0
    assert wrong == {}
    # Each kind of deed was among them.
    for deed in ("_hand_over", "move", "_send", "Committed", "Pushed"):
        assert any(deed in moment for moment in moments), moments
