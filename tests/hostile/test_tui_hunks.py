"""The user takes parts out of a change at the terminal, of every form that a part can have: what is
checked anew, committed and written to their files is exactly the rest."""

from __future__ import annotations

from tests.hostile.faulted import LOCAL, watched
from tests.hostile.scene import Scene
from tests.hostile.screens import YES, answer, at_terminal, go_on_without_isolation, left
from tests.hostile.terminal_bytes import offences
from tests.support.model_server import ModelServer, call, calls, submit

LINES = "".join(f"line {number}\r\n" for number in range(1, 31))
FILES = {
    "check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n",
    "a.txt": "a\n",
    "crlf.txt": LINES,
    "gone.txt": "here\n",
    "last.txt": "first\nno end of line",
    "moved.txt": "moved\n" * 30,
    "notes.txt": "notes\n",
    "run.sh": "echo run\n",
}
CHANGE = """
echo b >a.txt
sed -i 's/^line 2\\r/LINE 2\\r/; s/^line 28\\r/LINE 28\\r/' crlf.txt
rm gone.txt
printf 'first\\nstill no end' >last.txt
ln -s a.txt link
git mv moved.txt there.txt 2>/dev/null || mv moved.txt there.txt
chmod +x run.sh
mkdir n && echo new >n/new.txt
"""
WHOLE = ("gone.txt", "last.txt", "link", "moved.txt", "n/new.txt", "run.sh", "there.txt")
"""Files that are taken out whole, in the order in which they are shown."""

REST = 0.2
"""Seconds without anything drawn, after which all that was to be drawn is."""


def refuse(terminal, keys, number):
    """As a user does it, who types when the place for it is there."""
    terminal.rest(REST)
    terminal.send(keys)
    terminal.until("A reason, if you like")
    terminal.rest(REST)
    terminal.send("not this\r")
    terminal.until(f"{number} of 10 hunks refused")


def test_exactly_the_rest_is_checked_committed_and_written(tmp_path, screens):
    scene = Scene(tmp_path / "scene", FILES)
    scene.write("notes.txt", "notes\nmy own words\n")
    change = calls(call("bash", command=CHANGE), submit("Done.", "Mend it"))
    server = ModelServer([], forever=change)
    arguments = (*LOCAL, "--model", "openai/x", "--api-base", server.base_url, "--current-branch")
    with server, watched(scene, server) as oracle:
        with at_terminal(screens, scene, *arguments, "go", size=(160, 60)) as terminal:
            go_on_without_isolation(terminal)
            terminal.until("Make this commit?", 60)
            terminal.until("Ctrl+Y yes")
            # The one of a.txt, and the first of the two in the file with other line ends.
            refuse(terminal, "hhx", 1)
            for number in range(len(WHOLE)):
                refuse(terminal, "fX", number + 2)
            terminal.send(YES)
            answer(terminal, "Make this commit?")
            terminal.until("committed (exit 0)", 60)
            ran = left(terminal)
        assert oracle.broken(ran) == []
    assert offences(ran.drawn, interface=True) == []
    commit = scene.git("rev-parse", "main")
    assert scene.git("diff", "--name-only", f"{commit}^", commit).split() == ["a.txt", "crlf.txt"]
    assert scene.git("status", "--porcelain") == "M notes.txt"
    assert (scene.repository / "a.txt").read_bytes() == b"b\n"
    crlf = LINES.replace("line 28\r", "LINE 28\r").encode()
    assert scene.git("cat-file", "-s", f"{commit}:crlf.txt") == str(len(crlf))
    assert (scene.repository / "crlf.txt").read_bytes() == crlf
