"""Pictures of what is around the panes: the picker of sessions, the header and the status line, and
a record that is held."""

from __future__ import annotations

import os
import time

import pytest

from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.core.events import (
    AttemptStarted,
    CheckEnded,
    SandboxMeasured,
    SandboxOpened,
    SessionStarted,
    SnapshotTaken,
    ToolCalled,
    TurnEnded,
    TurnStarted,
)
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import SessionLine
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.replaying import ReplayApp, ReplayLine
from selfheal_tui.ui.screens.picker import PickerScreen
from selfheal_tui.ui.themes import load_themes
from tests.support import stories
from tests.support.conductor import FakeConductor

SIZES = ("80x24", "120x36", "200x50")
THEMES = ("selfheal-dark", "selfheal-light")
AT = 1_760_000_000.0

SESSIONS = (
    SessionLine("20251009-090001-a1f0", AT, "", "make the ledger's tests pass on Windows too"),
    SessionLine(
        "20251008-181205-77c2",
        AT - 5e4,
        "committed",
        "fix the failing tests of the till",
        done=True,
    ),
    SessionLine(
        "20251008-101500-0b3e", AT - 8e4, "not healed", "speed the import of large files up"
    ),
    SessionLine("20251007-090000-9d11", AT - 2e5, "approval refused", "日本語のレシートを直す"),
    SessionLine(
        "20251006-090000-5e5e",
        AT - 3e5,
        "interrupted",
        f"a task so long that no list could {'ever ' * 12}show it",
    ),
)

PREVIEW = (
    ("task", "make the ledger's tests pass on Windows too"),
    ("session", "20251009-090001-a1f0"),
    ("started", "2025-10-09 08:53"),
    ("outcome", "not ended: it runs elsewhere, or was killed"),
    ("attempts", "2: better, worse"),
    ("checks", "5 runs, 7 failing -> 2, red in the end"),
    ("check", "python -m pytest -q"),
    ("files", "3, +41 -9: ledger/paths.py, ledger/locks.py, tests/test_paths.py"),
    ("from", "main at cccccccccccc"),
    ("cost", "0.1834 USD"),
)

RUN = (
    SessionStarted("s", "make the failing tests of the till and of the ledger pass", "/r", "1"),
    SnapshotTaken("t", "h", "ht", "refs/heads/feature/round-up", 42, 9000),
    SandboxOpened("docker", "python", "no network", "selfheal-python", "id", "off", "c"),
    SandboxMeasured(212 << 20, 2 << 30),
    CheckEnded("c1", "baseline", "t", 1, False, 0.8, ("a", "b", "c")),
    AttemptStarted(2, 3, "t"),
    CheckEnded("c2", "verify", "t", 1, False, 0.8, ("a",)),
    TurnStarted("t1", "coder", "anthropic/claude-sonnet-4-5", 1),
    TurnEnded(
        "t1",
        "coder",
        "anthropic/claude-sonnet-4-5",
        "stop",
        "I look.",
        12_000,
        950,
        0,
        0.04,
        0.04,
        0.18,
    ),
    ToolCalled("k1", "coder", "bash", '{"command": "make test"}'),
)


class Known(FakeConductor):
    """Knows what the picture's first session was."""

    def preview(self, session):
        return PREVIEW


@pytest.fixture(autouse=True)
def _one_time_zone(monkeypatch):
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    assert os.environ.get("TZ") == before
    time.tzset()


def as_size(text):
    return tuple(map(int, text.split("x")))


def still_panes():
    panes = all_panes()
    for pane in panes:
        pane.clock = lambda: 0.0
    return panes


def app_of(theme, **options):
    return SelfhealApp(
        Known(sessions=SESSIONS),
        make_panes=still_panes,
        themes=load_themes(themes_folder(), None),
        theme=theme,
        **options,
    )


async def opened(pilot):
    while ("open",) not in pilot.app.conductor.asked:
        await pilot.pause()


def picking(*keys):
    async def prepare(pilot):
        await opened(pilot)
        while not isinstance(pilot.app.screen, PickerScreen):
            await pilot.pause()
        for key in keys:
            await pilot.press(key)
        for _ in range(3):
            await pilot.pause()

    return prepare


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_the_picker_looks_as_it_should(snap_compare, size, theme):
    app = app_of(theme, pick=True)
    assert snap_compare(app, terminal_size=as_size(size), run_before=picking())


@pytest.mark.parametrize("theme", THEMES)
def test_a_search_that_finds_nothing_looks_as_it_should(snap_compare, theme):
    app = app_of(theme, pick=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=picking(*"zzz"))


@pytest.mark.parametrize("theme", THEMES)
def test_a_session_that_is_done_looks_as_it_should(snap_compare, theme):
    app = app_of(theme, pick=True)
    assert snap_compare(app, terminal_size=(120, 36), run_before=picking("down"))


async def at_work(pilot):
    await opened(pilot)
    pilot.app.conductor.tell(*RUN)
    await pilot.app.conductor.told(pilot)
    for _ in range(3):
        await pilot.pause()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_the_lines_around_the_panes_look_as_they_should(snap_compare, size, theme):
    assert snap_compare(app_of(theme), terminal_size=as_size(size), run_before=at_work)


@pytest.mark.parametrize("theme", ["selfheal-contrast", "selfheal-terminal"])
def test_they_look_as_they_should_in_the_other_themes(snap_compare, theme):
    assert snap_compare(app_of(theme), terminal_size=(120, 36), run_before=at_work)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_a_record_that_is_held_looks_as_it_should(snap_compare, size, theme):
    record = stories.running()

    async def until_now(changed, seconds):
        await changed.wait()

    replay = ReplayConductor(record, speed=0, clock=lambda: 0.0, wait=until_now)
    app = ReplayApp(
        replay, make_panes=still_panes, themes=load_themes(themes_folder(), None), theme=theme
    )

    async def prepare(pilot):
        while not app.query(ReplayLine) or replay.told < replay.total:
            await pilot.pause()
        replay.told -= 40
        await pilot.press("space")
        for _ in range(3):
            await pilot.pause()

    assert snap_compare(app, terminal_size=as_size(size), run_before=prepare)
