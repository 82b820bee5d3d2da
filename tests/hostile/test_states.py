"""Every unusual state of a repository, through the real command line: it works, or it is refused
with its exit code and a sentence, and nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.hostile.oracle import Oracle
from tests.hostile.scene import Scene
from tests.support.model_server import ModelServer, call, calls, submit

FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": "a\n"}
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "local")


@dataclass(frozen=True)
class State:
    """What makes it (files of `.git` by name, then git commands), and what comes of a run."""

    files: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    code: int = 6
    says: str = ""


STATES = {
    "a merge": State(("MERGE_HEAD",), says="a merge is in progress"),
    "a rebase": State(("rebase-merge/onto",), says="a rebase is in progress"),
    "an am": State(("rebase-apply/patch",), says="a rebase is in progress"),
    "a cherry-pick": State(("CHERRY_PICK_HEAD",), says="a cherry-pick is in progress"),
    "a revert": State(("REVERT_HEAD",), says="a revert is in progress"),
    "a bisect": State(("BISECT_LOG",), says="a bisect is in progress"),
    "bare": State(commands=("config core.bare true",), says="bare repository"),
    "a partial clone": State(
        commands=("config remote.origin.promisor true",), says="partial clone"
    ),
    "detached, on a new branch": State(commands=("checkout -q --detach",), code=0),
    "detached, on the current branch": State(
        commands=("checkout -q --detach",), options=("--current-branch",), says="HEAD is detached"
    ),
    "an unborn branch, the file to change not committed": State(
        commands=("checkout -q --orphan new",), says="your own uncommitted edits in a.txt"
    ),
    "packed refs and objects": State(commands=("gc -q",), options=("--current-branch",), code=0),
    "a sparse checkout": State(commands=("sparse-checkout set --no-cone /*",), code=0),
    "the index locked by somebody": State(
        ("index.lock",), options=("--current-branch",), says="lock"
    ),
    "the branch locked by somebody": State(
        ("refs/heads/main.lock",), options=("--current-branch",), says="lock"
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_it_works_or_is_refused_and_nothing_else_changes(tmp_path, name):
    state = STATES[name]
    scene = Scene(tmp_path / "scene", FILES)
    for command in state.commands:
        scene.git(*command.split())
    for file in state.files:
        scene.write(f".git/{file}", scene.git("rev-parse", "HEAD") + "\n")
    script = [calls(call("write_file", path="a.txt", content="b\n"), submit("Done.", "Mend it"))]
    with ModelServer(script) as server, Oracle(scene, server=server, engine=False) as oracle:
        ran = scene.heal(server.base_url, *OPTIONS, *state.options)
    assert oracle.broken(ran) == []
    assert (ran.exit_code, state.says in ran.says) == (state.code, True), ran.says
