"""The user does something to the repository while the approval of a commit to the branch that is
checked out is on the screen, then says yes: what was shown is done, or it is asked anew, or it is
refused. One session after the other at one terminal."""

from __future__ import annotations

import contextlib
import subprocess

from tests.hostile.faulted import FILES, LOCAL, mending, watched
from tests.hostile.meddling import MEDDLINGS, MINE
from tests.hostile.scene import Scene
from tests.hostile.screens import YES, at_terminal, go_on_without_isolation, left
from tests.hostile.terminal_bytes import offences

ENDS = ("committed (exit 0)", "repository refused (exit 6)")
AT_THE_SCREEN = (
    "edits a file of the change",
    "commits on the branch",
    "begins a merge",
    "holds the index",
)
AFTERWARDS = "git checkout -q -f main; git reset -q --hard start; git clean -qfd"


def tidy(scene):
    """As in the beginning, for the next one."""
    (scene.git_dir / "index.lock").unlink(missing_ok=True)
    (scene.git_dir / "MERGE_HEAD").unlink(missing_ok=True)
    for command in AFTERWARDS.split("; "):
        scene.git(*command.split()[1:])
    scene.write("notes.txt", "notes\nmy own words\n")


def test_what_was_shown_is_done_or_asked_anew_or_refused(tmp_path, screens):
    scene = Scene(tmp_path / "scene", FILES)
    scene.git("tag", "start")
    tidy(scene)
    touched = [path for name in AT_THE_SCREEN for path in MEDDLINGS[name].paths(scene)]
    server, came, wrong = mending(), {}, {}
    arguments = (*LOCAL, "--model", "openai/x", "--api-base", server.base_url, "--current-branch")
    with server, at_terminal(screens, scene, *arguments) as terminal:
        go_on_without_isolation(terminal)
        for number, name in enumerate(AT_THE_SCREEN):
            meddling = MEDDLINGS[name]
            with watched(scene, server, allowed=touched, mine=MINE, patience=0.2) as oracle:
                terminal.forget()
                terminal.send(f"task {number}\r")
                came[name] = approve(terminal, lambda m=meddling: run(scene, m))
                if broken := oracle.broken():
                    wrong[name] = broken
                if not meddling.kept(scene):
                    wrong[name] = ["what the user did is gone", *wrong.get(name, ())]
            tidy(scene)
        ran = left(terminal)
    print(came)
    assert wrong == {}
    assert (terminal.wrong, b"Traceback" in ran.drawn) == ([], False)
    assert offences(ran.drawn, interface=True) == []


def run(scene, meddling):
    command = ["sh", "-c", meddling.command]
    subprocess.run(command, cwd=scene.repository, check=True, env=scene._clean())


def approve(terminal, meddle):
    """Say yes to whatever is asked until the session ends; `meddle` comes before the first yes."""
    terminal.until("Make this commit?")
    terminal.until("Ctrl+Y yes")
    meddle()
    for asked in range(1, 30):
        # A key may come in the very moment in which what it answers is withdrawn.
        terminal.send(YES)
        with contextlib.suppress(AssertionError):
            return f"{terminal.until_one(ENDS, 1.0)} after {asked} times yes"
    raise AssertionError("it never ended")
