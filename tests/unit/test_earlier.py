"""Earlier sessions at the interface: their list, what is known of each, and their records."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from selfheal_tui.cli.earlier import Earlier
from selfheal_tui.cli.place import Place
from selfheal_tui.core import events as e
from selfheal_tui.errors import UsageError
from selfheal_tui.ui.conductor import Happened, SessionLine
from tests.support import stories

AT = 1_760_000_000.0


@pytest.fixture
def place(tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    environment = {"SELFHEAL_STATE_DIR": str(tmp_path / "state")}
    return Place(tmp_path, tmp_path, environment, tmp_path / "config")


@pytest.fixture
def store(place):
    opened = place.store()
    yield opened
    opened.close()


def kept(store, place, record, session="s1"):
    for event, at in record:
        if isinstance(event, e.SessionStarted):
            event = e.SessionStarted(session, event.task, str(place.repository), "1")
        store.append(session, event, at)


def started(at=AT):
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def test_the_list_says_what_is_done(place, store):
    start = e.SessionStarted("", "try", "/r", "1")
    kept(store, place, [(start, AT), (e.SessionEnded(0, "committed", "x", 1.0), AT)], "a")
    kept(store, place, [(start, AT + 1), (e.SessionEnded(1, "not healed", "x", 1.0), AT)], "b")
    kept(store, place, [(start, AT + 2)], "c")
    assert Earlier(place, store).lines() == [
        SessionLine("c", AT + 2, "", "try"),
        SessionLine("b", AT + 1, "not healed", "try"),
        SessionLine("a", AT, "committed", "try", done=True),
    ]


def test_a_healed_session_is_known_with_its_commit_and_its_cost(place, store):
    kept(store, place, stories.healed_at_3())
    assert dict(Earlier(place, store).preview("s1")) == {
        "task": "Fix the failing tests of the till",
        "session": "s1",
        "started": started(stories.healed_at_3()[0][1]),
        "outcome": "committed (exit 0): 9f31c07a is on selfheal/fix-the-till",
        "attempts": "3: better, worse, green",
        "checks": "6 runs, 3 failing -> 0, green in the end",
        "check": "python -m pytest -q",
        "files": "2, +14 -3: tests/test_receipt.py, till.py",
        "commit": "9f31c07a0000 on selfheal/fix-the-till",
        "from": "main at cccccccccccc",
        "cost": "0.0480 USD",
    }


def test_a_session_that_was_killed_is_known_by_what_it_left(place, store):
    turn = e.TurnEnded("t1", "coder", "m", "stop", total_cost=0.5)
    changed = e.TreeChanged("t", (("a.py", 2, 1),), "")
    start = e.SessionStarted("", "try", "/r", "1")
    kept(store, place, [(start, AT), (turn, AT), (changed, AT)])
    assert dict(Earlier(place, store).preview("s1")) == {
        "task": "try",
        "session": "s1",
        "started": started(),
        "outcome": "not ended: it runs elsewhere, or was killed",
        "files": "1, +2 -1: a.py",
        "cost": "0.5000 USD",
    }


def test_an_undo_a_push_and_files_without_a_commit_are_known(place, store):
    start = e.SessionStarted("", "try", "/r", "1")
    kept(store, place, [
        (start, AT),
        (e.Committed("c" * 40, "t", "refs/heads/x", False), AT),
        (e.Pushed("c" * 40, "origin", "u", "refs/heads/x"), AT),
        (e.Undone("c" * 40, "refs/heads/x", "d" * 40), AT),
        (e.WorktreeUpdated("t", ("a", "b")), AT),
    ])  # fmt: skip
    known = dict(Earlier(place, store).preview("s1"))
    assert {name: known[name] for name in ("commit", "pushed", "undone", "written")} == {
        "commit": "cccccccccccc on x",
        "pushed": "cccccccccccc to origin/x",
        "undone": "x is back at dddddddddddd",
        "written": "2 files of the working tree, nothing committed",
    }


def test_ten_thousand_events_are_known_at_once(place, store):
    kept(store, place, [(e.SessionStarted("", "try", "/r", "1"), AT)])
    line = ("s1", e.to_json(e.ToolReturned("k", "bash", True, "x" * 2000), at=AT))
    with store._writing():
        store._insert([line] * 100)
        store._database.execute(
            "INSERT INTO events SELECT session, number + 100 * n.value, line FROM events,"
            " (WITH RECURSIVE n(value) AS"
            " (SELECT 1 UNION SELECT value + 1 FROM n WHERE value < 100)"
            " SELECT value FROM n) n WHERE number BETWEEN 2 AND 101"
        )
    (count,) = store._database.execute("SELECT count(*) FROM events").fetchone()
    assert count > 10_000
    began = time.process_time()
    assert dict(Earlier(place, store).preview("s1"))["task"] == "try"
    assert time.process_time() - began < 0.5


def test_nothing_is_known_of_what_is_not_there(place, store):
    assert Earlier(place, store).preview("none") == ()
    with pytest.raises(UsageError, match="there is no session none"):
        Earlier(place, store).record("none")


def test_a_record_is_everything_that_happened(place, store):
    kept(store, place, [(e.SessionStarted("", "try", "/r", "1"), AT), (e.Warned("x"), AT + 1)])
    first = e.SessionStarted("s1", "try", str(place.repository), "1")
    earlier = Earlier(place, store)
    assert earlier.record("s1") == [Happened(first, AT), Happened(e.Warned("x"), AT + 1)]
    assert earlier.shown == "s1"


def test_text_that_looks_like_an_event_is_not_taken_for_one(place, store):
    start = e.SessionStarted("", "try", "/r", "1")
    said = e.Warned('"event":"Committed"')
    kept(store, place, [(start, AT), (said, AT)])
    assert list(store.events("s1", e.Committed)) == []
    assert store.last("s1", e.Warned) == said
    assert store.last("s1", e.Committed) is None
