"""Kept heals in a real SQLite file, their notes, and the user's own runbooks."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.adapters import incidents as adapter
from selfheal_tui.adapters.incidents import FILE, IncidentStore
from selfheal_tui.adapters.recall import KeptIncidents
from selfheal_tui.adapters.runbooks import MOST_READ, read_runbook
from selfheal_tui.core.checks import Failure
from selfheal_tui.core.incident import (
    MAX_NOTE,
    MAX_PATCH,
    Incident,
    Known,
    Note,
    excerpt,
    note,
    note_of,
    origin_of,
)
from selfheal_tui.core.runbook import Section, sections
from selfheal_tui.core.signature import signature_of
from selfheal_tui.core.text import printable
from selfheal_tui.errors import SelfhealError

AT = datetime(2026, 11, 2, 12).timestamp()
PATCH = "--- a/till.py\n+++ b/till.py\n@@ -1 +1 @@\n-return price\n+return round(price, 2)"


def signature(*messages):
    return signature_of([Failure("t", message) for message in messages])


def incident(error="ValueError: price must not be negative", **changes):
    made = Incident(
        signature=signature(error),
        message="Round prices late",
        summary="Prices were rounded twice.",
        files=("till.py",),
        patch=PATCH,
        repository="/home/ada/till",
        commit="1a2b3c4d5e",
        at=AT,
    )
    return replace(made, **changes)


@pytest.fixture
def store(tmp_path):
    return IncidentStore(tmp_path)


def numbers(found):
    return [known.id for known in found]


# --- keeping -------------------------------------------------------------------------------


def test_what_is_kept_comes_back_as_it_was(store):
    kept = incident()
    assert store.remember(kept) == 1
    assert store.all() == [Known(1, kept)]
    assert store.find(1) == Known(1, kept)
    assert store.find(2) is None


def test_the_file_is_private_and_nothing_is_left_beside_it(store, tmp_path):
    store.remember(incident())
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_names_that_are_not_utf8_are_kept_as_marks(store):
    store.remember(incident(repository="/home/\udcff", files=("\udcfe\x00.py",)))
    (known,) = store.all()
    assert known.incident.repository == "/home/‹U+DCFF›"
    assert known.incident.files == ("‹U+DCFE›␀.py",)


def test_the_same_heal_is_kept_once_with_its_latest_date_and_the_users_wording(store):
    store.remember(incident())
    store.reword(1, "Mine")
    assert store.remember(incident(at=AT + 9, commit="ffff")) == 1
    assert store.all() == [Known(1, incident(at=AT + 9, commit="ffff"), "Mine")]


def test_the_oldest_make_room(store, monkeypatch):
    monkeypatch.setattr(adapter, "MOST_KEPT", 3)
    for number in range(5):
        store.remember(incident(message=f"Fix {number}", at=AT + number))
    assert [known.incident.message for known in store.all()] == ["Fix 4", "Fix 3", "Fix 2"]
    assert len(store.similar(signature("ValueError: price must not be negative"), 9)) == 3


# --- recalling -----------------------------------------------------------------------------


def test_the_like_is_found_in_another_repository_and_the_unlike_is_not(store):
    store.remember(incident())
    store.remember(incident("TimeoutError: the server does not answer", message="Wait longer"))
    found = store.similar(signature("ValueError: price must not be negative: -7"), 3)
    assert numbers(found) == [1]
    assert store.similar(signature("KeyError: 'colour'"), 3) == []


def test_the_best_come_first_and_not_more_than_asked_for(store):
    for message in ("ValueError: price of apple negative", "ValueError: price of apple too low"):
        store.remember(incident(message, message=message))
    for number in range(4):
        store.remember(incident("ValueError: price of apple", message=f"Fix {number}"))
    found = store.similar(signature("ValueError: price of apple negative"), 3)
    assert found[0].id == 1
    assert len(found) == 3


def test_notes_that_say_the_same_are_told_once(store):
    for folder in ("/a/till", "/b/till"):
        store.remember(incident(repository=folder))
    assert len(store.similar(incident().signature, 3)) == 1


def test_another_way_of_telling_likeness_decides(tmp_path):
    store = IncidentStore(tmp_path, like=lambda wanted, known: [float(len(known))] * len(known))
    store.remember(incident("ValueError: the price of an apple is too low"))
    assert numbers(store.similar(signature("KeyError: 'apple'"), 3)) == [1]


def test_a_deleted_one_is_not_recalled_and_its_number_is_not_used_again(store):
    store.remember(incident())
    store.remember(incident(message="Another"))
    assert store.forget(2) == 1
    assert store.forget(2) == 0
    assert store.remember(incident(message="A third")) == 3
    assert store.forget() == 2
    assert (store.all(), store.similar(incident().signature, 3)) == ([], [])


def test_a_reworded_note_is_what_is_told(store):
    store.remember(incident())
    assert store.reword(1, "Round at the end only.")
    assert not store.reword(2, "x")
    (known,) = store.similar(incident().signature, 3)
    assert note_of(known) == Note(origin_of(incident()), "Round at the end only.")
    store.reword(1, "")
    assert store.find(1) == Known(1, incident())


@given(st.lists(st.text(), max_size=4))
def test_no_text_breaks_the_search(tmp_path_factory, messages):
    store = IncidentStore(tmp_path_factory.mktemp("state"))
    asked = signature(*messages)
    store.remember(incident(signature=asked))
    assert len(store.similar(asked, 3)) <= 1
    assert store.warning == ""


# --- a file that is not as it should be ----------------------------------------------------


def damaged(path, kind):
    match kind:
        case "no database":
            path.write_bytes(b"not a database" * 500)
        case "another version":
            with sqlite3.connect(path) as database:
                database.execute("PRAGMA user_version = 99")
            database.close()
        case "not ours":
            path.unlink(missing_ok=True)
            with sqlite3.connect(path) as database:
                database.execute("CREATE TABLE notes (a)")
                database.execute("PRAGMA user_version = 1")
            database.close()
        case "a broken row":
            with sqlite3.connect(path) as database:
                database.execute("UPDATE incidents SET signature = 'nonsense'")
            database.close()
        case "broken pages":
            content = bytearray(path.read_bytes())
            content[4096:] = b"\xa5" * (len(content) - 4096)
            path.write_bytes(content)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no database", "damaged"),
        ("another version", "of another version"),
        ("not ours", "not ours"),
        ("a broken row", "damaged"),
        ("broken pages", "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_put_aside_with_a_sentence(store, tmp_path, kind, said):
    store.remember(incident(message="Before"))
    damaged(tmp_path / FILE, kind)
    assert store.similar(incident().signature, 3) == []
    assert store.remember(incident()) == 1
    (aside,) = tmp_path.glob(f"{FILE}.damaged-*")
    kept = f"it is kept as {aside.name}"
    assert store.warning == f"the memory of earlier heals was {said}; {kept}"
    assert store.all() == [Known(1, incident())]


def test_a_folder_that_takes_nothing_is_an_error_with_a_sentence(tmp_path):
    store = IncidentStore(tmp_path / "missing")
    with pytest.raises(SelfhealError, match=r"cannot use .*incidents\.db"):
        store.remember(incident())


def test_a_link_in_its_place_is_not_followed(store, tmp_path):
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SelfhealError):
        store.remember(incident())
    assert (tmp_path / "elsewhere").read_text() == ""


def test_without_fts5_memory_is_off_with_a_sentence(tmp_path):
    class Without(sqlite3.Connection):
        def executescript(self, script):
            raise sqlite3.OperationalError("no such module: fts5")

    store = IncidentStore(
        tmp_path, connect=lambda *a, **k: sqlite3.connect(*a, factory=Without, **k)
    )
    assert store.remember(incident()) is None
    assert (store.similar(incident().signature, 3), store.all(), store.forget()) == ([], [], 0)
    assert "lacks FTS5" in store.warning


def test_many_writers_at_once_lose_nothing(tmp_path):
    failed = []

    def write(writer):
        store = IncidentStore(tmp_path)
        try:
            for number in range(10):
                store.remember(incident(message=f"Fix {writer}.{number}"))
        except SelfhealError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({known.incident.message for known in IncidentStore(tmp_path).all()}) == 40


def test_many_that_find_it_damaged_put_it_aside_once(tmp_path):
    damaged(tmp_path / FILE, "no database")
    stores = [IncidentStore(tmp_path) for _ in range(4)]
    threads = [
        threading.Thread(target=store.remember, args=(incident(message=f"Fix {number}"),))
        for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1
    assert len(IncidentStore(tmp_path).all()) == 4


# --- notes ---------------------------------------------------------------------------------


def test_a_note_says_what_fixed_it_and_where():
    made = note_of(Known(1, incident()))
    assert made.origin == "healed on 2026-11-02 in till, commit 1a2b3c4"
    assert made.text == (
        "Round prices late. Prices were rounded twice. Changed till.py."
        " - return price ⏎ + return round(price, 2)"
    )


def test_a_heal_without_a_commit_says_so():
    origin = origin_of(incident(commit="", at=1e300))
    assert origin == "healed on an unknown day in till, not committed"


@given(st.text(), st.text())
def test_a_note_is_one_short_printable_line_that_closes_nothing(origin, text):
    made = note(origin, text)
    line = f"{made.origin}: {made.text}"
    assert len(line) <= MAX_NOTE
    assert line == printable(line)
    assert "\n" not in line
    assert "<" not in line
    assert ">" not in line


@given(st.builds(incident, message=st.text(), summary=st.text(), patch=st.text()))
def test_every_incident_has_a_short_note(made):
    told = note_of(Known(1, made))
    assert len(told.origin) + len(": ") + len(told.text) <= MAX_NOTE


@given(st.text())
def test_an_excerpt_of_a_patch_is_small(patch):
    assert len(excerpt(patch).encode("utf-8", "surrogatepass")) <= MAX_PATCH


def test_an_excerpt_ends_with_a_whole_line():
    patch = f"diff --git a/x b/x\nindex 1..2 100644\n{PATCH}\n+" + "y" * 2_000 + "\n+z"
    assert excerpt(patch) == PATCH


# --- runbooks ------------------------------------------------------------------------------

RUNBOOK = """Before all.

