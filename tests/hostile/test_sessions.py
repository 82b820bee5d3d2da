"""Whole sessions on the real engine, in a repository that holds all traps at once: headless on a
new branch with a push, on the current branch, and at the terminal."""

from __future__ import annotations

import json

import pytest

from tests.hostile.oracle import Oracle
from tests.hostile.redirections import REDIRECTIONS
from tests.hostile.repositories import FILES, PROGRAMS
from tests.hostile.scene import ROOT, Scene, marks, ran_in
from tests.hostile.starts import console_script, preloaded, settings_files, shadows
from tests.support.model_server import ModelServer, call, calls, submit

pytestmark = pytest.mark.engine

TRAPS = PROGRAMS | REDIRECTIONS
FIRST = ("nested repositories and gitlinks", "a push of everything by force")
"""What makes commits or tags by itself: before there is a hook."""

LAST = "replaced objects and grafts"
TOGETHER = [
    *FIRST,
    *(n for n, trap in TRAPS.items() if not trap.refused and n not in (*FIRST, LAST)),
]
OPTIONS = ("--check", "sh check.sh", "--no-plan", "--no-review")
CTRL_Q, CTRL_Y = "\x11", "\x19"


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    """Every run starts from the base image that the tests were given."""
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


@pytest.fixture
def trapped(tmp_path):
    """A scene with every trap that does not forbid the session, the server of an attacker, and the
    variables of a careless user."""
    scene = Scene(tmp_path / "scene", FILES)
    attacker = ModelServer([], forever=submit("Nothing."))
    environment = {"PYTHONPATH": f"{ROOT}:.:"}
    for name in TOGETHER:
        environment.update(TRAPS[name].plant(scene) or {})
    settings_files(scene, attacker.base_url)
    shadows(scene, preloaded())
    scene.command = console_script(scene)
    for name in marks(scene.ran):
        # Set off while the rest was planted.
        (scene.ran / name).unlink()
    with attacker:
        yield scene, environment
    assert attacker.requests == []


def script():
    return [
        calls(call("write_file", path="b.txt", content="healed\n"), submit("Done.", "Mend it")),
    ]


@pytest.mark.parametrize("target", [("--push", "origin/healed"), ("--current-branch",)])
def test_headless_nothing_runs_and_the_work_is_done(trapped, target):
    scene, environment = trapped
    with ModelServer(script()) as server, Oracle(scene, server=server) as oracle:
        ran = scene.heal(server.base_url, *OPTIONS, *target, **environment)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0, ran.says
    on_disk = (scene.repository / "b.txt").read_text()
    assert on_disk == ("healed\n" if target == ("--current-branch",) else "b\n")


def test_at_the_terminal_nothing_runs_and_what_was_approved_is_logged(trapped):
    scene, environment = trapped
    extra = call("write_file", path="a-extra.txt", content="nobody asked for it\n")
    with ModelServer([calls(extra, *script())]) as server, Oracle(scene, server=server) as oracle:
        model = ("--model", "openai/x", "--api-base", server.base_url)
        arguments = (*OPTIONS, *model, "--current-branch", "--push", "origin/healed", "try")
        with scene.interface(*arguments, **environment) as terminal:
            terminal.until("Make this commit?", 120)
            terminal.until("Ctrl+Y yes")
            # The first hunk is that of the file that nobody asked for.
            terminal.send("h")
            terminal.send("x")
            terminal.until("A reason, if you like")
            terminal.send("not asked for\r")
            terminal.until("1 of 2 hunks refused")
            terminal.send(CTRL_Y)
            terminal.until("Taken out, and checked again", 60)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("Push this commit?", 60)
            terminal.until("Ctrl+Y yes")
            terminal.send(CTRL_Y)
            terminal.until("pushed (exit 0)", 60)
            terminal.send(CTRL_Q)
            ran = ran_in(terminal, *arguments)
    assert oracle.broken(ran) == []
    assert ran.exit_code == 0
    assert (scene.repository / "b.txt").read_text() == "healed\n"
    assert not (scene.repository / "a-extra.txt").exists()
    verified = scene.run("audit", "--verify")
    assert verified.exit_code == 0
    assert verified.says.startswith("the audit log is whole: ")
    asked_first, commit, push = approvals_in(scene.run("audit", "--json").out)
    tree = scene.remote_git("rev-parse", "refs/heads/healed^{tree}")
    assert (asked_first["granted"], asked_first["tree"] == tree) == (False, False)
    assert (commit["granted"], commit["by"], commit["tree"]) == (True, "user", tree)
    assert (commit["ref"], commit["update_worktree"]) == ("refs/heads/main", True)
    assert [hunk[0] for hunk in commit["hunks_refused"]] == ["a-extra.txt"]
    assert "warnings" in commit
    assert (push["granted"], push["by"], push["ref"]) == (True, "user", "refs/heads/healed")


def approvals_in(log):
    """What the log keeps of each approval, in order."""
    records = [json.loads(line) for line in log.splitlines()]
    return [one["fields"] for one in records if one["kind"] == "approval"]
