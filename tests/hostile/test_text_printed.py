"""Hostile text in every field of every event, through every printer but the interface."""

from __future__ import annotations

import io
import json
import time
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.store import Store
from selfheal_tui.cli import config, doctor, sessions, show
from selfheal_tui.cli.dispatch import dispatch
from selfheal_tui.cli.export import markdown
from selfheal_tui.core.bench.figures import figures_of
from selfheal_tui.core.bench.junit import junit_report
from selfheal_tui.core.bench.outcome import CaseOutcome
from selfheal_tui.core.bench.report import json_report, text_report
from selfheal_tui.core.events import SessionEnded, SessionStarted, from_json
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import RepositoryRefused
from selfheal_tui.folders import make_private
from selfheal_tui.headless import Headless, OutputFolder
from selfheal_tui.ui.attention import marked_title, notification
from tests.hostile.terminal_bytes import offences
from tests.hostile.texts import FORGED, TEXTS, in_every_text, kinds_of_events

# A patch holds bytes that are not UTF-8 as Python does, and never half a surrogate.
EVERY = "\n".join(TEXTS.values()).replace("\ud800", "").replace("\udfff", "")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(
    sorted(TEXTS.values())
)


def session_of(text):
    """One of every event, with `text` in all of them, in an order that a session could have."""
    middle = [kind for kind in kinds_of_events() if kind not in (SessionStarted, SessionEnded)]
    kinds = [SessionStarted, *middle, SessionEnded]
    return [in_every_text(kind, text) for kind in kinds]


def told(events, output, folder=None):
    out, err = io.StringIO(), io.StringIO()
    front = Headless(output=output, out=out, err=err, folder=folder, clock=lambda: 7.0)
    for event in events:
        front.show(event)
    return out.getvalue(), err.getvalue()


def sent(text):
    """The bytes that a stream of ours makes of it."""
    return text.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("output", ["text", "json", "stream-json"])
def test_headless_sends_a_terminal_nothing_but_text(text, output):
    for printed in told(session_of(text), output):
        assert offences(printed.encode()) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_json_is_whole_and_holds_the_very_text(text):
    events = session_of(text)
    out, _ = told(events, "json")
    assert json.loads(out)["text"] == text
    out, _ = told(events, "stream-json")
    assert [from_json(line)[0] for line in out.splitlines()] == events
    assert out.isascii()
    assert "\x7f" not in out


@pytest.mark.parametrize("name", ["newline", "carriage return", "separators of lines"])
def test_no_text_from_outside_says_on_a_line_of_its_own_how_the_session_ended(name):
    for output in ("text", "json"):
        out, err = told(session_of(TEXTS[name]), output)
        for printed in (out, err):
            lines = printed.splitlines()
            assert [line for line in lines if line.startswith("committed (exit")] == []
            verdicts = [line for line in lines if line.startswith("  verdict")]
            assert all("PARTLY HEALED (not verified" in line for line in verdicts)


def test_the_last_line_is_the_outcome_whatever_its_reason_holds():
    ended = SessionEnded(1, "not healed", f"because\n{FORGED}", 1.0, 0.0)
    out, _ = told([ended], "text")
    assert out == f"not healed (exit 1): because\u240a{FORGED}\n"


def test_a_mark_stands_where_something_was():
    ended = SessionEnded(1, "a\x1bb", "c\u202ed\x9be\u200bf\x7fg", 1.0, 0.0)
    out, _ = told([ended], "text")
    assert out == "a\u241bb (exit 1): c‹U+202E›d‹U+009B›e‹U+200B›f\u2421g\n"


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT)
def test_no_text_at_all_comes_through_a_printer(text):
    events = session_of(text)
    for output in ("text", "json", "stream-json"):
        for printed in told(events, output):
            assert offences(printed.encode()) == []
    document = markdown([(event, 0.0) for event in events], Redactor())
    assert offences(document.encode()) == []


@settings(max_examples=100, deadline=None)
@given(ANY_TEXT)
def test_titles_and_notifications_hold_one_sequence_and_words(text):
    terminals = ({"TERM": "xterm-256color"}, {"TERM": "foot"}, {"VTE_VERSION": "7"})
    made = [marked_title(text, anew=True), *(notification(text, each) for each in terminals)]
    for sequence in made:
        assert offences(sequence.encode(), interface=True) == []
        assert sequence.count("\x07") == 1
        words = sequence.rpartition("selfheal")[2].removesuffix("\x07")
        assert [c for c in words if unicodedata.category(c) in ("Cc", "Cf", "Cs")] == []


# --- files and lists -------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFHEAL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SELFHEAL_CONFIG_DIR", str(tmp_path / "config"))
    folder = tmp_path / "evil\x1b]0;pwned\x07\u202e[red]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return tmp_path


