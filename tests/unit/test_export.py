"""The export of a transcript: into new files only, private, and redacted once more."""

from __future__ import annotations

import os
import stat

import pytest

from selfheal_tui.cli import main
from selfheal_tui.cli.earlier import Earlier
from selfheal_tui.cli.export import export, markdown
from selfheal_tui.cli.place import Place
from selfheal_tui.core import events as e
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.transcript import transcript
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import PrivacySettings, Settings
from tests.support import stories

SECRET = "zebra-1234-quagga"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    environment = {"SELFHEAL_STATE_DIR": str(tmp_path / "state"), "MY_WORD": SECRET}
    return Place(tmp_path, tmp_path, environment, tmp_path / "config")


@pytest.fixture
def store(place):
    opened = place.store()
    yield opened
    opened.close()


def kept(store, record, session="s1"):
    for event, at in record:
        store.append(session, event, at)


def test_a_relative_path_is_relative_to_the_start(tmp_path):
    assert export("text", start=tmp_path, path="a.md") == f"the transcript is in {tmp_path}/a.md"
    assert (tmp_path / "a.md").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "a.md").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "folder"])
def test_what_is_there_is_never_written_over(tmp_path, kind):
    there = tmp_path / "a.md"
    other = tmp_path / "other"
    if kind == "file":
        there.write_text("mine")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to(other)
        if kind == "link":
            other.write_text("mine")
    with pytest.raises(UsageError, match=r"a\.md is there already; name another file"):
        export("text", start=tmp_path, path="a.md")
    assert kind != "dangling link" or not other.exists()
    assert kind != "link" or other.read_text() == "mine"


def test_a_folder_that_is_missing_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        export("text", start=tmp_path, path="none/a.md")


def test_a_path_that_cannot_be_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        export("text", start=tmp_path, path="a\0b")


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fdopen", _full)
    with pytest.raises(UsageError, match="No space left on device"):
        export("text", start=tmp_path, path="a.md")
    assert list(tmp_path.iterdir()) == []


def _full(handle, *_, **__):
    os.close(handle)
    raise OSError(28, "No space left on device")


def test_without_a_path_it_goes_into_the_sessions_own_folder(place, store):
    kept(store, stories.happy())
    earlier = Earlier(place, store)
    earlier.record("s1")
    folder = place.session_folder("s1")
    assert earlier.export(Settings(), "") == f"the transcript is in {folder}/transcript.md"
    assert earlier.export(Settings(), "") == f"the transcript is in {folder}/transcript-2.md"
    assert (folder / "transcript.md").read_text() == (folder / "transcript-2.md").read_text()
    assert stat.S_IMODE((folder / "transcript.md").stat().st_mode) == 0o600


def test_before_there_is_a_session_there_is_nothing_to_export(place, store):
    with pytest.raises(UsageError, match="there is no session yet"):
        Earlier(place, store).export(Settings(), "a.md")


def test_what_is_to_be_redacted_now_is_redacted_whenever_it_was_stored(place, store, tmp_path):
    kept(store, [
        (e.SessionStarted("s1", f"use {SECRET}", "/r", "1"), 1.0),
        (e.TurnStarted("t1", "coder", "m", 1), 2.0),
        (e.ReasoningStreamed("t1", SECRET[:6]), 3.0),
        (e.ReasoningStreamed("t1", SECRET[6:]), 4.0),
        (e.TurnEnded("t1", "coder", "m", "stop"), 5.0),
    ])  # fmt: skip
    earlier = Earlier(place, store)
    earlier.record("s1")
    earlier.export(Settings(privacy=PrivacySettings(redact=("MY_WORD",))), "a.md")
    text = (tmp_path / "a.md").read_text()
    assert SECRET not in text
    assert (text.count("[redacted]"), text.count(r"\[redacted\]")) == (2, 1)


def test_a_name_that_is_not_utf_8_ends_nothing(tmp_path):
    record = [(e.SessionStarted("s1", "x \udcff", "/r\udcfe", "1"), 1.0)]
    export(markdown(record, Redactor()), start=tmp_path, path="a.md")
    assert "\u2039U+DCFF\u203a" in (tmp_path / "a.md").read_text()


def test_show_prints_the_transcript(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SELFHEAL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SELFHEAL_CONFIG_DIR", str(tmp_path / "config"))
    opened = Place.from_process(None).store()
    kept(opened, stories.happy(), "k3v9")
    opened.close()
    assert main(["show", "k3", "--markdown"]) == 0
    assert capsys.readouterr().out == transcript(stories.happy())
