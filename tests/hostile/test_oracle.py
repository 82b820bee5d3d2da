"""The oracle itself: a good session breaks nothing; each invariant broken on purpose is named."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest

from tests.hostile.chained import Chain, chain_of
from tests.hostile.oracle import Oracle
from tests.hostile.scene import CONFIG_SECRET, HOME_SECRET, KEY, Scene, ran_in
from tests.hostile.terminal_bytes import offences
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": "a\n"}
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "local")
CTRL_Q, CTRL_Y = "\x11", "\x19"


def script():
    return [calls(call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it"))]


@pytest.fixture(scope="module")
def healed(tmp_path_factory):
    """A scene, the oracle over a good session in it, and how that ended."""
    scene = Scene(tmp_path_factory.mktemp("good") / "scene", FILES)
    server = ModelServer(script())
    oracle = Oracle(scene, server=server, engine=False, patience=0.5)
    with server, oracle:
        ran = scene.heal(server.base_url, *OPTIONS, "--push", "origin/healed")
    return scene, oracle, ran


@pytest.fixture
def harmed(healed, tmp_path):
    """The oracle over the good session, in a state that each test may harm and that is put back."""
    scene, oracle, ran = healed
    shutil.copytree(scene.folder, tmp_path / "kept", symlinks=True)
    yield scene, oracle, ran
    shutil.rmtree(scene.folder)
    shutil.copytree(tmp_path / "kept", scene.folder, symlinks=True)


def git(scene, *arguments):
    return scene.git(*arguments)


def numbers(broken):
    return sorted({sentence.split(":")[0] for sentence in broken})


def test_a_good_session_breaks_nothing(harmed):
    _, oracle, ran = harmed
    assert ran.exit_code == 0, ran.says
    assert oracle.broken(ran) == []


HARMS = {
    "a payload ran": ("1", lambda scene: (scene.ran / "post-commit").touch()),
    "a file in HOME": ("2", lambda scene: (scene.home / ".bashrc").write_text("x")),
    "a mode beside the worktree": ("2", lambda scene: (scene.neighbour / "notes.txt").chmod(0o600)),
    "a link in the temporary folder": ("2", lambda scene: (scene.temporary / "x").symlink_to("/")),
    "a file of the worktree": ("2", lambda scene: scene.write("a.txt", "b\n")),
    "an ignored file is gone": ("2", lambda scene: (scene.repository / ".env").unlink()),
    "a ref at the decoy": ("2", lambda scene: git(scene, "push", "-q", str(scene.decoy), "HEAD:x")),
    "a setting": ("3", lambda scene: git(scene, "config", "alias.x", "!true")),
    "a hook": ("3", lambda scene: scene.write(".git/hooks/pre-commit", "x")),
    "the index": ("3", lambda scene: git(scene, "rm", "-q", "--cached", "a.txt")),
    "an object is gone": ("3", lambda scene: _lose_an_object(scene)),
    "a tag": ("4", lambda scene: git(scene, "tag", "v1")),
    "another branch": ("4", lambda scene: git(scene, "branch", "other")),
    "the branch has another tree": ("4", lambda scene: _amend(scene)),
    "a tag at the remote": (
        "5",
        lambda scene: git(scene, "push", "-q", "origin", "HEAD:refs/tags/v"),
    ),
    "a deleted ref at the remote": (
        "5",
        lambda scene: git(scene, "push", "-q", "origin", ":refs/heads/main"),
    ),
    "another commit at the remote": (
        "5",
        lambda scene: git(scene, "push", "-qf", "origin", "HEAD:refs/heads/healed"),
    ),
    "a secret in a log": (
        "6",
        lambda scene: (scene.state / "log.txt").write_text(f"key {KEY}\n"),
    ),
    "a secret in base64": (
        "6",
        lambda scene: (scene.state / "log.txt").write_bytes(_coded(HOME_SECRET)),
    ),
    "a secret in the database": ("6", lambda scene: _into_database(scene, CONFIG_SECRET)),
    "a secret in an object of the shadow": ("6", lambda scene: _into_shadow(scene)),
    "a secret in a branch's name": (
        "6",
        lambda scene: git(scene, "branch", "fix-" + CONFIG_SECRET.lower()),
    ),
    "a lock": ("8", lambda scene: (scene.git_dir / "index.lock").touch()),
    "a damaged database": ("9", lambda scene: _damage(scene)),
    "the commit is not there": (
        "10",
        lambda scene: git(scene, "update-ref", "-d", "refs/heads/selfheal/make-the-tests-pass"),
    ),
    "the push is not there": (
        "10",
        lambda scene: git(scene, "push", "-q", "origin", ":refs/heads/healed"),
    ),
    "an approval of the audit log is by somebody else": (
        "10",
        lambda scene: _audit(scene, "UPDATE audit SET fields = replace(fields, '--yes', 'agent')"),
    ),
    "a record of the audit log is gone": (
        "10",
        lambda scene: _audit(scene, "DELETE FROM audit WHERE kind = 'push begun'"),
    ),
    "the audit log lost its end": (
        "10",
        lambda scene: _audit(
            scene, "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)"
        ),
    ),
    "the audit log has no head": ("10", lambda scene: (scene.state / "audit.head").unlink()),
}


@pytest.mark.parametrize("harm", HARMS)
def test_the_broken_invariant_is_named(harmed, harm):
    scene, oracle, ran = harmed
    number, break_it = HARMS[harm]
    break_it(scene)
    assert number in numbers(oracle.broken(ran))


def test_a_deed_without_an_approval_is_named(harmed):
    scene, _, _ = harmed
    chain = chain_of(scene.state, scene.state / "sessions.db")
    assert chain is not None
    assert (chain.broken, list(chain.unapproved())) == ("", [])
    for about, deeds in (("commit", 2), ("push", 2)):
        approval = next(r for r in chain.records if r[1].get("about") == about)
        for wrong in ({"by": "agent"}, {"granted": False}, {"ref": "refs/heads/x"}):
            forged = [(k, f | wrong if (k, f) == approval else f) for k, f in chain.records]
            assert len(list(Chain(forged).unapproved())) == deeds


def _audit(scene, statement):
    with closing(sqlite3.connect(scene.state / "sessions.db")) as database, database:
        database.execute(statement)


def _lose_an_object(scene):
    commit = git(scene, "rev-parse", "HEAD")
    file = scene.git_dir / "objects" / commit[:2] / commit[2:]
    file.chmod(0o644)
    file.write_bytes(b"")


def _amend(scene):
    tree = git(scene, "rev-parse", "HEAD^{tree}")
    other = git(scene, "commit-tree", tree, "-p", "HEAD", "-m", "Mend it")
    git(scene, "update-ref", "refs/heads/selfheal/make-the-tests-pass", other)


def _coded(secret):
    import base64

    return base64.b64encode(f"ab{secret}".encode())


def _into_database(scene, secret):
    with closing(sqlite3.connect(scene.state / "sessions.db")) as database, database:
        database.execute("UPDATE sessions SET task = ?", ("x" * 5000 + secret,))


def _into_shadow(scene):
    (head,) = list(scene.state.rglob("HEAD"))[:1]
    subprocess.run(
        ["git", f"--git-dir={head.parent}", "hash-object", "-w", "--stdin"],
        input=HOME_SECRET.encode(), check=True, capture_output=True,
    )  # fmt: skip


def _damage(scene):
    file = scene.state / "sessions.db"
    file.write_bytes(b"x" * 200)


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        ("6", {"err": f"refused the key {KEY}\n".encode()}),
        ("7", {"out": b"\x1b]52;c;eA==\x07"}),
        ("7", {"err": "a\u202eb".encode()}),
        ("7", {"drawn": b"\x1b[1;1H\x1b]8;;http://x\x07"}),
        ("10", {"exit_code": 1}),
        ("9", {"exit_code": 70, "arguments": ("--resume", "s")}),
    ],
)
def test_a_broken_ending_is_named(harmed, number, changed):
    _, oracle, ran = harmed
    assert number in numbers(oracle.broken(replace(ran, **changed)))


def test_a_push_that_was_asked_for_and_not_made_is_a_lie(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    with ModelServer(script()) as server, Oracle(scene, server=server, engine=False) as oracle:
        ran = scene.heal(server.base_url, *OPTIONS)
    lie = replace(ran, arguments=(*ran.arguments, "--push", "origin/x"))
    assert numbers(oracle.broken(lie)) == ["10"]


def test_a_secret_in_a_request_in_arguments_and_a_process_left_are_named(tmp_path):
    scene = Scene(tmp_path / "scene", {"a.txt": "a\n"})
    server = ModelServer([submit("x")])
    mine = f"sentinel-{secrets.token_hex(8)}"
    oracle = Oracle(scene, server=server, secrets=[mine], engine=False, patience=0.5)
    with server, oracle:
        body = json.dumps({"messages": [{"role": "user", "content": HOME_SECRET}]}).encode()
        _post(server.base_url + "/chat/completions", body)
        environment = os.environ | {"SELFHEAL_STATE_DIR": str(scene.state), "X": ""}
        sleeping = [sys.executable, "-c", "input()", mine]
        left = subprocess.Popen(sleeping, stdin=subprocess.PIPE, env=environment)
        while not any(mine in text for _, text in list(oracle._watch.seen)):
            time.sleep(0.01)
    broken = oracle.broken()
    left.kill()
    left.communicate()
    assert numbers(broken) == ["6", "8"]
    assert any("request 1" in sentence for sentence in broken)
    assert any("arguments of a process" in sentence for sentence in broken)


def _post(url, body):
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:
        answer.read()


def test_the_terminals_own_sequences_are_no_offence_and_all_others_are():
    own = b"\x1b[?1049h\x1b[12;3H\x1b[38;2;1;2;3mtext\x1b[0m\x1b]2;selfheal\x07\r\n"
    assert offences(own, interface=True) == []
    assert offences(own) != []
    for foreign in (b"\x1b]0;t\x07", b"\x1bP1$r\x1b\\", "\x9b2J".encode(), b"\x1b[2J", b"\xff"):
        assert offences(foreign, interface=True) != [], foreign


def test_a_session_at_the_terminal_breaks_nothing(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    with ModelServer(script()) as server, Oracle(scene, server=server, engine=False) as oracle:
        arguments = (*OPTIONS, "--model", "openai/x", "--api-base", server.base_url, "try")
        with scene.interface(*arguments) as terminal:
            terminal.until("Ctrl+Y goes on without isolation")
            terminal.send(CTRL_Y)
            terminal.until("Make this commit?", 60)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("committed (exit 0)")
            terminal.send(CTRL_Q)
            ran = ran_in(terminal, *arguments)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0


@pytest.mark.engine
def test_a_session_on_the_engine_breaks_nothing_and_what_it_leaves_is_named(
    tmp_path, engine, base_image, monkeypatch
):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)
    scene = Scene(tmp_path / "scene", FILES)
    server = ModelServer(script())
    oracle = Oracle(scene, server=server, patience=1.0)
    with server, oracle:
        ran = scene.heal(server.base_url, *OPTIONS[:-2], "--push", "origin/healed")
        labels = {"selfheal.session": ran.result["session"]}
        held = {"detach": True, "environment": {"KEY": KEY}, "network_mode": "none"}
        left = engine.containers.run(base_image, ["sleep", "100"], labels=labels, **held)
        volume = engine.volumes.create(labels=labels)
        while left.id not in oracle._watch.containers:
            time.sleep(0.01)
    broken = oracle.broken(ran)
    left.remove(force=True)
    volume.remove()
    assert {sentence.split(" ")[0] for sentence in broken} == {"6:", "8:"}
    assert f"8: left behind: volume {volume.name}" in broken
    assert f"8: left behind: container {left.name}" in broken
    assert f"6: the settings of a container holds {KEY}" in broken
    assert oracle.broken(ran) == [one for one in broken if one.startswith("6")]
    assert len(oracle._watch.containers) > 1
