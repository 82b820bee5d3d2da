"""A commit is taken back while everything that can goes wrong: killed at each moment, each write
refused. What comes of it is told, asking again ends it, and the audit log stays whole."""

from __future__ import annotations

import itertools
import os
import shutil

import pytest

from tests.hostile.chained import chain_of
from tests.hostile.consents import recorded
from tests.hostile.faulted import LOCAL, mending, scenes, watched
from tests.hostile.forking import heal

CODES = ("ENOSPC", "EIO", "EROFS")
MOST = 60


@pytest.fixture(scope="module")
def done(tmp_path_factory, forks):
    """A host with a commit on the current branch, as often as it is asked for."""
    scene = next(scenes(tmp_path_factory.mktemp("undo")))
    scene.before = scene.manifest()
    with mending() as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, "--current-branch"))
    assert ran.exit_code == 0, ran.says
    kept = scene.folder.parent / "kept"
    shutil.copytree(scene.folder, kept, symlinks=True)

    def again():
        shutil.rmtree(scene.folder)
        shutil.copytree(kept, scene.folder, symlinks=True)
        return scene

    return again


def subjects(scene):
    return scene.git("log", "main", "--format=%s").splitlines()


def audited(scene, scratch):
    """The audit log's records that are about undos, as kinds."""
    scratch.mkdir(exist_ok=True)
    recorded(scene.state, scratch)
    chain = chain_of(scene.state, scratch / "database" / "sessions.db")
    assert chain is not None
    assert chain.broken == ""
    kinds = [kind for kind, _ in chain.records]
    return kinds[kinds.index("commit made") + 1 :]


def test_killed_at_any_moment_an_undo_is_ended_by_asking_again(tmp_path, forks, done):
    moments, wrong = [], {}
    for number in itertools.count(1):
        scene = done()
        with watched(scene, None) as oracle:
            spoil = ("tests.hostile.crashing", "die_at", number, "UndoStarted")
            killed, moment = forks.run(scene, "undo", "--yes", spoil=spoil)
            if not moment:
                break
            moments.append(moment)
            ran, _ = forks.run(scene, "undo", "--yes")
            broken = oracle.broken(ran)
        told = "undo made" in audited(scene, tmp_path / str(number))
        if broken or not told or subjects(scene) != ["Start"] or ran.exit_code not in (0, 2):
            wrong[f"{number} {moment}"] = broken, told, subjects(scene), ran.says[-500:]
        if ran.exit_code == 2 and moment != "after Undone" and "nothing to undo" not in ran.says:
            wrong[f"{number} {moment}"] = ran.says
        if scene.git("status", "--porcelain") != "M notes.txt":
            wrong[f"{number} {moment} files"] = scene.git("status", "--porcelain")
        assert number < MOST
    assert killed.exit_code == 0, killed.says
    for deed in ("UndoStarted", "_write", "_delete", "install", "move", "Undone"):
        assert any(deed in moment for moment in moments), moments
    assert wrong == {}


def test_an_undo_whose_write_fails_says_so_and_changes_nothing(tmp_path, forks, done):
    wrong, ends = {}, []
    # In CI every fourth write.
    every = 1 if os.environ.get("SELFHEAL_ALL_FAULTS") else 4
    for number in itertools.count(1, every):
        scene = done()
        before = scene.git("rev-parse", "main"), scene.git("status", "--porcelain")
        code = CODES[number // every % len(CODES)]
        with watched(scene, None) as oracle:
            where = f"{scene.state}:{scene.repository}"
            spoil = ("tests.hostile.crashing", "fail_write", number, code, where)
            ran, place = forks.run(scene, "undo", "--yes", spoil=spoil)
            if not place:
                break
            broken = oracle.broken(ran)
            ends.append(ran.exit_code)
            kinds = audited(scene, tmp_path / str(number))
            is_undone = subjects(scene) == ["Start"]
            if is_undone and ran.exit_code == 70:
                # The record of it was refused, which is what the exit code says.
                broken = [one for one in broken if not one.startswith("10: refs/heads/main is")]
            if ran.exit_code not in (0, 6, 70) or "Traceback" in ran.says:
                broken.append(f"exit {ran.exit_code}: {ran.says[-500:]}")
            now = scene.git("rev-parse", "main"), scene.git("status", "--porcelain")
            if not is_undone and now != before:
                broken.append(f"half undone: {now}")
            if ran.exit_code == 6 and "undo begun" in kinds and kinds[-1] != "no outcome":
                broken.append(f"the audit log does not tell that it failed: {kinds}")
            # What the disk did not take in time is told by asking again.
            again, _ = forks.run(scene, "undo", "--yes")
            if is_undone is False and again.exit_code != 0:
                broken.append(f"asking again ended with {again.exit_code}: {again.says[-500:]}")
            broken += oracle.broken(again)
            if subjects(scene) != ["Start"]:
                broken.append("it is not undone in the end")
        if broken:
            wrong[f"{number} {code} {place}"] = broken
        assert number < MOST
    print(f"{len(ends)} writes failed, ends {sorted(set(ends))}")
    assert 6 in ends
    assert wrong == {}
