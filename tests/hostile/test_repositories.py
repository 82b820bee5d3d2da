"""Every trap that a repository can hold, taken through snapshot, diff, commit, update of the
working tree, undo and push; the oracle judges each."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.hostile.deeds import DONE, Deeds
from tests.hostile.oracle import Oracle
from tests.hostile.redirections import REDIRECTIONS
from tests.hostile.repositories import FILES, PROGRAMS
from tests.hostile.scene import Scene, marks

TRAPS = PROGRAMS | REDIRECTIONS


@pytest.mark.parametrize("name", TRAPS)
async def test_nothing_runs_and_nothing_goes_elsewhere(tmp_path, monkeypatch, name):
    trap = TRAPS[name]
    if name == "another owner" and os.getuid():
        pytest.skip("only root can give files away")
    scene = Scene(tmp_path / "scene", FILES)
    environment = trap.plant(scene) or {}
    monkeypatch.chdir(scene.repository)
    with Oracle(scene, engine=False, patience=1.0) as oracle:
        deeds = Deeds(scene, oracle, environment)
        await deeds.all(trap.start, trap.remote)
    assert oracle.broken() == []
    if trap.refused:
        assert any(trap.refused in sentence for sentence in deeds.refused), deeds.refused
    else:
        assert (deeds.done, deeds.refused) == (DONE, [])
    for spring in trap.springs:
        _spring(scene, spring)
    assert bool(marks(scene.ran)) == bool(trap.springs), "the trap was not armed"


def _spring(scene, spring):
    feed = spring[0][1:] if spring[0].startswith("<") else ""
    arguments = spring[1:] if feed else spring
    subprocess.run(
        ["git", *arguments],
        cwd=scene.repository,
        env={"PATH": os.environ["PATH"], "HOME": str(scene.home), "GIT_TERMINAL_PROMPT": "0"}
        | {"GIT_PAGER": "cat"},
        input=feed.encode(),
        capture_output=True,
        check=False,
        timeout=20,
    )
