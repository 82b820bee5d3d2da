"""The user goes on working while a headless run commits to the branch that is checked out: at each
moment from its consent to the end, once. What was approved is done, or it is refused; nothing of
the user's is overwritten, and nothing is half done."""

from __future__ import annotations

import pytest

from tests.hostile.faulted import CURRENT, LOCAL, mending, scenes, watched
from tests.hostile.forking import heal
from tests.hostile.meddling import MEDDLINGS, MINE

EFFECTS = {
    "the record": ("CommitStarted", 1),
    "the objects": ("_hand_over", 1),
    "the file that goes": ("_delete", 1),
    "the file that changes": ("_write", 1),
    "the file that comes": ("_write", 2),
    "the index": ("install", 1),
    "the branch": ("move", 1),
    "the second record": ("Committed", 1),
    "the push": ("_send", 1),
}
MOMENTS = {
    "edits a file of the change": tuple(EFFECTS)[1:],
    "edits the file that is to go": ("the objects", "the file that goes"),
    "makes the file that is to come": ("the objects", "the file that comes"),
    "commits on the branch": ("the objects", "the file that goes", "the push"),
    "leaves the branch": ("the objects", "the file that goes", "the push"),
    "begins a merge": ("the record", "the objects"),
}
"""Before which effects; where a lock keeps the user out by then, their command fails."""


def wrong_after(scene, oracle, ran, meddling, *, done):
    """Whatever is not as it must be. `done`: what the user wanted to do, they did."""
    wrong = oracle.broken(ran)
    if ran.exit_code not in (0, 6):
        wrong.append(f"exit {ran.exit_code}: {ran.says[-400:]}")
    if done and not meddling.kept(scene):
        wrong.append("what the user did is gone")
    commits = scene.git("log", "--all", "--format=%s").splitlines().count("Mend it")
    if commits > 1 or (ran.exit_code == 0 and commits != 1):
        wrong.append(f"{commits} commits of the change, exit {ran.exit_code}")
    if (scene.repository / "notes.txt").read_text() != "notes\nmy own words\n":
        wrong.append("the user's earlier edit is lost")
    return wrong if commits else wrong + half_done(scene, meddling)


def half_done(scene, meddling):
    """Which files have the change though there is no commit."""
    files = {"a.txt": "a\n", "d/old.txt": "old\n", "n/new.txt": None}
    disk = {path: (scene.repository / path) for path in files if path not in meddling.touches}
    found = {path: file.read_text() if file.exists() else None for path, file in disk.items()}
    return [f"half done: {path}" for path, text in found.items() if text != files[path]]


@pytest.mark.parametrize("name", MOMENTS)
def test_the_user_meddles_at_any_moment_and_nothing_of_theirs_is_lost(tmp_path, forks, name):
    meddling = MEDDLINGS[name]
    codes, wrong = {}, {}
    for moment, scene in zip(MOMENTS[name], scenes(tmp_path), strict=False):
        server = mending()
        with server, watched(scene, server, allowed=meddling.paths(scene), mine=MINE) as oracle:
            command = f"cd '{scene.repository}' && {meddling.command}"
            spoil = ("tests.hostile.crashing", "meddle_before", *EFFECTS[moment], command)
            ran, did = forks.run(scene, *heal(server.base_url, *LOCAL, *CURRENT), spoil=spoil)
            codes[moment] = (ran.exit_code, did)
            if broken := wrong_after(scene, oracle, ran, meddling, done=did == "0"):
                wrong[moment] = broken
    print(f"{name}: exit code, and that of the user's command, by moment: {codes}")
    assert wrong == {}
    if name == "begins a merge":
        assert {code for code, _ in codes.values()} == {6}
    assert all(did for _, did in codes.values())
