"""The interface in a real pseudo-terminal, which is left as it was whatever happens to it."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfheal_tui.core.approval import CommitRequest
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Asked
from selfheal_tui.ui.panes import all_panes
from tests.support import stories
from tests.support.conductor import FakeConductor, opened
from tests.support.headless import Workplace
from tests.support.terminal import RESTORED, Terminal, plain

CTRL_Q, CTRL_Z, F1, FOCUS_OUT = "\x11", "\x1a", "\x1bOP", "\x1b[O"
ALTERNATE = "\x1b[?1049h"
NOT_UNICODE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
COMMIT = CommitRequest("a" * 40, "c" * 40, "refs/heads/selfheal/x", "0" * 40, "Mend it", False)


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path, {"a.txt": "a\n"})


@pytest.fixture
def record(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(stories.as_lines(stories.healed_at_3()))
    return str(file)


def environment_of(place, changed):
    kept = {
        name: value
        for name, value in place._environment().items()
        if not name.startswith(("LC_", "LANG", "PYTHONIO", "NO_COLOR", "TERM", "VTE"))
    }
    made = kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | changed
    return {name: value for name, value in made.items() if value is not None}


@contextmanager
def interface(place, *arguments, columns=120, lines=36, **changed):
    argv = [sys.executable, "-m", "selfheal_tui", *arguments]
    environment = environment_of(place, changed)
    terminal = Terminal(argv, cwd=place.repository, env=environment, columns=columns, lines=lines)
    try:
        yield terminal
    finally:
        terminal.close()


@contextmanager
def replayed(place, record, **options):
    """A record that was told to its end."""
    with interface(place, "replay", record, "--speed", "0", **options) as terminal:
        terminal.until("committed (exit 0)")
        yield terminal


def threads_of(terminal):
    return len(list(Path(f"/proc/{terminal.pid}/task").iterdir()))


def ended_well(terminal, code):
    assert terminal.ended() == code
    assert terminal.left() == []
    # A check that fails may show one of its own, but nothing comes after the interface.
    assert "Traceback" not in terminal.drawn[terminal.drawn.rindex(RESTORED) :]


# --- signals and terminals that go away ------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_at_rest_restores_the_terminal(place, record, number):
    with replayed(place, record) as terminal:
        terminal.signal(number)
        ended_well(terminal, 128 + number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_running_session_which_is_kept(place, number):
    temporary = place.folder / "temporary"
    temporary.mkdir()
    with interface(place, "demo", "--sandbox", "local", TMPDIR=str(temporary)) as terminal:
        terminal.until("Attempt 1 of 3")
        terminal.signal(number)
        ended_well(terminal, 128 + number)
    (row,) = map(json.loads, place.run("sessions", "--all", "--json").out.splitlines())
    assert row["exit_code"] == 128 + number
    assert [path.name for path in temporary.iterdir()] == []


def test_a_signal_to_go_on_where_nothing_was_stopped_keeps_one_reader_of_keys(place, record):
    """A closed terminal sends it, too: a second reader of keys would outlive the interface."""
    with replayed(place, record) as terminal:
        before = threads_of(terminal)
        for _ in range(20):
            terminal.signal(signal.SIGCONT)
        terminal.send(F1)
        terminal.until("Keys and commands")
        assert threads_of(terminal) == before
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)


def test_a_closed_terminal_ends_it(place, record):
    with replayed(place, record) as terminal:
        assert terminal.hang_up() == 128 + signal.SIGHUP


def test_a_terminal_that_sends_no_signal_ends_it_too(place, record):
    """Who does not control its terminal is not told that it is gone."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "selfheal_tui", "replay", record, "--speed", "0"],
        cwd=place.repository,
        env=environment_of(place, {}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    drawn = b""
    while b"committed (exit 0)" not in drawn:
        drawn += os.read(master, 65536)
    os.close(master)
    assert process.wait(30) == 128 + signal.SIGHUP


NEVER_ENDS = """
import asyncio, sys
from selfheal_tui.cli import leaving
leaving.LONGEST = float(sys.argv[1])
async def work():
    with leaving.Leaving(lambda number: print("asked", number, flush=True)):
        sys.stderr.write("\\x1b[?1049h\\x1b[?25l\\x1b[?7l\\x1b[?1000h\\x1b[?1003h\\x1b[?1006h\\x1b[?2004h")
        print("ready", flush=True)
        await asyncio.sleep(1000)
asyncio.run(work())
"""


@pytest.mark.parametrize(("longest", "signals"), [("0.05", 1), ("1000", 2)], ids=["slow", "twice"])
def test_an_end_that_does_not_come_is_made(place, longest, signals):
    argv = [sys.executable, "-c", NEVER_ENDS, longest]
    terminal = Terminal(argv, cwd=place.repository, env=environment_of(place, {}))
    try:
        terminal.until("ready")
        for _ in range(signals):
            terminal.signal(signal.SIGTERM)
            terminal.until("asked 15") if _ == 0 else None
        ended_well(terminal, 128 + signal.SIGTERM)
    finally:
        terminal.close()


# --- suspend and continue --------------------------------------------------------------------


@pytest.mark.parametrize("how", ["key", "signal"])
def test_it_suspends_and_goes_on(place, record, how):
    with replayed(place, record) as terminal:
        terminal.forget()
        terminal.send(CTRL_Z) if how == "key" else terminal.signal(signal.SIGTSTP)
        terminal.stopped()
        assert terminal.left() == []
        before = len(terminal.drawn)
        terminal.resize(100, 30)
        terminal.signal(signal.SIGCONT)
        terminal.until("committed (exit 0)")
        assert terminal.drawn[before:].count(ALTERNATE) == 1
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)


