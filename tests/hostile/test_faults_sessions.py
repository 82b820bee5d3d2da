"""Faults around a session: two at once, the user beside it, locks of others, a damaged database, a
model that deletes everything, and the interrupt key."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from tests.hostile.faulted import (
    CURRENT,
    EDITS,
    FILES,
    LOCAL,
    PUSHED,
    mending,
    scenes,
    watched,
    whole,
)
from tests.hostile.forking import heal
from tests.hostile.scene import Scene
from tests.support.model_server import ModelServer, call, calls, submit

DAMAGES = {
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:1000]),
    "overwritten": lambda file: file.write_bytes(b"not a database at all" * 400),
    "of another version": lambda file: _set_version(file),
    "of somebody else": lambda file: _of_somebody_else(file),
}


def _at_once(forks, folder, options):
    """Two sessions that have both proposed before one of them may commit; how they ended."""
    scene, meeting = next(scenes(folder)), threading.Barrier(2, timeout=60)

    def together(body):
        meeting.wait()
        return EDITS

    server = ModelServer([], forever=together)
    with server, watched(scene, server) as oracle:
        children = [forks.start(scene, *heal(server.base_url, *options)) for _ in range(2)]
        ended = [child.ended() for child in children]
    return scene, oracle, ended


def test_two_sessions_at_once_both_win_on_their_own_branches(tmp_path, forks):
    scene, oracle, ended = _at_once(forks, tmp_path, LOCAL)
    assert [ran.exit_code for ran in ended] == [0, 0], [ran.says for ran in ended]
    refs = sorted(ran.result["ref"] for ran in ended)
    assert refs == [f"refs/heads/selfheal/make-the-tests-pass{n}" for n in ("", "-2")]
    commits = [scene.git("rev-parse", ran.result["ref"]) for ran in ended]
    assert commits == [ran.result["commit"] for ran in ended]
    assert oracle.broken(ended[0]) == []


def test_two_sessions_on_one_branch_are_decided_by_compare_and_swap(tmp_path, forks):
    scene, oracle, ended = _at_once(forks, tmp_path, (*LOCAL, "--current-branch"))
    winner, loser = sorted(ended, key=lambda ran: ran.exit_code)
    assert (winner.exit_code, loser.exit_code) == (0, 6), [ran.says for ran in ended]
    # Which of the two told its end last is chance: no run is named to the oracle.
    assert oracle.broken() == []
    assert scene.git("rev-parse", "main") == winner.result["commit"]


def test_a_branch_that_moves_before_the_commit_stops_it_and_nothing_is_lost(tmp_path, forks):
    scene = next(scenes(tmp_path))

    def commits_first(body):
        scene.git("commit", "-q", "--allow-empty", "-m", "The user was first")
        return EDITS

    with ModelServer([commits_first]) as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, *CURRENT))
    assert ran.exit_code == 6, ran.says
    assert scene.git("log", "-1", "--format=%s") == "The user was first"
    assert (scene.repository / "a.txt").read_text() == "a\n"


def test_an_edit_of_the_user_in_a_file_of_the_change_is_never_overwritten(tmp_path, forks):
    scene = next(scenes(tmp_path))

    def edits_too(body):
        scene.write("a.txt", "the user's own\n")
        return EDITS

    with ModelServer([edits_too], forever=submit("I leave it.")) as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, *CURRENT, "--attempts", "1"))
    assert ran.exit_code in {1, 6}, ran.says
    assert (scene.repository / "a.txt").read_text() == "the user's own\n"
    assert scene.git("log", "-1", "--format=%s") == "Start"


LOCKS = {"index.lock": CURRENT, "refs/heads/main.lock": CURRENT}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_of_somebody_else_is_waited_for_and_never_removed(tmp_path, forks, lock):
    scene, server = next(scenes(tmp_path)), mending()
    held = scene.git_dir / lock
    held.write_text("")
    before = scene.manifest()
    with server:
        started = time.monotonic()
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, *LOCKS[lock]))
        assert ran.exit_code == 6, ran.says
        assert time.monotonic() - started >= 10
        assert held.exists()
        after = {path: what for path, what in scene.manifest().items() if "objects/" not in path}
        assert after == {path: what for path, what in before.items() if "objects/" not in path}
        assert ".lock" in ran.result["text"]
        held.unlink()
        line = heal(server.base_url, *LOCAL, *LOCKS[lock], "--resume", ran.result["session"])
        again, _ = forks.run(scene, *line[:-1])
    assert again.exit_code == 0, again.says
    assert scene.git("log", "--all", "--format=%s").splitlines().count("Mend it") == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_put_away_and_said(tmp_path, forks, damage):
    scene = next(scenes(tmp_path))
    scene.state.mkdir(mode=0o700)
    file = scene.state / "sessions.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript("CREATE TABLE sessions (x); PRAGMA user_version = 1;")
    DAMAGES[damage](file)
    content = file.read_bytes()
    with mending() as server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert ran.exit_code == 0, ran.says
    (kept,) = scene.state.glob("sessions.db.damaged-*")
    # SQLite itself writes a byte or two of the header where it opens what is a database.
    assert kept.read_bytes()[100:] == content[100:]
    assert kept.name in ran.says


def _set_version(file):
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")


def _of_somebody_else(file):
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 0")


def test_deleting_almost_everything_is_not_approved_by_yes(tmp_path, forks):
    scene = Scene(tmp_path / "scene", FILES | {f"lib/{n}.txt": "x\n" for n in range(30)})
    before, wipe = scene.manifest(), "echo b > a.txt; rm -rf lib; git reset --hard; rm -rf .git"
    script = [calls(call("bash", command=wipe), submit("Cleaned.", "Mend it"))]
    server = ModelServer(script)
    with server, watched(scene, server) as oracle:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL))
    assert ran.exit_code == 3, ran.says
    assert "MASS DELETION: 30 of 34 files are deleted" in ran.result["text"]
    assert scene.manifest() == before
    assert oracle.broken(ran) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_saves_and_ends_and_what_was_done_is_taken_up(tmp_path, forks, number):
    scene = next(scenes(tmp_path))
    server = ModelServer([call("bash", command="trap '' INT TERM; sleep 60")], forever=EDITS)
    with server, watched(scene, server) as oracle:
        child = forks.start(scene, *heal(server.base_url, *LOCAL, *PUSHED))
        assert server.received.wait(60)
        time.sleep(0.5)
        asked = time.monotonic()
        child.kill(number)
        ran = child.ended()
        seconds = time.monotonic() - asked
        assert ran.exit_code == 128 + number, ran.says
        assert oracle.broken(ran) == []
        line = heal(server.base_url, *LOCAL, *PUSHED, "--resume", ran.result["session"])
        again, _ = forks.run(scene, *line[:-1])
        assert whole(scene, oracle, again) == []
    assert seconds < 5


def test_a_second_interrupt_ends_at_once(tmp_path, forks):
    scene = next(scenes(tmp_path))
    server = ModelServer([call("bash", command="trap '' INT TERM; sleep 60")], forever=EDITS)
    with server, watched(scene, server) as oracle:
        child = forks.start(scene, *heal(server.base_url, *LOCAL))
        assert server.received.wait(60)
        time.sleep(0.5)
        child.kill(signal.SIGINT)
        time.sleep(0.05)
        child.kill(signal.SIGINT)
        asked = time.monotonic()
        ran = child.ended()
        assert time.monotonic() - asked < 3
        assert ran.exit_code == 130
        again, _ = forks.run(scene, *heal(server.base_url, *LOCAL, "--continue")[:-1])
        assert whole(scene, oracle, again) == []


def test_a_refused_push_can_be_taken_up(tmp_path, forks):
    scene, server = next(scenes(tmp_path)), mending()
    hook = scene.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    with server:
        ran, _ = forks.run(scene, *heal(server.base_url, *LOCAL, *PUSHED))
        assert ran.exit_code == 6, ran.says
        assert "but not pushed" in ran.result["text"]
        hook.unlink()
        line = heal(server.base_url, *LOCAL, "--resume", ran.result["session"])
        unsaid, _ = forks.run(scene, *line[:-1])
        assert (unsaid.exit_code, "--push REMOTE pushes it" in unsaid.says) == (2, True)
        line = heal(server.base_url, *LOCAL, *PUSHED, "--resume", ran.result["session"])
        again, _ = forks.run(scene, *line[:-1])
    assert again.exit_code == 0, again.says
    commit = json.loads(again.out)["pushed"]
    assert commit["ref"] == "refs/heads/healed"
    assert scene.remote_git("rev-parse", "healed") == ran.result["commit"]
