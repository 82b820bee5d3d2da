"""The engine refuses, cuts, answers an error or late, restarts, or goes, at the n-th call, for
every n until none fires: each session ends with a defined code, the truth, and nothing left; what
ended without a sandbox is taken up and ends well.

Each fault is played at every call. `SELFHEAL_FAULTS` names the faults to be played, if not all.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.hostile.engine_proxy import FAULTS, EngineProxy
from tests.hostile.faulted import DOCKER, PUSHED, mending, scenes, watched, whole
from tests.hostile.forking import Forks, heal
from tests.hostile.oracle import Oracle
from tests.hostile.scene import Ran, Scene
from tests.hostile.side import seen_secrets, side_by_side
from tests.hostile.watching import Watch
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.engine
PLAYED = tuple(os.environ.get("SELFHEAL_FAULTS", " ".join(FAULTS)).split())
ENDS = {0, 1, 4}
"""Done, not healed, no sandbox."""

MOST = 150
LONGEST = 90.0
"""Seconds of a session with a fault in it, while others run beside it."""

MEMORY = 600 * 1024
"""KiB that a session may need at most, its libraries with it."""

WORKERS = 4


@dataclass(frozen=True)
class Played:
    """What a fault at one call came to. `at` is empty where there was no such call any more;
    `seconds` are those of the session, `peak` is its memory (KiB)."""

    fault: str
    number: int
    at: str
    exit_code: int
    seconds: float
    peak: int
    broken: list[str]
    resumed: bool


class Series:
    """Plays faults in fresh scenes, beside each other, with one watch."""

    def __init__(self, forks: Forks, hosts: Iterator[Scene], watch: Watch) -> None:
        self._forks = forks
        self._hosts = hosts
        self._watch = watch
        self._over: set[str] = set()

    def all(self, faults: tuple[str, ...]) -> Iterator[tuple[str, int, Scene]]:
        """Every fault at every call, until there is no such call."""
        for number in range(1, MOST):
            for fault in faults:
                if fault not in self._over:
                    yield fault, number, next(self._hosts)
            if self._over >= set(faults):
                return

    def play(self, what: tuple[str, int, Scene]) -> Played:
        fault, number, scene = what
        server, proxy = mending(), EngineProxy(scene.temporary, fault, number)
        before = scene.manifest()
        allowed = [scene.temporary / "engine.sock"]
        with server, watched(scene, server, allowed=allowed, watch=self._watch) as oracle:
            started = time.monotonic()
            with proxy:
                line = heal(server.base_url, *DOCKER, *PUSHED)
                child = self._forks.start(scene, *line, DOCKER_HOST=proxy.host)
                proxy.owner = child.pid
                ran = child.ended(LONGEST)
            seconds = time.monotonic() - started
            broken = oracle.broken(ran)
            if not proxy.fired:
                self._over.add(fault)
            elif ran.exit_code != 0 and scene.manifest() != before:
                broken.append("the repository changed though the run did not end with 0")
            if resumes := ran.exit_code == 4:
                broken += self._taken_up(scene, server, oracle, ran)
        return Played(
            fault, number, proxy.fired, ran.exit_code, seconds, child.peak,
            [*broken, *_untrue(fault, ran)], resumes,
        )  # fmt: skip

    def _taken_up(
        self, scene: Scene, server: ModelServer, oracle: Oracle, ran: Ran
    ) -> Iterator[str]:
        """What is wrong after `--resume` with an engine that works again."""
        session = ran.result.get("session")
        line = heal(server.base_url, *DOCKER, *PUSHED)
        again = (*line[:-1], "--resume", session) if session else line
        taken_up, _ = self._forks.run(scene, *again)
        return (f"taken up: {sentence}" for sentence in whole(scene, oracle, taken_up))


def _untrue(fault: str, ran: Ran) -> Iterator[str]:
    if ran.exit_code not in ENDS:
        yield f"exit {ran.exit_code}: {ran.says[-800:]}"
    if fault == "delay" and ran.exit_code != 0:
        yield f"a late answer ended it with {ran.exit_code}: {ran.says[-800:]}"


@pytest.mark.timeout(900)
def test_a_fault_of_the_engine_at_any_call_ends_with_the_truth_and_can_be_taken_up(
    tmp_path, forks, engine, base_image, monkeypatch
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    hosts = scenes(tmp_path)
    with Watch(engine=True) as watch:
        series = Series(forks, hosts, watch)
        # The first is left alone: what it loads, the next ones have.
        alone = series.play(("", 0, next(hosts)))
        played = side_by_side(series.play, series.all(PLAYED), WORKERS)
    _tell(played)
    fired = [one for one in played if one.at]
    assert (alone.exit_code, alone.broken) == (0, [])
    assert {one.fault: one.exit_code for one in played if not one.at} == dict.fromkeys(PLAYED, 0)
    wrong = {f"{one.fault} at call {one.number}, {one.at}": one.broken for one in fired}
    assert {name: broken for name, broken in wrong.items() if broken} == {}
    assert seen_secrets(watch) == []
    assert max(one.peak for one in played) < MEMORY


def _tell(played: list[Played]) -> None:
    """What was played, for the log."""
    for fault, ones in itertools.groupby(
        sorted(played, key=lambda one: PLAYED.index(one.fault)), lambda one: one.fault
    ):
        fired = [one for one in ones if one.at]
        ends = dict(sorted(Counter(one.exit_code for one in fired).items()))
        longest = max(fired, key=lambda one: one.seconds, default=None)
        print(f"{fault}: {len(fired)} faults, ends {ends}", end="")
        print(f", the longest {longest.seconds:.1f} s at {longest.at[:60]}" if longest else "")
    print(f"{sum(one.resumed for one in played)} taken up")