@pytest.mark.parametrize("ending", ["hang up", "terminate"])
def test_a_suspended_one_can_be_ended(place, record, ending):
    with replayed(place, record) as terminal:
        terminal.send(CTRL_Z)
        terminal.stopped()
        if ending == "hang up":
            assert terminal.hang_up() == 128 + signal.SIGHUP
            return
        terminal.signal(signal.SIGTERM)
        terminal.signal(signal.SIGCONT)
        ended_well(terminal, 128 + signal.SIGTERM)


# --- sizes -----------------------------------------------------------------------------------


def test_a_storm_of_sizes_while_events_pour_breaks_nothing(place, tmp_path):
    file = tmp_path / "long.jsonl"
    file.write_text(stories.as_lines(stories.long(3_000)))
    chance = random.Random(5)
    with interface(place, "replay", str(file), "--speed", "50") as terminal:
        terminal.until("Reasoning")
        for _ in range(300):
            terminal.resize(chance.randint(20, 400), chance.randint(5, 120))
            terminal.rest(0)
        for size in ((20, 5), (400, 120), (120, 36)):
            terminal.resize(*size)
            terminal.rest()
        terminal.send(F1)
        terminal.until("Keys and commands")
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)


@pytest.mark.parametrize("size", [(20, 5), (40, 10)], ids=str)
async def test_a_small_terminal_shows_the_input_and_what_is_asked(size):
    conductor = FakeConductor(running=True)
    app = SelfhealApp(conductor, make_panes=all_panes)
    async with opened(app, size=size) as pilot:
        conductor.tell(*[event for event, _ in stories.running()])
        await conductor.told(pilot)
        await pilot.press("slash")
        await pilot.pause()
        editor = app.prompt.editor
        assert editor.region.height == 1
        assert app.screen.region.contains_region(editor.region)
        await pilot.press("backspace")
        conductor.tell(Asked(COMMIT))
        await conductor.told(pilot)
        hint = app.screen.query_one("#hint")
        assert app.screen.region.contains_region(hint.region)
        assert str(hint.render()).startswith("Ctrl+Y yes")


# --- poor terminals --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dumb", "unknown", "", None])
@pytest.mark.parametrize("what", ["run", "replay", "demo"])
def test_a_terminal_that_cannot_move_is_refused_with_a_sentence(place, record, kind, what):
    arguments = {"run": [], "replay": ["replay", record], "demo": ["demo"]}[what]
    with interface(place, *arguments, TERM=kind) as terminal:
        assert terminal.ended() == 2
        said = terminal.drawn
    named = f"TERM={kind}" if kind else "TERM is not set"
    assert said.startswith(f"selfheal: this terminal cannot show the interface ({named}); ")
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_without_colour_there_is_none(place, record):
    with replayed(place, record, NO_COLOR="1", COLORTERM="truecolor") as terminal:
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)
        shades = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", terminal.drawn)
        assert shades
        assert {shade for shade in shades if len(set(shade)) != 1} == set()


