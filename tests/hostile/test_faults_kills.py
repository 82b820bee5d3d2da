"""SIGKILL at random moments of whole sessions, each followed by `--resume` and the oracle.

`SELFHEAL_KILLS` says how many (a fifth of them with the engine), `SELFHEAL_SEED` from which seed:
each run has moments of its own, and a failure prints the seed that plays it again.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.hostile.faulted import (
    CURRENT,
    DOCKER,
    LOCAL,
    PUSHED,
    finish,
    mending,
    scenes,
    watched,
    whole,
)
from tests.hostile.forking import Forks, heal

KILLS = int(os.environ.get("SELFHEAL_KILLS", "20"))
SEED = int(os.environ.get("SELFHEAL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
HALVES = 2
"""The kills are shared by tests that may run beside each other."""


@pytest.fixture(scope="module")
def forks():
    with Forks() as running:
        yield running


def _killed(forks, folder, seed, count, options, **oracle_options):
    """Kill `count` sessions, take each up; what was wrong, by the number of the kill."""
    chance, wrong, survived = random.Random(seed), {}, 0
    duration = 0.0
    for number, scene in zip(range(-1, count), scenes(folder), strict=False):
        server = mending()
        with server, watched(scene, server, **oracle_options) as oracle:
            asked = chance.choice([PUSHED, CURRENT])
            started = time.monotonic()
            child = forks.start(scene, *heal(server.base_url, *options, *asked))
            if number < 0:
                # The first is left alone: it tells how long one takes.
                assert child.ended().exit_code == 0
                duration = time.monotonic() - started
                continue
            time.sleep(chance.random() * duration)
            child.kill()
            killed = child.ended()
            survived += killed.exit_code < 0
            ran, _ = finish(forks, scene, server, killed, *options, *asked)
            if broken := whole(scene, oracle, ran):
                wrong[f"seed {seed}, kill {number}, {asked[0]}"] = broken
    print(f"seed {seed}: {count} kills, {survived} before the end; a run takes {duration:.2f} s")
    return wrong


@pytest.mark.parametrize("half", range(HALVES))
def test_killed_at_random_moments_sessions_are_taken_up(tmp_path, forks, half):
    count = KILLS * 4 // 5 // HALVES
    assert _killed(forks, tmp_path, SEED + half, count, LOCAL) == {}


@pytest.mark.engine
def test_killed_at_random_moments_nothing_is_left_on_the_engine(
    tmp_path, forks, engine, base_image, monkeypatch
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    wrong = _killed(forks, tmp_path, SEED + HALVES, KILLS // 5, DOCKER, engine=True)
    assert wrong == {}
