"""Hostile text in every place of a repository, a model and a remote, through a whole session."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest

from tests.hostile.oracle import Oracle
from tests.hostile.scene import Scene, ran_in
from tests.hostile.screens import at_terminal
from tests.hostile.terminal_bytes import offences
from tests.hostile.texts import FORGED, TEXTS
from tests.support.model_server import (
    ModelServer,
    broken_call,
    call,
    calls,
    refuse,
    say,
    submit,
    submit_plan,
    submit_review,
    think,
)

OPTIONS = ("--check", "sh check.sh", "--sandbox", "local")
ALL = "\n".join(text for name, text in TEXTS.items() if "surrogate" not in name)
RAW = ALL.encode("utf-8", "surrogateescape")
FEW = "\x1b]52;c;cHduZWQ=\x07 [red]m[/red] [/] [@click=app.quit]q[/] \u202egnp\u200b\x9b31m\x7f"
NAMES = [
    "\x1b]0;pwned\x07.txt",
    "new\nline  verdict   VERIFIED.txt",
    "\u202egnp.exe",
    "[red]x[/red] [@click=app.quit]y.txt",
    "\u200bzero",
    "tag\U000e0041",
    "-rf",
    "e" + "\u0301" * 40,
    "tab\tand\rreturn",
    "![x](http://evil.invalid)",
    "caf\udce9",
]
CHECK = """\
cat evil.txt; printf '\\033]52;c;eA==\\007\\220\\235\\237 \\377\\376 %s\\r%s\\b\\b' a b
head -c 5000000 /dev/zero | tr '\\0' '['; echo
grep -qx b a.txt && exit 0
printf 'not ok 1 - '; cat evil.txt; echo "TAP version 13"; printf 'not ok 1 - \\033[31m'; exit 1
"""
HOOK = """\
#!/bin/sh
printf '\\033]52;c;eA==\\007\\220\\n%s\\r\\342\\200\\256x' 'remote says'
exit 1
"""


def broad(answer):
    """In few pieces, where the one with its thoughts comes in many: each costs a millisecond."""
    return replace(answer, piece=97)


LAST = broad(calls(call("write_file", path="a.txt", content="b\n"), submit(ALL, ALL)))
"""Where a turn before was not taken."""


def scene_of(folder):
    scene = Scene(folder / "scene", {"check.sh": CHECK, "a.txt": "a\n"})
    (scene.repository / "evil.txt").write_bytes(RAW)
    (scene.repository / "AGENTS.md").write_bytes(RAW)
    for name in NAMES:
        scene.write(name, FEW)
    scene.git("add", "-A")
    scene.git("config", "user.name", "Ada \x1b]0;x\x07 \u202e[red]")
    scene.git("commit", "-q", "-m", ALL.replace("\x00", ""))
    scene.git("checkout", "-q", "-b", "ma\u202ein\u200b")
    scene.git("push", "-q", "origin", "HEAD")
    return scene


def script(change="b\n"):
    return {
        "planner": [
            broad(submit_plan(ALL, FEW, files=["a.txt", FEW])),
            submit_plan("Mend it.", files=["a.txt"]),
        ],
        "coder": [
            refuse(500, ALL),
            broken_call(FEW, '{"command": "' + FEW),
            think(
                ALL,
                calls(
                    say(ALL),
                    call("bash", command="cat evil.txt; printf '\\033]0;x\\007'"),
                    call("read_file", path="evil.txt"),
                    call("read_file", path=FEW),
                    call(FEW, **{FEW: FEW}),
                    call("update_plan", items=[{"text": ALL, "state": "done"}]),
                    call("ask_user", question=ALL),
                ),
            ),
            broad(
                calls(
                    call("write_file", path="a.txt", content=change),
                    call("write_file", path="\x1b]0;new\x07\u202e\n.txt", content=ALL),
                    submit(ALL, ALL),
                )
            ),
        ],
        "reviewer": [broad(submit_review("flag", ALL, [ALL, f"x\n{FORGED}"]))],
    }


@pytest.mark.parametrize("output", ["text", "json", "stream-json"])
def test_a_session_full_of_it_prints_text_alone_and_tells_the_truth(tmp_path, output):
    scene = scene_of(tmp_path)
    hook = scene.remote / "hooks" / "pre-receive"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    server = ModelServer(script(), forever=LAST)
    with server, Oracle(scene, server=server, engine=False) as oracle:
        ran = scene.run(
            "--yes", "--output", output, "--model", "openai/scripted",
            "--api-base", server.base_url, *OPTIONS, "--output-dir", str(scene.out),
            "--push", "origin/healed", "make the tests pass",
        )  # fmt: skip
    assert ran.exit_code == 6, ran.says
    assert oracle.broken(ran) == []
    assert offences(ran.out) == []
    assert offences(ran.err) == []
    assert "Traceback" not in ran.says
    assert "remote says" in ran.says
    if output == "text":
        assert ran.last_line.startswith("repository refused (exit 6): ")
        assert not [line for line in ran.says.splitlines() if line.startswith("committed (exit")]
    else:
        whole = [ran.out] if output == "json" else ran.out.splitlines()
        assert [json.loads(text) for text in whole]
    message = scene.git("log", "-1", "--format=%B", "selfheal/make-the-tests-pass")
    assert offences(message.encode()) == []


def test_a_terminal_gets_our_sequences_and_text_alone(tmp_path, screens):
    scene = scene_of(tmp_path)
    server = ModelServer(script(), forever=LAST)
    with server, Oracle(scene, server=server, engine=False) as oracle:
        arguments = (
            "--model",
            "openai/scripted",
            "--api-base",
            server.base_url,
            *OPTIONS,
            "--no-plan",
        )
        with at_terminal(screens, scene, *arguments, "make the tests pass") as terminal:
            terminal.until("goes on without isolation")
            terminal.send("\x19")
            terminal.until("VERIFIED", timeout=90)
            terminal.rest(1.0)
            terminal.send("\x1b[O")
            terminal.rest()
            for key in ("\t", "\t", "\x1b[B", "\x1b[6~", "\x1b[F", "\x1b"):
                terminal.send(key)
                terminal.rest()
            terminal.send("\x11")
            terminal.rest(1.0)
            terminal.send("\x11")
            ran = terminal.ran()
    assert offences(ran.drawn, interface=True) == []
    assert [sentence for sentence in oracle.broken(ran) if sentence.startswith("7")] == []
    assert b"Traceback" not in ran.drawn


def test_a_record_full_of_it_is_replayed_as_text(tmp_path):
    from selfheal_tui.core.events import to_json
    from tests.hostile.test_text_printed import session_of

    scene = Scene(tmp_path / "scene", {"a.txt": "a\n"})
    record = tmp_path / "events.jsonl"
    lines = [to_json(event, at=float(at)) for at, event in enumerate(session_of(ALL))]
    record.write_text("\n".join(lines) + "\n")
    with scene.interface("replay", str(record), "--speed", "0") as terminal:
        terminal.until("the end")
        terminal.rest(1.0)
        for key in ("\t", "\x1b[F", "\t", "\x1b[F", "\t", "\x1b[F", "\x1b"):
            terminal.send(key)
            terminal.rest()
        terminal.send("\x11")
        ran = ran_in(terminal)
    assert offences(ran.drawn, interface=True) == []
    assert b"Traceback" not in ran.drawn


def test_git_can_hold_the_names_that_are_tried_here(tmp_path):
    scene = scene_of(tmp_path)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=scene.repository, check=True, capture_output=True
    ).stdout.split(b"\0")
    assert {os.fsencode(os.path.normpath(name)) for name in NAMES} <= set(listed)
