"""What the sessions of the fault tests have in common: a small broken project, a model that mends
it however often it is asked, and taking up what was broken off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.hostile.consents import recorded
from tests.hostile.forking import Forks, heal
from tests.hostile.oracle import Oracle
from tests.hostile.scene import Ran, Scene
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {
    "check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n",
    "a.txt": "a\n",
    "d/old.txt": "old\n",
    "notes.txt": "notes\n",
}
EDITS = calls(
    call("write_file", path="a.txt", content="b\n"),
    call("bash", command="rm d/old.txt; mkdir -p n; echo new > n/new.txt"),
    submit("Done.", "Mend it"),
)
LOCAL = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "local")
DOCKER = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "generic")
PUSHED = ("--push", "origin/healed")
CURRENT = ("--current-branch", *PUSHED)


def mending() -> ModelServer:
    """A model that mends the project whenever it is asked."""
    return ModelServer([], forever=EDITS)


def scenes(folder: Path) -> Iterator[Scene]:
    """Fresh hosts, one after the other, each with an uncommitted edit of the user's."""
    for number in itertools.count():
        scene = Scene(folder / str(number) / "scene", FILES)
        scene.write("notes.txt", "notes\nmy own words\n")
        yield scene


def session_of(scene: Scene, scratch: Path) -> str:
    """The session to be taken up; empty where none was begun, or it has told its end."""
    scratch.mkdir(exist_ok=True)
    record = recorded(scene.state, scratch)
    return next((name for name, code in reversed(record.exits.items()) if code is None), "")


def taken_up(scene: Scene, server: ModelServer, broken_off: Ran, *options: str) -> tuple[str, ...]:
    """The command line that takes up what was broken off, or begins it again where nothing was
    recorded; empty where it had told its end."""
    if broken_off.exit_code == 0:
        return ()
    look = scene.folder.parent / "look"
    line = heal(server.base_url, *options)
    if session := session_of(scene, look):
        return (*line[:-1], "--resume", session)
    return () if recorded(scene.state, look).exits else line


def finish(
    forks: Forks, scene: Scene, server: ModelServer, broken_off: Ran, *options: str
) -> tuple[Ran, int]:
    """Take up what was broken off; the last run and how many there were."""
    line = taken_up(scene, server, broken_off, *options)
    return (forks.run(scene, *line)[0], 1) if line else (broken_off, 0)


def whole(scene: Scene, oracle: Oracle, ran: Ran) -> list[str]:
    """What is wrong after a scenario that must have ended well: the oracle's sentences, a run that
    did not end with 0, a second commit, or a lost edit of the user's."""
    wrong = oracle.broken(ran if ran.exit_code >= 0 else None)
    if ran.exit_code > 0:
        wrong.append(f"the last run ended with {ran.exit_code}: {ran.says[-600:]}")
    commits = scene.git("log", "--all", "--format=%s").splitlines()
    if commits.count("Mend it") != 1:
        wrong.append(f"there are {commits.count('Mend it')} commits of the change, not one")
    if (scene.repository / "notes.txt").read_text() != "notes\nmy own words\n":
        wrong.append("the user's own edit is lost")
    return wrong


def watched(scene: Scene, server: Any, **more: Any) -> Oracle:
    """The oracle over a session without the engine, which need not wait as long."""
    return Oracle(scene, server=server, **({"engine": False} | more))
