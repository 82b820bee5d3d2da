"""The audit log on disk: any change of any row is detected, and a crash is none."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.audit import HEAD_FILE, AuditLog
from selfheal_tui.adapters.store import Store
from selfheal_tui.core.audit import BEGUN, BROKEN, Break, Head
from selfheal_tui.core.events import (
    CommitStarted,
    Committed,
    PushStarted,
    SessionEnded,
    SessionStarted,
    Warned,
)
from selfheal_tui.errors import SelfhealError

STARTED = SessionStarted("s1", "fix it", "/r", "0.1")
BEGUN_COMMIT = CommitStarted("t", "refs/heads/x", "p")
MADE = Committed("c", "t", "refs/heads/x", False, "Mend it")
PUSHING = PushStarted("c", "https://example.invalid/r.git", "refs/heads/x")


def fill(folder, *events):
    store = Store(folder)
    for at, event in enumerate(events or (STARTED, BEGUN_COMMIT, MADE, PUSHING)):
        store.append("s1", event, float(at))
    store.close()


def verify(folder):
    store = Store(folder)
    try:
        return store.verify_audit()
    finally:
        store.close()


def kinds(folder):
    store = Store(folder)
    try:
        return [record.kind for record in store.audit()]
    finally:
        store.close()


def change(folder, statement, *values):
    database = sqlite3.connect(folder / "sessions.db")
    with database:
        database.execute(statement, values)
    database.close()


@pytest.fixture
def filled(tmp_path):
    fill(tmp_path)
    return tmp_path


def test_a_run_leaves_its_records_and_they_are_whole(filled):
    assert kinds(filled) == [BEGUN, "commit begun", "commit made", "push begun"]
    found = verify(filled)
    assert isinstance(found, Head)
    assert found.length == 4


def test_the_head_is_private(filled):
    assert stat.S_IMODE((filled / HEAD_FILE).stat().st_mode) == 0o600
    assert [path.name for path in filled.glob("audit*")] == [HEAD_FILE]


CHANGES = {
    "previous": ["", "1" * 64, b"0" * 64],
    "at": [9.5, "text", b"1"],
    "session": ["s2", b"s1", ""],
    "kind": ["approval", b"commit begun", 1],
    "fields": ["{}", '{"ref": "x"}', b"{}", b"\xff\xfe"],
    "hash": ["0" * 64, b"", ""],
    "number": [17, -1],
}


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        (column, value)
        for column, values in CHANGES.items()
        for value in values
        if value is not None
    ],
)
def test_any_value_in_any_column_of_any_row_is_detected(filled, column, value, number):
    change(filled, f"UPDATE audit SET {column} = ? WHERE number = ?", value, number)
    found = verify(filled)
    assert isinstance(found, Break)
    # A row whose number is negative comes first.
    assert found.number == (1 if value == -1 else number)


@pytest.mark.parametrize("column", [name for name in CHANGES if name not in ("number", "at")])
def test_the_same_bytes_as_another_type_are_a_change(filled, column):
    change(filled, f"UPDATE audit SET {column} = CAST({column} AS BLOB) WHERE number = 3")
    found = verify(filled)
    assert isinstance(found, Break)
    assert found.number == 3


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_flipped_bit_of_any_stored_text_is_detected(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("state")
    fill(folder)
    column = data.draw(st.sampled_from(["previous", "session", "kind", "fields", "hash"]))
    number = data.draw(st.integers(1, 4))
    database = sqlite3.connect(folder / "sessions.db")
    (text,) = database.execute(
        f"SELECT CAST({column} AS BLOB) FROM audit WHERE number = ?", (number,)
    ).fetchone()
    database.close()
    place = data.draw(st.integers(0, len(text) - 1))
    flipped = bytearray(text)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    change(
        folder,
        f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE number = ?",
        bytes(flipped),
        number,
    )
    found = verify(folder)
    assert isinstance(found, Break)
    assert found.number == number


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 4", 4),
        ("DELETE FROM audit WHERE number > 1", 2),
        ("DELETE FROM audit", 1),
        ("DROP TABLE audit", 1),
        ("INSERT INTO audit SELECT number + 1, hash, at, session, kind, fields, hash"
         " FROM audit WHERE number = 4", 5),
    ],
    ids=["first", "middle", "last", "all but one", "all", "the table", "one more"],
)  # fmt: skip
def test_removed_and_added_rows_are_detected(filled, statement, broken):
    change(filled, statement)
    found = verify(filled)
    assert isinstance(found, Break)
    assert found.number == broken


@pytest.mark.parametrize("what", ["DELETE FROM audit WHERE number > 2", "DROP TABLE audit"])
def test_a_log_that_was_cut_cannot_be_grown_whole_again(filled, what):
    change(filled, what)
    fill(filled, PUSHING, PUSHING)
    assert BROKEN in kinds(filled)
    assert isinstance(verify(filled), Break)


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "\0" * 50])
def test_a_head_that_is_gone_or_no_head_is_detected_and_stays_so(filled, content):
    (filled / HEAD_FILE).unlink()
    if content is not None:
        (filled / HEAD_FILE).write_text(content)
    assert isinstance(verify(filled), Break)
    fill(filled, PUSHING)
    assert isinstance(verify(filled), Break)


def test_a_link_in_place_of_the_head_is_not_followed(filled, tmp_path):
    (filled / HEAD_FILE).unlink()
    (filled / "precious").write_text("precious")
    (filled / HEAD_FILE).symlink_to("precious")
    assert isinstance(verify(filled), Break)
    fill(filled, PUSHING)
    assert (filled / "precious").read_text() == "precious"


def test_a_database_that_was_replaced_is_told_by_the_head_beside_it(filled):
    for path in filled.glob("sessions.db*"):
        path.write_bytes(b"damaged" * 100)
    fill(filled, PUSHING)
    assert kinds(filled) == [BROKEN, "push begun"]
    assert isinstance(verify(filled), Break)


# --- crashes -----------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for a SIGKILL: nothing catches it."""


