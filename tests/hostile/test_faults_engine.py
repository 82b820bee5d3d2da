"""The engine refuses, cuts, answers an error or late, restarts, or goes, at the n-th call, for
every n until none fires: each session ends with a defined code, the truth, and nothing left.

By default the faults take turns from call to call; with SELFHEAL_ALL_FAULTS=1 each is played at
every call.
"""

from __future__ import annotations

import itertools
import os
import resource

import pytest

from tests.hostile.engine_proxy import FAULTS, EngineProxy
from tests.hostile.faulted import DOCKER, mending, scenes, watched
from tests.hostile.forking import Forks, heal

pytestmark = pytest.mark.engine
ENDS = {0, 1, 4}
"""Done, not healed, no sandbox."""

MOST = 150
LONGEST = 60.0
"""Seconds of a session with a fault in it."""

MEMORY = 600 * 1024
"""KiB that a session may need at most, its libraries with it."""


@pytest.fixture(scope="module")
def forks():
    with Forks() as running:
        yield running


@pytest.fixture(autouse=True)
def _base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def _turns():
    """What is played: for each series its faults in turn."""
    if os.environ.get("SELFHEAL_ALL_FAULTS"):
        return {fault: (fault,) for fault in FAULTS}
    return {"in turn": FAULTS}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("series", _turns())
def test_a_fault_of_the_engine_at_any_call_ends_with_the_truth(tmp_path, forks, series):
    faults, wrong, ends = _turns()[series], {}, {}
    others = _peak()
    for number, scene in zip(itertools.count(1), scenes(tmp_path), strict=False):
        fault, server = faults[number % len(faults)], mending()
        proxy = EngineProxy(scene.temporary, fault, number)
        before = scene.manifest()
        allowed = [scene.temporary / "engine.sock"]
        with server, proxy, watched(scene, server, engine=True, allowed=allowed) as oracle:
            line = heal(server.base_url, *DOCKER)
            child = forks.start(scene, *line, DOCKER_HOST=proxy.host)
            proxy.owner = child.pid
            ran = child.ended(LONGEST)
        if not proxy.fired:
            break
        name = f"{fault} at call {number}, {proxy.fired}"
        ends.setdefault(ran.exit_code, []).append(name)
        broken = oracle.broken(ran)
        if ran.exit_code not in ENDS:
            broken.append(f"exit {ran.exit_code}: {ran.says[-800:]}")
        if fault == "delay" and ran.exit_code != 0:
            broken.append(f"a late answer ended it with {ran.exit_code}: {ran.says[-800:]}")
        if ran.exit_code != 0 and scene.manifest() != before:
            broken.append("the repository changed though the run did not end with 0")
        if broken:
            wrong[name] = broken
    counts = {code: len(names) for code, names in ends.items()}
    print(f"{number - 1} faults at as many calls; ends: {counts}")
    assert number < MOST
    assert ran.exit_code == 0, ran.says
    assert wrong == {}
    # Tests before may have had larger programs.
    assert _peak() < max(MEMORY, others + 1)


def _peak():
    """KiB of the largest program that the tests have ended so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
