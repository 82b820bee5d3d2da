"""Earlier sessions: the list, its search, the preview, taking one up and looking at one."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import SessionLine
from selfheal_tui.ui.screens.picker import Picked, PickerScreen, hint_of, line_of
from selfheal_tui.ui.widgets.pairs import Pairs
from tests.support.conductor import FakeConductor, opened, plain_panes

SESSIONS = (
    SessionLine("2", 86_400.0, "interrupted", "make it pass"),
    SessionLine("1", 0.0, "", "other words"),
    SessionLine("0", 0.0, "committed", "the first one", done=True),
)


def app_of(conductor, **options):
    return SelfhealApp(conductor, make_panes=plain_panes, **options)


async def picking(pilot):
    while not isinstance(pilot.app.screen, PickerScreen):
        await pilot.pause()
    await pilot.pause()


def listed(app):
    return [option.prompt.plain.split()[-1] for option in app.screen.query_one(OptionList).options]


def previewed(app):
    return [dict(pairs._pairs).get("session") for pairs in app.screen.query(Pairs)]


async def test_enter_takes_up_the_latest_session():
    conductor = FakeConductor(sessions=SESSIONS)
    app = app_of(conductor, pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert conductor.asked[-1] == ("resume", "2")


@pytest.mark.parametrize(
    ("words", "left"),
    [("other", ["words"]), ("not ended", ["words"]), ("committed first", ["one"]), ("zzz", [])],
)
async def test_words_of_the_task_and_outcomes_narrow_the_list(words, left):
    app = app_of(FakeConductor(sessions=SESSIONS), pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        await pilot.press(*(key if key != " " else "space" for key in words))
        await pilot.pause()
        assert listed(app) == left
        assert app.screen.query_one(".window").border_subtitle == f"{len(left)} of 3"


async def test_the_preview_follows_the_list():
    app = app_of(FakeConductor(sessions=SESSIONS), pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        assert previewed(app) == ["2"]
        await pilot.press("down")
        await pilot.pause()
        assert previewed(app) == ["1"]
        await pilot.press("up", *"first")
        await pilot.pause()
        assert previewed(app) == ["0"]
        await pilot.press("z")
        await pilot.pause()
        assert previewed(app) == [None]


async def test_what_is_done_is_looked_at_and_ctrl_o_looks_at_any():
    conductor = FakeConductor(sessions=SESSIONS)
    app = app_of(conductor, pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert conductor.asked[-1] == ("look", "2")
        await pilot.press(*"/resume", "enter")
        await picking(pilot)
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert conductor.asked[-1] == ("look", "0")


async def test_a_click_takes_a_session_up():
    conductor = FakeConductor(sessions=SESSIONS)
    app = app_of(conductor, pick=True)
    async with opened(app, size=(120, 36)) as pilot:
        await picking(pilot)
        await pilot.click(OptionList, offset=(5, 1))
        await pilot.pause()
        assert conductor.asked[-1] == ("resume", "1")


async def test_enter_on_an_empty_list_does_nothing_and_escape_leaves():
    conductor = FakeConductor(sessions=SESSIONS)
    app = app_of(conductor, pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        before = list(conductor.asked)
        await pilot.press("z", "z", "enter", "ctrl+o")
        await pilot.pause()
        assert isinstance(app.screen, PickerScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert [asked for asked in conductor.asked if asked[0] != "preview"] == [
            asked for asked in before if asked[0] != "preview"
        ]


async def test_without_sessions_a_sentence_comes_instead():
    app = app_of(FakeConductor(), pick=True)
    async with opened(app) as pilot:
        await pilot.pause()
        assert [note.message for note in app._notifications] == [
            "there is no session of this repository yet: say what should be healed"
        ]
        assert len(app.screen_stack) == 1


async def test_a_task_that_is_hostile_is_only_text():
    hostile = SessionLine("1", 0.0, "[red]x", "\x1b]0;owned\x07 [/nonsense] \u202e")
    app = app_of(FakeConductor(sessions=[hostile]), pick=True)
    async with opened(app) as pilot:
        await picking(pilot)
        assert "\x1b" not in line_of(hostile)
        assert "\u202e" not in line_of(hostile)
        assert app.screen.query_one(Input).has_focus


def test_the_hint_says_what_the_keys_do():
    assert hint_of(None) == "no session is like that · Esc leaves the list"
    assert "Enter takes it up" in hint_of(SESSIONS[0])
    assert hint_of(SESSIONS[2]) == "it is done: Enter looks at its record · Esc leaves the list"
    assert Picked("1") == Picked("1", look=False)
