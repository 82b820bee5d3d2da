"""The disk refuses the n-th write (full, broken, read-only, over quota), for every n until none
fires: a clear error, exit 70 or 6, nothing half written, and a run that can be made again."""

from __future__ import annotations

import itertools
import os

import pytest

from tests.hostile.faulted import CURRENT, LOCAL, PUSHED, mending, scenes, watched, whole
from tests.hostile.forking import heal

CODES = ("ENOSPC", "EIO", "EROFS", "EDQUOT")
MOST = 150
ENDS = {0, 4, 6, 70}
"""Done in spite of it, no private copy, the repository refuses, the state folder does."""


@pytest.mark.parametrize("goal", [PUSHED, CURRENT], ids=["a new branch", "the current branch"])
def test_a_write_that_fails_ends_with_a_clear_error(tmp_path, forks, goal):
    wrong, ends = {}, {}
    # In CI every second write of each goal: both together meet all of them.
    every = 1 if os.environ.get("SELFHEAL_ALL_FAULTS") else 2
    first = 1 + (goal is CURRENT) if every == 2 else 1
    for number, scene in zip(itertools.count(first, every), scenes(tmp_path), strict=False):
        code, server = CODES[number // every % len(CODES)], mending()
        before = scene.manifest()
        with server, watched(scene, server) as oracle:
            where = f"{scene.state}:{scene.out}:{scene.repository}"
            spoil = ("tests.hostile.crashing", "fail_write", number, code, where)
            options = (*LOCAL, *goal, "--output-dir", str(scene.out))
            ran, place = forks.run(scene, *heal(server.base_url, *options), spoil=spoil)
            if not place:
                break
            name = f"{code} at write {number}, {place}"
            ends.setdefault(ran.exit_code, []).append(name)
            broken = oracle.broken(ran)
            if ran.exit_code not in ENDS or "Traceback" in ran.says:
                broken.append(f"exit {ran.exit_code}: {ran.says[-900:]}")
            committed = "Mend it" in scene.git("log", "--all", "--format=%s")
            if ran.exit_code != 0 and not committed and _files(scene.manifest()) != _files(before):
                broken.append("something is half written")
            if broken:
                wrong[name] = broken
    counts = {code: len(names) for code, names in ends.items()}
    print(f"{sum(counts.values())} writes failed; ends: {counts}")
    assert number < MOST
    assert whole(scene, oracle, ran) == []
    assert wrong == {}


def _files(manifest):
    """The files of the working tree, the index and the refs; objects nobody refers to are none."""
    return {path: what for path, what in manifest.items() if "objects/" not in path}
