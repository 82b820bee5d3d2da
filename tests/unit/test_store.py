from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from selfheal_tui.adapters.store import SessionRow, Store
from selfheal_tui.core.events import CommandPrinted, SessionEnded, SessionStarted, Warned
from selfheal_tui.errors import SelfhealError, UsageError

STARTED = SessionStarted("s1", "fix it", "/r", "0.1")
ENDED = SessionEnded(1, "not healed", "why", 2.0, 0.5)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


def test_a_session_comes_back_with_its_events_and_its_row(store):
    events = [STARTED, Warned("w"), ENDED]
    for at, event in enumerate(events):
        store.append("s1", event, float(at))
    assert list(store.events("s1")) == [(event, float(at)) for at, event in enumerate(events)]
    row = SessionRow("s1", "/r", "fix it", 0.0, 2.0, 1, "not healed", "why", 0.5)
    assert store.sessions() == [row]
    assert store.find("s") == [row]
    assert store.sessions("/other") == []


def test_an_event_is_on_disk_before_append_returns(store, tmp_path):
    store.append("s1", STARTED, 0.0)
    store.append("s1", CommandPrinted("c1", "piece"), 1.0)
    other = sqlite3.connect(tmp_path / "sessions.db")
    assert other.execute("SELECT count(*) FROM events").fetchone() == (1,)
    store.append("s1", Warned("whole"), 2.0)
    assert other.execute("SELECT count(*) FROM events").fetchone() == (3,)
    other.close()


def test_a_second_opening_goes_on_with_the_numbers(store, tmp_path):
    store.append("s1", STARTED, 0.0)
    again = Store(tmp_path)
    again.append("s1", Warned("again"), 1.0)
    again.close()
    assert [event for event, _ in store.events("s1")] == [STARTED, Warned("again")]


def test_pieces_do_not_lock_out_another_session(store, tmp_path):
    other = Store(tmp_path)
    store.append("s1", STARTED, 0.0)
    store.append("s1", CommandPrinted("c1", "piece"), 1.0)
    other._database.execute("PRAGMA busy_timeout = 0")
    other.append("s2", replace(STARTED, session="s2"), 2.0)
    other.close()
    assert [row.id for row in store.sessions()] == ["s2", "s1"]
    assert [event for event, _ in store.events("s1")] == [STARTED, CommandPrinted("c1", "piece")]


def test_pieces_that_wait_are_written_at_the_end(store, tmp_path):
    store.append("s1", STARTED, 0.0)
    store.append("s1", CommandPrinted("c1", "piece"), 1.0)
    store.close()
    again = Store(tmp_path)
    assert list(again.events("s1")) == [(STARTED, 0.0), (CommandPrinted("c1", "piece"), 1.0)]
    again.close()


def test_a_session_that_runs_is_not_started_by_another_process(store, tmp_path):
    store.append("s1", STARTED, 0.0)
    other = Store(tmp_path)
    with pytest.raises(UsageError, match="s1 is running"):
        other.append("s1", STARTED, 1.0)
    assert list(store.events("s1")) == [(STARTED, 0.0)]
    store.append("s1", ENDED, 2.0)
    other.append("s1", STARTED, 3.0)
    other.close()
    assert [event for event, _ in store.events("s1")] == [STARTED, ENDED, STARTED]


def test_names_that_are_not_utf_8_come_back(store):
    started = replace(STARTED, repository="/r\udcff", task="\ud83d")
    ended = replace(ENDED, text="\udcff is not there")
    for event in (started, ended):
        store.append("s1", event, 0.0)
    (row,) = store.sessions("/r\udcff")
    assert (row.repository, row.task, row.text) == ("/r\udcff", "\ud83d", "\udcff is not there")
    assert [event for event, _ in store.events("s1")] == [started, ended]


def test_a_resumed_session_is_open_again(store):
    for event in (STARTED, ENDED, STARTED):
        store.append("s1", event, 0.0)
    (row,) = store.sessions()
    assert (row.ended, row.exit_code) == (None, None)


def test_the_database_is_private_and_durable(store, tmp_path):
    assert stat.S_IMODE((tmp_path / "sessions.db").stat().st_mode) == 0o600
    database = store._database
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_programs_that_start_at_the_same_time_make_one_store(tmp_path):
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        together = threading.Barrier(4)

        def start(folder=folder, together=together):
            together.wait()
            store = Store(folder)
            warning = store.warning
            store.close()
            return warning

        with ThreadPoolExecutor(4) as threads:
            started = [threads.submit(start) for _ in range(4)]
            assert [each.result() for each in started] == [""] * 4
        assert list(folder.glob("*.damaged-*")) == []


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_damaged_database_is_kept_aside_and_replaced(tmp_path, content):
    (tmp_path / "sessions.db").write_bytes(content)
    store = Store(tmp_path)
    (kept,) = tmp_path.glob("sessions.db.damaged-*")
    assert kept.read_bytes() == content
    assert kept.name in store.warning
    assert store.sessions() == []
    store.close()


def test_a_database_of_another_version_is_kept_aside(tmp_path):
    database = sqlite3.connect(tmp_path / "sessions.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    store = Store(tmp_path)
    assert "of another version (99)" in store.warning
    store.close()


def test_a_folder_that_is_not_there_is_an_error_in_words(tmp_path):
    with pytest.raises(SelfhealError, match="cannot open"):
        Store(tmp_path / "missing")


def test_a_link_in_place_of_the_database_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "sessions.db").symlink_to("elsewhere")
    with pytest.raises(SelfhealError, match="cannot open"):
        Store(tmp_path)
    assert (tmp_path / "elsewhere").read_text() == "precious"
