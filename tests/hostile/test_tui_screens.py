"""What the interface's other screens send to a terminal and write into files, with hostile text and
secrets in every place: earlier sessions, their records, attempts, transcripts, what is pasted, and
files that are named in a message."""

from __future__ import annotations

from tests.hostile.faulted import watched
from tests.hostile.scene import IGNORED_SECRET, KEY, Scene
from tests.hostile.screens import (
    ESCAPE,
    YES,
    answer,
    at_terminal,
    go_on_without_isolation,
    left,
)
from tests.hostile.terminal_bytes import offences
from tests.hostile.texts import TEXTS
from tests.support.model_server import ModelServer, call, calls, say, submit

ALL = "\n".join(TEXTS.values()).replace("\0", "").encode("utf-8", "ignore").decode()
CHECK = "cat evil.txt; grep -qx b a.txt"
IN_TWO = f"{KEY[:9]}''{KEY[9:]}"
"""The key for a shell: whole it would stand among the arguments of that, as the model's words."""

FIRST = calls(
    say(ALL),
    call("bash", command=f"cat evil.txt; echo $OPENAI_API_KEY; echo {IN_TWO}"),
    call("read_file", path=KEY),
    call("write_file", path="a.txt", content="b\n"),
    submit(ALL, ALL),
)
PASTED = "\x1b[200~{}\x1b[201~"


def scene_of(folder):
    scene = Scene(folder / "scene", {"check.sh": CHECK, "a.txt": "a\n"})
    (scene.repository / "evil.txt").write_text(ALL)
    scene.git("add", "-A")
    scene.git("commit", "-q", "-m", "Evil")
    return scene


def test_every_screen_sends_text_alone_and_no_secret(tmp_path, screens):
    scene = scene_of(tmp_path)
    exported = tmp_path / "transcript.md"
    options = ("--check", "sh check.sh", "--no-plan", "--no-review", "--sandbox", "local")
    with ModelServer([], forever=FIRST) as server, watched(scene, server) as oracle:
        arguments = (*options, "--model", "openai/x", "--api-base", server.base_url)
        with at_terminal(screens, scene, *arguments) as terminal:
            go_on_without_isolation(terminal)
            # Pasted text with sequences, and a file that git ignores by its name.
            terminal.send(PASTED.format(f"mend it {ALL} @.env ".replace("\x1b", "")))
            terminal.rest()
            terminal.send("\x1b[200~\x1b]52;c;cHduZWQ=\x07 @a.txt\x1b[201~")
            terminal.rest()
            terminal.send("\r")
            answer(terminal, "Make this commit?", YES, 25.0)
            # Output says that it is committed all along: only git knows.
            while not scene.git("for-each-ref", "refs/heads/selfheal"):
                terminal.rest(0.25)
            terminal.until("remembered for later", 15)
            terminal.rest(0.5)
            terminal.forget()
            terminal.send(f"/export {exported}\r")
            for _ in range(40):
                terminal.rest(0.25)
                if exported.exists():
                    break
            assert exported.exists()
            terminal.send("/attempts\r")
            terminal.until("Attempts", 15)
            terminal.rest(0.5)
            terminal.send(ESCAPE)
            # At once it would be another key.
            terminal.rest(0.5)
            terminal.send("/resume\r")
            terminal.until("Earlier sessions", 60)
            terminal.rest(0.5)
            terminal.send(ESCAPE)
            terminal.rest(0.5)
            # Earlier messages come back as they were typed.
            terminal.send("\x1b[A\x1b[A")
            terminal.rest(0.5)
            ran = left(terminal)
    assert offences(ran.drawn, interface=True) == []
    assert b"Traceback" not in ran.drawn
    broken = oracle.broken(ran)
    assert broken == [], "\n".join(broken)
    text = exported.read_bytes()
    assert (offences(text), KEY.encode() in text) == ([], False)
    assert IGNORED_SECRET.encode() not in text
    assert not any(IGNORED_SECRET in request.text for request in server.requests)
