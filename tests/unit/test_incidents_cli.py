"""`selfheal incidents`: list, show, edit and delete, with and without a terminal."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import pytest

from selfheal_tui.adapters.incidents import IncidentStore
from selfheal_tui.cli import main
from selfheal_tui.core.checks import Failure
from selfheal_tui.core.incident import Incident
from selfheal_tui.core.signature import signature_of
from tests.support.terminal import Terminal, plain

AT = datetime(2026, 11, 2, 12).timestamp()
HEADER_LINES, FOOTER_LINES = 5, 5


def incident(message="Round prices late", **changes):
    values = {
        "signature": signature_of([Failure("t", "ValueError: price -3 is negative", "till.py:3")]),
        "message": message,
        "summary": "Prices were rounded twice.",
        "files": ("till.py",),
        "patch": "-return price\n+return round(price, 2)",
        "repository": "/home/ada/till",
        "commit": "1a2b3c4d5e",
        "at": AT,
    }
    return Incident(**(values | changes))


class Desk:
    """A state folder with two incidents, and the program started beside it."""

    def __init__(self, folder, monkeypatch, capsys):
        self.state, self.config = folder / "state", folder / "config"
        self.folder, self._capsys = folder, capsys
        self.state.mkdir(mode=0o700)
        self.config.mkdir()
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        self.store = IncidentStore(self.state)
        self.store.remember(incident())
        self.store.remember(incident("Check the \x1b[31msign\u202e", commit="", at=AT + 86_400))

    @property
    def environment(self):
        return {"SELFHEAL_STATE_DIR": str(self.state), "SELFHEAL_CONFIG_DIR": str(self.config)}

    def run(self, *arguments):
        """The exit code, what it printed, and what it told."""
        code = main(["incidents", *arguments])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def at_terminal(self, *arguments, **environment):
        program = "from selfheal_tui.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
        return Terminal(
            [sys.executable, "-c", program, "incidents", *arguments],
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": ":".join(path for path in sys.path if path),
                "TERM": "xterm",
                **self.environment,
                **environment,
            },
            columns=200,
        )

    @property
    def numbers(self):
        return [known.id for known in self.store.all()]


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return Desk(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("arguments", [[], ["list"]], ids=["bare", "list"])
def test_the_list_has_the_latest_first_and_nothing_unprintable(desk, arguments):
    code, out, err = desk.run(*arguments)
    assert code == 0
    assert out.splitlines() == [
        "   2  2026-11-03  till            ValueError: price -<n> is negative"
        "  ->  Check the ␛[31msign‹U+202E›",
        "   1  2026-11-02  till            ValueError: price -<n> is negative"
        "  ->  Round prices late",
    ]
    assert err == (f"selfheal: your own runbook: {desk.config}/incidents.md (nothing in it)\n")


@pytest.mark.parametrize("arguments", [["--json"], ["list", "--json"]], ids=" ".join)
def test_the_list_is_one_object_a_line_for_programs(desk, arguments):
    _, out, err = desk.run(*arguments)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == [2, 1]
    assert rows[1] == {
        "id": 1,
        "at": AT,
        "repository": "/home/ada/till",
        "commit": "1a2b3c4d5e",
        "error": "ValueError: price -<n> is negative",
        "symptoms": [
            {
                "kind": "ValueError",
                "error": "ValueError: price -<n> is negative",
                "modules": [],
                "names": [],
                "frames": ["till.py"],
            }
        ],
        "message": "Round prices late",
        "summary": "Prices were rounded twice.",
        "files": ["till.py"],
        "patch": "-return price\n+return round(price, 2)",
        "wording": "",
        "note": {
            "origin": "healed on 2026-11-02 in till, commit 1a2b3c4",
            "text": "Round prices late. Prices were rounded twice. Changed till.py."
            " - return price ⏎ + return round(price, 2)",
        },
    }
    assert err == ""


def test_one_is_shown_with_all_that_is_kept_of_it(desk):
    _, out, _ = desk.run("show", "1")
    assert out.splitlines() == [
        "incident    1",
        "healed      2026-11-02 in /home/ada/till",
        "commit      1a2b3c4d5e",
        "failed      ValueError: price -<n> is negative",
        "at          till.py",
        "message     Round prices late",
        "summary     Prices were rounded twice.",
        "changed     till.py",
        "note        healed on 2026-11-02 in till, commit 1a2b3c4: Round prices late. Prices were"
        " rounded twice. Changed till.py. - return price ⏎ + return round(price, 2)",
        "wording     made from the heal",
        "-return price",
        "+return round(price, 2)",
    ]
    assert json.loads(desk.run("show", "2", "--json")[1])["commit"] == ""


def test_a_note_is_reworded_without_its_secrets_and_made_anew(desk, monkeypatch):
    monkeypatch.setenv("TILL_API_KEY", "hunter2-4711-swordfish")
    _, out, _ = desk.run("edit", "1", "--text", "Ask for hunter2-4711-swordfish\nfirst.")
    assert out == "healed on 2026-11-02 in till, commit 1a2b3c4: Ask for [redacted] first.\n"
    assert "Ask for [redacted] first." in desk.run("list")[1]
    assert "wording     your own" in desk.run("show", "1")[1]
    desk.run("edit", "1", "--text", "")
    assert desk.store.find(1).text == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "9"], 2, "there is no incident 9; see `selfheal incidents`"),
        (["show", "x"], 2, "invalid whole number value: 'x'"),
        (["show"], 2, "the following arguments are required: ID"),
        (["edit", "9", "--text", "x"], 2, "there is no incident 9"),
        (["edit", "1"], 2, "there is no terminal for an editor: give the text with --text"),
        (["delete"], 2, "say which one: selfheal incidents delete ID, or --all"),
        (["delete", "1", "--all"], 2, "say which one"),
        (["delete", "9", "--yes"], 2, "there is no incident 9"),
        (["delete", "1"], 3, "nobody is there to confirm it: say --yes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_is_said_and_changes_nothing(desk, arguments, code, said):
    before = desk.store.all()
    ended, out, err = desk.run(*arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert desk.store.all() == before


def test_one_is_deleted_and_then_all(desk):
    assert desk.run("delete", "1", "--yes")[:2] == (0, "deleted 1\n")
    assert desk.numbers == [2]
    assert desk.run("delete", "--all", "--yes")[:2] == (0, "deleted 1\n")
    assert desk.run()[1] == "nothing is remembered yet\n"


def test_what_is_kept_can_be_seen_and_deleted_while_memory_is_off(desk, monkeypatch):
    monkeypatch.setenv("SELFHEAL_MEMORY_ENABLED", "false")
    code, out, err = desk.run()
    assert (code, len(out.splitlines())) == (0, 2)
    assert "memory is switched off (memory.enabled): nothing is kept or recalled" in err


def test_a_damaged_file_is_told(desk):
    (desk.state / "incidents.db").write_bytes(b"nonsense" * 999)
    code, out, err = desk.run()
    assert (code, out) == (0, "nothing is remembered yet\n")
    assert "the memory of earlier heals was damaged; it is kept as incidents.db.damaged-" in err


def test_the_users_own_runbook_is_counted(desk):
    (desk.config / "incidents.md").write_text("# A\nx\n# B\ny\n")
    assert desk.run()[2].endswith("incidents.md (2 sections)\n")


# --- at a terminal -------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "code", "left"), [("yes\n", 0, [2]), ("y\n", 3, [2, 1])])
def test_at_a_terminal_a_yes_is_typed(desk, typed, code, left):
    terminal = desk.at_terminal("delete", "1")
    try:
        terminal.until("Type yes: ")
        terminal.send(typed)
        assert terminal.ended() == code
        assert "Round prices late" in plain(terminal.drawn)
    finally:
        terminal.close()
    assert desk.numbers == left


def editor(desk, script):
    file = desk.folder / "editor"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return str(file)


def test_the_users_editor_changes_a_note_in_a_private_file(desk):
    # The file is printed as it was, with its mode, from the folder that the editor is in.
    program = editor(desk, 'stat -c %a note.txt; cat note.txt; sed -i "s/^Round.*/Mine./" "$2"')
    terminal = desk.at_terminal("edit", "1", VISUAL=f"'{program}' -x", EDITOR="false")
    try:
        assert terminal.ended() == 0
        lines = plain(terminal.drawn).replace("\r", "").splitlines()
    finally:
        terminal.close()
    assert lines[0] == "600"
    assert lines[-1] == "healed on 2026-11-02 in till, commit 1a2b3c4: Mine."
    shown = next(n for n, line in enumerate(lines) if line.startswith("Round prices"))
    # Where editors look for orders there are only remarks.
    assert shown > HEADER_LINES
    assert len(lines) - 1 - shown - 1 > FOOTER_LINES
    assert desk.store.find(1).text == "Mine."
    assert [path.name for path in desk.state.iterdir()] == ["incidents.db"]


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [("exit 3", 70, "ended with 3: nothing was changed"), ("true", 0, "Round prices late")],
    ids=["failed", "only looked"],
)
def test_an_editor_that_fails_or_only_looks_changes_nothing(desk, script, code, said):
    terminal = desk.at_terminal("edit", "1", EDITOR=editor(desk, script))
    try:
        assert terminal.ended() == code
        assert said in plain(terminal.drawn)
    finally:
        terminal.close()
    assert desk.store.find(1).text == ""
