"""`selfheal audit`: shows the log and verifies it, and never changes it."""

from __future__ import annotations

import json
import sqlite3

import pytest

from selfheal_tui.cli.audit import main
from selfheal_tui.core.audit import BEGUN
from selfheal_tui.core.events import ApprovalAnswered, ApprovalAsked, PushStarted, SessionStarted
from tests.support.headless import Workplace
from tests.support.sessions import Bench, submitted, write

URL = "https://ada:s3cret-s3cret@example.invalid/r.git"
REASON = "no \x1b]52;c;aGk=\x07 \u202e thanks"
PUSH = {"commit": "c" * 40, "remote": "origin", "url": URL, "ref": "refs/heads/x", "old": "0" * 40}
EVENTS = (
    SessionStarted("s1", "fix it", "/r", "0.1"),
    ApprovalAsked("a1", "push", "k", json.dumps(PUSH)),
    ApprovalAnswered("a1", "push", "k", False, "user", REASON),
    PushStarted("c" * 40, URL, "refs/heads/x"),
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Workplace(tmp_path, {})
    monkeypatch.chdir(place.repository)
    monkeypatch.setenv("SELFHEAL_STATE_DIR", str(place.state))
    monkeypatch.setenv("SELFHEAL_CONFIG_DIR", str(tmp_path / "config"))
    return place


@pytest.fixture
def filled(place):
    from selfheal_tui.adapters.store import Store
    from selfheal_tui.folders import make_private

    store = Store(make_private(place.state))
    for at, event in enumerate(EVENTS):
        store.append("s1", event, 1_700_000_000.0 + at)
    store.append("s2", EVENTS[3], 1_700_000_009.0)
    store.close()
    return place


def change(place, statement):
    database = sqlite3.connect(place.state / "sessions.db")
    with database:
        database.execute(statement)
    database.close()


def test_the_log_is_shown_with_no_control_sequence_and_no_credential(filled, capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "approval" in out
    assert "https://example.invalid/r.git" in out
    assert "s3cret" not in out
    assert not any(sign in out for sign in "\x1b\x07\u202e")
    assert [line.split()[0] for line in out.splitlines() if line[:5].strip()] == list("1234")


def test_one_session_is_shown_by_the_start_of_its_id(filled, capsys):
    assert main(["s2"]) == 0
    out = capsys.readouterr().out
    assert "s2  push begun" in out
    assert "s1" not in out


def test_json_is_one_object_a_line(filled, capsys):
    assert main(["--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["kind"] for record in records] == [BEGUN, "approval", "push begun", "push begun"]
    assert records[1]["fields"]["by"] == "user"
    assert records[1]["previous"] == records[0]["hash"]


def test_what_is_a_secret_by_now_is_not_shown(filled, capsys, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "example.invalid/r.git")
    main(["--json"])
    assert "example.invalid/r.git" not in capsys.readouterr().out


def test_a_whole_log_is_exit_0_and_says_its_head(filled, capsys):
    assert main(["--verify"]) == 0
    assert "the audit log is whole: 4 records" in capsys.readouterr().out


def test_sessions_that_are_older_than_the_log_are_named(filled, capsys):
    change(filled, "DROP TABLE audit")
    (filled.state / "audit.head").unlink()
    from selfheal_tui.adapters.store import Store

    store = Store(filled.state)
    store.append("s3", SessionStarted("s3", "t", "/r", "0.1"), 1.0)
    store.append("s3", EVENTS[3], 2.0)
    store.close()
    assert main(["--verify"]) == 0
    assert "older than the log, and have no records there: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET fields = '{}' WHERE number = 2", "record 2: it was changed"),
        ("DELETE FROM audit WHERE number = 4", "record 4: it is missing"),
        ("DELETE FROM audit WHERE number = 3", "record 3: it is missing"),
        ("UPDATE audit SET at = 'x' WHERE number = 1", "record 1: it was changed"),
    ],
    ids=["changed", "the last one removed", "removed", "a time that is none"],
)
def test_a_changed_log_is_exit_1_and_names_the_first_broken_record(
    filled, capsys, statement, words
):
    change(filled, statement)
    assert main(["--verify"]) == 1
    assert f"the audit log was changed: {words}" in capsys.readouterr().out
    assert main(["--verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    # What is left of it is shown all the same, and stays as it is.
    assert main([]) == 0
    assert main(["--verify"]) == 1


def test_an_empty_log_is_whole(place, capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == "no records\n"
    assert main(["--verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "length": 0, "hash": "0" * 64}


def test_a_session_that_is_not_there_and_one_to_verify_are_usage_errors(filled):
    for arguments in (["s9"], ["--verify", "s1"]):
        ended = filled.run("audit", *arguments)
        assert (ended.exit_code, ended.out) == (2, "")


async def test_an_undo_at_the_command_line_is_in_the_log(tmp_path):
    bench = Bench(tmp_path, {"check.sh": "grep -qx b a.txt\n", "a.txt": "a\n"})
    await bench.run([submitted(write("a.txt", "b\n"))])
    assert bench.place.run("undo").exit_code == 3
    assert bench.place.run("undo", "--yes").exit_code == 0
    bench.store.close()
    shown = bench.place.run("audit", "--json")
    records = [json.loads(line) for line in shown.out.splitlines()]
    words = [
        f"{record['kind']} {record['fields'].get('by', '')}".strip() for record in records[-4:]
    ]
    assert words == ["approval nobody", "approval --yes", "undo begun", "undo made"]
    assert bench.place.run("audit", "--verify").exit_code == 0


def test_the_demo_leaves_the_log_alone(place):
    ended = place.run("demo", "--yes", "--sandbox", "local")
    assert ended.exit_code == 0, ended.err
    assert place.run("audit").out == "no records\n"