def killed_at(monkeypatch, n):
    """Dies before the n-th fsync, rename or commit of the log."""
    left = [n]

    def counted(real):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(AuditLog, "confirm", counted(AuditLog.confirm))
    monkeypatch.setattr(AuditLog, "add", counted(AuditLog.add))
    return left


def test_a_kill_at_any_moment_leaves_a_log_that_is_whole_and_goes_on(tmp_path, monkeypatch):
    n = 0
    while True:
        n += 1
        folder = tmp_path / str(n)
        folder.mkdir()
        fill(folder, STARTED, BEGUN_COMMIT)
        with monkeypatch.context() as patched:
            left = killed_at(patched, n)
            with contextlib.suppress(Killed):
                fill(folder, STARTED, MADE, PUSHING)
        assert isinstance(verify(folder), Head), f"killed at call {n}"
        fill(folder, PUSHING)
        assert isinstance(verify(folder), Head), f"killed at call {n}, then gone on"
        assert BROKEN not in kinds(folder)
        if left[0] > 0:
            break
    assert n > 12, "every call was tried"


def test_a_record_that_cannot_be_written_keeps_its_event_out_too(filled, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    store = Store(filled)
    before = list(store.events("s1"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SelfhealError, match="No space left"):
            store.append("s1", MADE, 9.0)
    assert list(store.events("s1")) == before
    assert isinstance(store.verify_audit(), Head)
    store.append("s1", MADE, 9.0)
    assert isinstance(store.verify_audit(), Head)
    store.close()


def test_an_intent_that_a_kill_left_open_is_closed_when_the_session_is_taken_up(tmp_path):
    fill(tmp_path, STARTED, BEGUN_COMMIT)
    fill(tmp_path, STARTED, SessionEnded(3, "approval refused", "no", 1.0, 0.0))
    assert kinds(tmp_path) == [BEGUN, "commit begun", "no outcome"]


# --- several sessions, other stores ---------------------------------------------------------------


def test_many_sessions_at_once_make_one_chain(tmp_path):
    def run(number):
        store = Store(tmp_path)
        for at in range(10):
            store.append(f"s{number}", PUSHING, float(at))
        store.close()

    Store(tmp_path).close()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(tmp_path)
    assert isinstance(found, Head), found
    assert found.length == 41
    store = Store(tmp_path)
    for number in range(4):
        assert len([r for r in store.audit(f"s{number}") if r.kind == "push begun"]) == 10
    store.close()


def test_an_older_store_begins_its_log_and_says_what_is_older(tmp_path):
    fill(tmp_path, STARTED, BEGUN_COMMIT, MADE)
    change(tmp_path, "DROP TABLE audit")
    (tmp_path / HEAD_FILE).unlink()
    store = Store(tmp_path)
    assert store.verify_audit() == Head()
    assert len(list(store.events("s1"))) == 3
    store.append("s2", STARTED, 1.0)
    store.append("s2", BEGUN_COMMIT, 2.0)
    first, second = store.audit()
    assert (first.kind, first.fields) == (BEGUN, '{"sessions_before":1}')
    assert second.kind == "commit begun"
    assert isinstance(store.verify_audit(), Head)
    store.close()


def test_sessions_that_are_deleted_leave_the_chain_whole(filled):
    change(filled, "DELETE FROM events")
    change(filled, "DELETE FROM sessions")
    assert isinstance(verify(filled), Head)
    assert len(kinds(filled)) == 4


def test_a_store_that_is_not_audited_leaves_no_record(tmp_path):
    store = Store(tmp_path, audited=False)
    for event in (STARTED, BEGUN_COMMIT, MADE):
        store.append("s1", event, 0.0)
    assert store.audit() == []
    assert store.verify_audit() == Head()
    store.close()
    assert not (tmp_path / HEAD_FILE).exists()


def test_an_event_that_is_not_audited_costs_no_record(filled):
    store = Store(filled)
    store.append("s1", Warned("w"), 0.0)
    assert len(store.audit()) == 4
    store.close()


WRITER = """
import sys
from pathlib import Path
from selfheal_tui.adapters.store import Store
from selfheal_tui.core.events import PushStarted
store = Store(Path(sys.argv[1]))
while True:
    store.append(sys.argv[2], PushStarted("c", "u", "r"), 1.0)
    print(flush=True)
"""


def test_two_programs_that_are_killed_as_they_write_leave_a_whole_log(tmp_path):
    moments = random.Random(7)
    written = 0
    for _ in range(4):
        programs = [
            subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, name], stdout=subprocess.PIPE)
            for name in ("s1", "s2")
        ]
        for program in programs:
            for _ in range(moments.randint(1, 25)):
                assert program.stdout.readline() == b"\n"
                written += 1
            program.kill()
        for program in programs:
            program.communicate()
        assert isinstance(verify(tmp_path), Head)
    assert BROKEN not in kinds(tmp_path)
    assert len(kinds(tmp_path)) > written
