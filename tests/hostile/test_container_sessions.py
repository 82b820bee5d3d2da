"""Whole sessions whose model runs hostile commands in its container, each under the oracle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.oracle import Oracle
from tests.hostile.scene import Scene
from tests.support.model_server import ModelServer, call, calls, submit

pytestmark = pytest.mark.engine

FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": "a\n"}
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review")
IMPOSTOR = Path(__file__).with_name("impostor.py").read_text()
MENDED = [call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it")]


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def bash(command: str, **options: object):
    return call("bash", command=command, **options)


def test_a_session_goes_through_hostile_commands_to_the_very_bytes_that_were_verified(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    script = [
        bash("mkfifo p; mkdir .GIT x; echo x >.GIT/config; ln -s / x/root; chmod 4755 check.sh"),
        bash("rm -rf p .GIT x; chmod 644 check.sh"),
        bash("b() { b | b & }; b; sleep 60", timeout=2),
        bash("yes $'\\e]52;c;eA==\\a' | head -c 50000000"),
        bash("kill -9 -1"),
        bash("kill -9 $PPID; kill -STOP 1"),
        bash("(setsid sh -c 'while :; do echo evil >a.txt; echo evil >late; done' &) ; sleep 0.1"),
        bash("rm -f late; env; cat /proc/[0-9]*/environ; git remote -v; ls -la ~ /work/.git"),
        calls(*MENDED),
    ]
    with ModelServer(script) as server, Oracle(scene, server=server) as oracle:
        ran = scene.heal(server.base_url, *OPTIONS, "--push", "origin/healed")
        told = "".join(request.text for request in server.requests)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0, ran.says
    commit = ran.result["commit"]
    assert scene.git("diff", "--name-only", f"{commit}^", commit) == "a.txt"
    assert scene.git("show", f"{commit}:a.txt") == "b"
    assert "remove this, it cannot be part of the change" in told
    assert "the sandbox ended (a command ended the process that keeps the container)" in told


def test_a_verdict_that_was_forged_in_the_sandbox_commits_nothing(tmp_path):
    """Whoever steals the runner's voice makes every check of that container green: the proof is
    the exit code of another container, into which only the tree goes."""
    scene = Scene(tmp_path / "scene", FILES)
    steal = f"cat >/tmp/i.py <<'X'\n{IMPOSTOR}\nX\nexec python3 /tmp/i.py $PPID"
    script = [
        bash(steal),
        calls(call("write_file", path="c.txt", content="c\n"), submit("Done.", "Pretend")),
    ]
    with ModelServer(script) as server, Oracle(scene, server=server) as oracle:
        ran = scene.heal(server.base_url, *OPTIONS, "--attempts", "1")
    assert oracle.broken(ran) == []
    assert ran.exit_code == 1, ran.says
    assert [one["outcome"] for one in ran.result["attempts"]] == ["not proved"], ran.says
    assert scene.git("for-each-ref", "--format=%(refname)", "refs/heads/selfheal") == ""


def test_a_container_that_is_lost_again_and_again_ends_the_session_with_exit_4(tmp_path):
    scene = Scene(tmp_path / "scene", FILES)
    with (
        ModelServer([], forever=bash("kill -9 -1")) as server,
        Oracle(scene, server=server) as oracle,
    ):
        ran = scene.heal(server.base_url, *OPTIONS)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 4, ran.says
    assert "the sandbox was lost 6 times" in ran.result["text"]