@pytest.mark.parametrize(
    ("changed", "encoding"),
    [
        ({"LANG": "C"}, "utf-8"),
        ({"LC_ALL": "POSIX"}, "utf-8"),
        (NOT_UNICODE, "ascii"),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
    ],
    ids=str,
)
def test_a_terminal_of_another_character_set_gets_stand_ins(place, record, changed, encoding):
    with replayed(place, record, **changed) as terminal:
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)
        terminal.raw.decode(encoding)
        text = plain(terminal.drawn)
        assert "\\u" not in text
        assert "\\x" not in text
        assert ("\u2026" in text) == (encoding == "utf-8")


@pytest.mark.parametrize(
    "data", [b"\xe9x", b"\xff", b"\xc3(", b"\x80" * 2000], ids=["latin", "ff", "cut", "many"]
)
def test_keys_that_are_not_utf_8_end_nothing(place, record, data):
    with replayed(place, record) as terminal:
        terminal.send_bytes(data)
        terminal.forget()
        terminal.send(F1)
        terminal.until("Keys and commands")
        terminal.send(CTRL_Q)
        ended_well(terminal, 0)


@pytest.mark.parametrize(
    "changed", [NOT_UNICODE, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX"}], ids=str
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_headless_output_comes_in_any_character_set(place, changed, output):
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "selfheal_tui",
            *("demo", "--yes", "--sandbox", "local", "--output", output),
        ],
        cwd=place.repository,
        env=environment_of(place, changed),
        capture_output=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert b"Traceback" not in process.stderr
    if output == "json":
        assert json.loads(process.stdout)["exit_code"] == 0


# --- no terminal -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/null", "2>/dev/null"]
)
@pytest.mark.parametrize("arguments", ["", "replay {record}"], ids=["run", "replay"])
def test_without_a_terminal_it_ends_with_the_right_code(place, record, closed, arguments):
    command = f"exec {sys.executable} -m selfheal_tui {arguments.format(record=record)} {closed}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=place.repository,
        env=environment_of(place, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    if "2>" not in closed:
        assert done.stderr.startswith("selfheal: there is no terminal; ")
        assert done.stderr.count("\n") == 1


def test_a_closed_stdin_and_stderr_hold_no_headless_run_up(place):
    command = f"exec {sys.executable} -m selfheal_tui demo --yes --sandbox local --output json"
    done = subprocess.run(
        ["sh", "-c", f"{command} <&- 2>&-"],
        cwd=place.repository,
        env=environment_of(place, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["exit_code"] == 0


# --- calling for the user --------------------------------------------------------------------


def test_who_looks_elsewhere_is_called_and_gets_the_title_back(place):
    with interface(place, "demo", "--sandbox", "local") as terminal:
        terminal.until("Attempt 1 of 3")
        terminal.send(FOCUS_OUT)
        terminal.until("Make this commit?")
        terminal.rest()
        assert "\x1b[22;0t\x1b]2;\u25cf selfheal: Make this commit?\x07\x07" in terminal.drawn
        assert "\x1b]9;selfheal: Make this commit?\x07" in terminal.drawn
        terminal.signal(signal.SIGTERM)
        ended_well(terminal, 128 + signal.SIGTERM)
        assert terminal.drawn.count("\x1b[22;0t") == terminal.drawn.count("\x1b[23;0t")
        assert terminal.drawn.rindex("\x1b[23;0t") > terminal.drawn.rindex("\x1b[22;0t")


def test_what_is_turned_off_is_not_sent(place):
    off = {f"SELFHEAL_UI_{name}": "false" for name in ("BELL", "TITLE", "NOTIFY")}
    with interface(place, "demo", "--sandbox", "local", **off) as terminal:
        terminal.until("Attempt 1 of 3")
        terminal.send(FOCUS_OUT)
        terminal.until("Make this commit?")
        terminal.rest()
        terminal.signal(signal.SIGTERM)
        ended_well(terminal, 128 + signal.SIGTERM)
        assert re.findall(r"\x1b\](?:2|9|777);|\x1b\[2[23];0t", terminal.drawn) == []