@pytest.fixture
def stored(place):
    """A session whose every text is hostile."""
    store = Store(make_private(place / "state"))
    for event in session_of(EVERY):
        store.append("k1", event, 5.0)
    store.close()


COMMANDS = [
    (sessions.main, ["--all"]),
    (sessions.main, ["--all", "--json"]),
    (sessions.main, []),
    (show.main, ["k1"]),
    (show.main, ["k1", "--json"]),
    (show.main, ["k1", "--events"]),
    (show.main, ["k1", "--markdown"]),
    (config.main, []),
    (config.main, ["--json"]),
]


def named(value):
    """A command by its module; arguments as they are typed."""
    return " ".join(value) if isinstance(value, list) else value.__module__.rpartition(".")[2]


@pytest.mark.parametrize(("command", "arguments"), COMMANDS, ids=named)
@pytest.mark.usefixtures("stored")
def test_what_is_kept_is_listed_and_shown_as_text(command, arguments, capsys):
    assert command(arguments) == 0
    printed = capsys.readouterr()
    assert offences(sent(printed.out)) == []
    assert offences(sent(printed.err)) == []
    if "--json" in arguments:
        assert json.loads(printed.out)


@pytest.mark.usefixtures("stored")
def test_a_patch_is_itself_in_a_pipe_and_text_at_a_terminal(capfdbinary, monkeypatch):
    assert show.main(["k1", "--patch"]) == 0
    assert b"\x1b]52" in capfdbinary.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert show.main(["k1", "--patch"]) == 0
    assert offences(capfdbinary.readouterr().out) == []


@pytest.mark.usefixtures("place")
def test_the_doctor_names_hostile_places_as_text(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "_engine", lambda settings: iter(()))
    monkeypatch.setenv("SELFHEAL_MODEL", "x/\x1b]0;pwned\x07\u202e")
    for arguments in ([], ["--json"]):
        doctor.main(arguments)
        printed = capsys.readouterr()
        assert offences(sent(printed.out + printed.err)) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_an_error_is_told_as_text_and_no_line_of_it_is_ours(text, capsys, monkeypatch):
    def refuse(arguments):
        raise RepositoryRefused(f"the branch {text} is there")

    monkeypatch.setattr(sessions, "main", refuse)
    assert dispatch(["sessions"]) == 6
    printed = capsys.readouterr()
    assert offences(sent(printed.err)) == []
    first, *others = printed.err.split("\n")[:-1]
    assert first.startswith("selfheal: the branch ")
    assert [line for line in others if not line.startswith("    | ")] == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_an_internal_error_is_told_as_text(text, capsys, monkeypatch):
    def break_down(arguments):
        raise RuntimeError(text)

    monkeypatch.setattr(sessions, "main", break_down)
    assert dispatch(["sessions"]) == 70
    assert offences(sent(capsys.readouterr().err)) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_wrong_word_on_the_command_line_is_told_as_text(text, capsys):
    assert dispatch(["sessions", f"--{text}"]) == 2
    assert offences(sent(capsys.readouterr().err)) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_record_that_holds_it_or_is_no_record_is_told_as_text(text, tmp_path, capsys):
    for number, content in enumerate((text, json.dumps({"v": 1, "at": 1, "event": text}))):
        record = tmp_path / f"{number}.jsonl"
        record.write_bytes(sent(content))
        assert dispatch(["replay", str(record)]) == 2
        assert offences(sent(capsys.readouterr().err)) == []


def test_the_output_folder_holds_whole_json_and_the_very_patch(tmp_path):
    events = session_of(EVERY)
    told(events, "text", OutputFolder(tmp_path / "out"))
    lines = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    assert [from_json(line)[0] for line in lines] == events
    assert json.loads((tmp_path / "out" / "result.json").read_text())["outcome"] == EVERY
    patch = (tmp_path / "out" / "patch.diff").read_bytes()
    assert patch.decode("utf-8", "surrogateescape") == EVERY


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_benchs_reports_hold_hostile_names_of_cases_as_text(text):
    outcome = in_every_text(CaseOutcome, text)
    figures = figures_of((outcome,), 1)
    for line in text_report((outcome,), figures):
        assert offences(line.encode()) == []
    document = json_report({"cases": text}, (outcome,), figures)
    assert offences(document.encode()) == []
    assert json.loads(document)["cases"][0]["case"] == text
    ElementTree.fromstring(junit_report((outcome,), figures, text))


# --- size ------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", ["x", "\x1b]", "\u202e", "e\u0301", "\r", "\b", "[/red]", "\x9b"])
def test_a_line_of_five_megabytes_costs_no_more_than_its_length(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        events = [in_every_text(kind, text) for kind in (SessionStarted, SessionEnded)]
        started = time.perf_counter()
        out, err = told(events, "text")
        assert len(out + err) < 20_000
        return time.perf_counter() - started

    short = min(seconds(500_000) for _ in range(3))
    assert seconds(5_000_000) < 40 * max(short, 0.005)