# YAML is missing
For yaml, add `PyYAML` to requirements.txt.

```sh
# no heading
```

## Prices
ValueError about a negative price: look at `till.py`.
"""


def test_a_runbook_is_its_sections_by_heading():
    assert sections(RUNBOOK) == (
        Section("", "Before all."),
        Section(
            "YAML is missing",
            "For yaml, add `PyYAML` to requirements.txt.\n\n```sh\n# no heading\n```",
        ),
        Section("Prices", "ValueError about a negative price: look at `till.py`."),
    )


@given(st.text() | st.text(st.sampled_from("#`~ \n\tab")))
def test_any_text_is_a_runbook(text):
    assert all(section.text for section in sections(text))


def test_runbooks_and_heals_are_recalled_together(store, tmp_path):
    (tmp_path / "incidents.md").write_text(RUNBOOK)
    store.remember(incident())
    kept = KeptIncidents(store, tmp_path / "incidents.md")
    notes = asyncio.run(kept.similar(signature("ValueError: price must not be negative"), 3))
    assert [made.origin for made in notes] == ["your own runbook, Prices", origin_of(incident())]
    missing = asyncio.run(kept.similar(signature("ModuleNotFoundError: No module named 'yaml'"), 3))
    assert [made.origin for made in missing] == ["your own runbook, YAML is missing"]
    assert asyncio.run(kept.similar(signature("KeyError: 'colour'"), 3)) == ()


def test_a_runbook_that_is_missing_or_odd_holds_nothing(tmp_path):
    path = tmp_path / "incidents.md"
    assert read_runbook(path) == ()
    path.mkdir()
    assert read_runbook(path) == ()
    path.rmdir()
    os.mkfifo(path)
    assert read_runbook(path) == ()
    path.unlink()
    path.write_bytes(b"# A\n\xff\xfe\x00")
    assert [section.heading for section in read_runbook(path)] == ["A"]


def test_a_huge_runbook_is_read_as_far_as_it_may_be(tmp_path):
    path = tmp_path / "incidents.md"
    path.write_text("# A\nfirst\n" + "x" * MOST_READ + "\n# B\nlast\n")
    assert [section.heading for section in read_runbook(path)] == ["A"]
