"""Whole sessions whose container goes through everything that a command, or somebody outside, can
do to it: the model is told of each, the session goes on and heals, and the app stays small."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable
from typing import Any

import docker
import pytest

from tests.hostile.forking import heal
from tests.hostile.oracle import Oracle
from tests.hostile.scene import ROOT, Scene
from tests.support.model_server import Answer, ModelServer, call, calls, submit

pytestmark = pytest.mark.engine

FILES = {
    "check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n",
    "a.txt": "a\n",
    "d/old.txt": "old\n",
}
OPTIONS = (
    "--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "generic",
    "--push", "origin/healed",
)  # fmt: skip
PROFILE = 'memory_mb = 448\ndisk_mb = 128\npids = 96\nbase_image = "debian:bookworm-slim"\n'
MENDED = calls(call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it"))
GROWN = 60 * 1024
"""KiB that the app may need for all of it, over what the same session needs without."""

FAKES = """mkdir /tmp/evil; cd /tmp/evil; for tool in sh bash tar find cat head stat git rm; do
printf '#!/bin/sh\\necho evil >/work/a.txt; echo evil\\n' >$tool; chmod +x $tool; done; cd /work
echo 'echo evil >/work/late' >/tmp/evil/rc; cp /tmp/evil/rc ~/.bashrc; cp /tmp/evil/rc ~/.profile
export BASH_ENV=/tmp/evil/rc ENV=/tmp/evil/rc PATH=/tmp/evil:$PATH; hash -r"""

INSIDE = {
    "the disk": (
        "for d in /work /tmp ~ /dev/shm; do head -c 2G /dev/zero >$d/full; done; df -h; exit 7",
        r"(?s)\[exit code 7\].*No space left on device.*100% /work.*\[remove this",
    ),
    "the disk, emptied": ("rm -f /work/full /tmp/full ~/full /dev/shm/full; ls", "a.txt"),
    "memory of many": (
        "for i in 1 2 3 4; do tail /dev/zero & done; wait; exit 9",
        r"\[exit code (9|124|137).*killed: out of memory\]|of memory as a whole",
    ),
    "forks": ("b() { b | b & }; b; sleep 60", r"\[exit code 124, ended after 3 s\]"),
    "output": (
        "yes 0123456789abcde | head -c 200000000; exit 10",
        r"(?s)\[exit code (10|124, ended after 20 s)\]\n0123456789abcde.*left out",
    ),
    "an end that is ignored": (
        "trap '' TERM INT HUP QUIT; (setsid sh -c \"trap '' TERM; while :; do"
        ' echo evil >/work/late; sleep 0.1; done" &); while :; do sleep 1; done',
        r"\[exit code 124, ended after 3 s\]",
    ),
    "the tree": (
        "cp -a /work /tmp/kept; rm -rf /work /work/* /work/.[!.]*; ls -A /work | wc -l",
        r"\[exit code 0\](?s:.*)^0$",
    ),
    "the tree, put back": (
        "cp -a /tmp/kept/. /work/; rm -rf /tmp/kept late; ls",
        r"\[exit code 0\]\na.txt\ncheck.sh\nd$",
    ),
    "programs on the search path": (FAKES, r"\[exit code 0\]$"),
    "the files, with those programs": ("find . | head -3", "evil"),
    # What ends next is not said to have ended for want of memory as well.
    "memory": ("tail /dev/zero; exit 8", r"\[exit code 8, killed: out of memory\]"),
    "everything": (
        "kill -9 -1; kill -9 $PPID; exit 11",
        r"the sandbox ended \(a command ended the process that keeps the container\)|"
        r"\[exit code 137\]",
    ),
}
"""What a command does, and what the model is told of it."""

LATE = {"output": 20}
"""Seconds that a command may take, where they are not three."""


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def _scene(folder: Any) -> Scene:
    """With a profile of the built-in one's name and Dockerfile, so that no image is built, whose
    container is small, so that its disks and its memory are soon full."""
    scene = Scene(folder / "scene", FILES)
    profile = scene.config / "sandboxes" / "generic"
    profile.mkdir(parents=True)
    shutil.copy(ROOT / "sandboxes" / "generic" / "Dockerfile", profile)
    (profile / "sandbox.toml").write_text(PROFILE)
    return scene


def _answers(server: ModelServer) -> list[str]:
    """What the model was told after each of its calls, in order."""
    messages = json.loads(server.requests[-1].body)["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


def _changed(scene: Scene, commit: str) -> str:
    return scene.git("diff", "--name-only", f"{commit}^", commit)


def test_a_session_survives_what_a_command_can_do_to_its_container(tmp_path, forks):
    scene, plain = _scene(tmp_path / "hard"), _scene(tmp_path / "plain")
    with ModelServer([MENDED]) as server:
        alone = forks.start(plain, *heal(server.base_url, *OPTIONS))
        assert alone.ended().exit_code == 0
    script = [
        call("bash", command=command, timeout=LATE.get(name, 3))
        for name, (command, _) in INSIDE.items()
    ]
    with ModelServer([*script, MENDED]) as server, Oracle(scene, server=server) as oracle:
        child = forks.start(scene, *heal(server.base_url, *OPTIONS))
        ran = child.ended()
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0, ran.says
    assert _not_told(INSIDE, _answers(server)) == {}
    assert _changed(scene, ran.result["commit"]) == "a.txt"
    assert child.peak < alone.peak + GROWN


def _not_told(wanted: dict[str, tuple[Any, str]], answers: list[str]) -> dict[str, str]:
    """What the model was told of those of which it was told something else."""
    told = dict(zip(wanted, answers, strict=False))
    return {
        name: told[name][:400] + " ... " + told[name][-400:]
        for name, (_, pattern) in wanted.items()
        if not re.search(pattern, told[name], re.MULTILINE)
    }


def _container_of(engine: docker.DockerClient, pid: int) -> Any:
    """The one container of this process."""
    (found,) = [
        one
        for one in engine.containers.list(filters={"label": "selfheal.owner"})
        if one.labels["selfheal.owner"].split(":")[1] == str(pid)
    ]
    return found


WAITS = call("bash", command="echo begun; sleep 30; echo not reached", timeout=6)
SHORT = call("bash", command="echo here", timeout=2)
FRESH = "; a fresh one holds the files as they were before this call, and nothing else"
FROM_OUTSIDE = {
    "killed while a command runs": (
        (WAITS, lambda one: one.kill()),
        r"the sandbox ended \(the container was ended from outside \(exit code 137\)\)" + FRESH,
    ),
    "removed while a command runs": (
        (WAITS, lambda one: one.remove(force=True)),
        r"the sandbox ended \(the container was ended from outside \(exit code 137\)\)" + FRESH,
    ),
    "paused while a command runs": (
        (WAITS, lambda one: one.pause()),
        r"the sandbox ended \(the container hangs\)" + FRESH,
    ),
    "killed between two commands": (
        (SHORT, lambda one: one.kill()),
        r"the sandbox ended \(the container was ended from outside \(exit code 137\)\)" + FRESH,
    ),
    "stopped between two commands": (
        (SHORT, lambda one: one.stop(timeout=1)),
        r"the sandbox ended \(the container was ended from outside \(exit code 1..\)\)" + FRESH,
    ),
}
"""What somebody does to the container with the engine's own means, and the model is told of it."""


def test_a_session_survives_what_somebody_does_to_its_container(tmp_path, forks, engine):
    scene, pid = _scene(tmp_path), []
    timers: list[threading.Timer] = []

    def after(answer: Answer, deed: Callable[[Any], None]) -> Callable[[Any], Answer]:
        def turn(_: Any) -> Answer:
            one = _container_of(engine, pid[0])
            if answer is SHORT:
                deed(one)
            else:
                timers.append(threading.Timer(1.0, deed, [one]))
                timers[-1].start()
            return answer

        return turn

    def first(_: Any) -> Answer:
        # Before it answers the run has a number that this test knows.
        started.wait(30)
        return SHORT

    started = threading.Event()
    script = [first, *(after(*what) for what, _ in FROM_OUTSIDE.values()), MENDED]
    with ModelServer(script) as server, Oracle(scene, server=server) as oracle:
        child = forks.start(scene, *heal(server.base_url, *OPTIONS))
        pid.append(child.pid)
        started.set()
        ran = child.ended()
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0, ran.says
    assert _not_told(FROM_OUTSIDE, _answers(server)[1:]) == {}
    assert _changed(scene, ran.result["commit"]) == "a.txt"
