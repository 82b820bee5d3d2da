"""SIGKILL at random moments of whole sessions, each followed by `--resume` and the oracle.

`SELFHEAL_KILLS` says how many (a fifth of them with the engine), `SELFHEAL_SEED` from which seed:
each run has moments of its own, and a failure prints the seed that plays it again.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.faulted import (
    CURRENT,
    DOCKER,
    LOCAL,
    PUSHED,
    mending,
    scenes,
    taken_up,
    watched,
    whole,
)
from tests.hostile.forking import Forks, heal
from tests.hostile.scene import Scene
from tests.hostile.side import seen_secrets, side_by_side
from tests.hostile.watching import Watch

KILLS = int(os.environ.get("SELFHEAL_KILLS", "200"))
SEED = int(os.environ.get("SELFHEAL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
WORKERS = 3

AT_START, IN_COMMIT = 0.2, 0.5
"""The part of the kills in the first start, and in the commit with its push. Both are short: at
moments of the whole run few would fall into them."""

AGAIN = 1 / 3
"""How many of the runs that take up are killed as well."""

START_SECONDS = 0.3

STRETCH = 1.2
"""How much longer a run may take beside others. Some of the kills come too late therefore."""


@dataclass(frozen=True)
class Plan:
    """One kill: so many seconds after `event` (empty: after the start), and for a second kill so
    many after the start of the run that takes it up."""

    number: int
    goal: tuple[str, ...]
    event: str
    seconds: float
    again: float | None


@dataclass(frozen=True)
class Killed:
    """What a plan came to. `kills` are the runs that were killed before their end."""

    plan: Plan
    kills: int
    broken: list[str]


class Kills:
    """Kills runs of one kind, and has them taken up. `options` say which sandbox they have."""

    def __init__(self, forks: Forks, hosts: Iterator[Scene], watch: Watch, *options: str) -> None:
        self._forks = forks
        self._hosts = hosts
        self._watch = watch
        self._options = options

    def lengths(self) -> tuple[float, float]:
        """Seconds that a whole run takes at most, and its commit and push."""
        spoil = ("tests.hostile.crashing", "die_within", "CommitStarted", 60.0)
        # What the first one loads the others have at hand: it tells nothing.
        for more in ({}, {"spoil": spoil}):
            with mending() as server:
                line = heal(server.base_url, *self._options, *PUSHED)
                started = time.monotonic()
                ran, said = self._forks.run(next(self._hosts), *line, **more)
                ended = time.monotonic()
            assert ran.exit_code == 0, ran.says
        return (ended - started) * STRETCH, (ended - float(said.split()[1])) * STRETCH

    def play(self, what: tuple[Plan, Scene]) -> Killed:
        plan, scene = what
        engine = self._options == DOCKER
        with (
            mending() as server,
            watched(scene, server, engine=engine, watch=self._watch) as oracle,
        ):
            line, kills = heal(server.base_url, *self._options, *plan.goal), 0
            for event, seconds in [(plan.event, plan.seconds), ("", plan.again)]:
                if seconds is None or not line:
                    continue
                spoil = ("tests.hostile.crashing", "die_within", event, seconds)
                ran, _ = self._forks.run(scene, *line, spoil=spoil)
                kills += ran.exit_code < 0
                line = taken_up(scene, server, ran, *self._options, *plan.goal)
            if line:
                ran, _ = self._forks.run(scene, *line)
            return Killed(plan, kills, whole(scene, oracle, ran))


def _plans(seed: int, count: int, whole_run: float, commit: float) -> list[Plan]:
    chance, plans = random.Random(seed), []
    for number in range(count):
        where = number / count
        if where < AT_START:
            event, length = "", START_SECONDS
        elif where < AT_START + IN_COMMIT:
            event, length = "CommitStarted", commit
        else:
            event, length = "", whole_run
        again = chance.random() * whole_run / 2 if chance.random() < AGAIN else None
        goal = chance.choice([PUSHED, CURRENT])
        plans.append(Plan(number, goal, event, chance.random() * length, again))
    return plans


def _killed(forks: Forks, folder: Path, seed: int, count: int, options: tuple[str, ...]) -> Any:
    """Kill `count` sessions, take each up; what was wrong, by the plan of the kill."""
    with Watch(engine=options == DOCKER) as watch:
        hosts = scenes(folder)
        kills = Kills(forks, hosts, watch, *options)
        lengths = kills.lengths()
        plans = _plans(seed, count, *lengths)
        played = side_by_side(kills.play, zip(plans, hosts, strict=False), WORKERS)
    spread = Counter(one.kills for one in played)
    print(f"seed {seed}: {count} sessions, killed {dict(spread)} times; whole {lengths[0]:.2f} s,")
    print(f"its commit {lengths[1]:.2f} s; {sum(one.kills for one in played)} kills in all")
    wrong = {f"seed {seed}: {one.plan}": one.broken for one in played if one.broken}
    return wrong, seen_secrets(watch)


def test_killed_at_random_moments_sessions_are_taken_up(tmp_path, forks):
    assert _killed(forks, tmp_path, SEED, KILLS * 4 // 5, LOCAL) == ({}, [])


@pytest.mark.engine
def test_killed_at_random_moments_nothing_is_left_on_the_engine(
    tmp_path, forks, engine, base_image, monkeypatch
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    assert _killed(forks, tmp_path, SEED + 1, KILLS // 5, DOCKER) == ({}, [])
