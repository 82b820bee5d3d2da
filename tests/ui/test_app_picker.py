"""Taking up an earlier session from the list."""

from __future__ import annotations

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import SessionLine
from selfheal_tui.ui.screens.picker import PickerScreen
from tests.support.conductor import FakeConductor, opened, plain_panes

SESSIONS = (
    SessionLine("2", 86_400.0, "interrupted", "make it pass"),
    SessionLine("1", 0.0, "", "other words"),
)


async def picking(pilot, app):
    while not isinstance(app.screen, PickerScreen):
        await pilot.pause()
    await pilot.pause()


async def test_enter_takes_up_the_latest_session():
    conductor = FakeConductor(sessions=SESSIONS)
    app = SelfhealApp(conductor, make_panes=plain_panes, pick=True)
    async with opened(app) as pilot:
        await picking(pilot, app)
        await pilot.press("enter")
        await pilot.pause()
        assert conductor.asked[-1] == ("resume", "2")


async def test_words_narrow_the_list():
    conductor = FakeConductor(sessions=SESSIONS)
    app = SelfhealApp(conductor, make_panes=plain_panes, pick=True)
    async with opened(app) as pilot:
        await picking(pilot, app)
        await pilot.press(*"other", "enter")
        await pilot.pause()
        assert conductor.asked[-1] == ("resume", "1")
