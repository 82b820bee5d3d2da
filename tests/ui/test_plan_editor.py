"""The plan is edited: from the pane and by command, and where it cannot be, why not."""

from __future__ import annotations

import pytest
from textual import events

from selfheal_tui.core.events import PlanProposed, PlanUpdated, SessionStarted
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.screens.editplan import EditPlanScreen, PlanText
from tests.support.conductor import FakeConductor, opened

STARTED = SessionStarted("s", "mend it", "/r", "1")
PLANNED = PlanProposed(("read", "mend", "check"))
SIZE = (140, 40)


def app_of(conductor):
    return SelfhealApp(conductor, make_panes=all_panes)


async def edited(pilot, conductor, *told):
    """The plan open in the editor."""
    conductor.tell(STARTED, *told)
    await conductor.told(pilot)
    await pilot.press("f2", "e")
    await pilot.pause()
    assert isinstance(pilot.app.screen, EditPlanScreen)
    return pilot.app.screen.query_one(PlanText)


def said(app):
    return [notification.message for notification in app._notifications]


@pytest.mark.parametrize("key", ["ctrl+s", "ctrl+y"])
async def test_a_plan_is_changed_line_by_line_and_taken(key):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        editor = await edited(pilot, conductor, PLANNED)
        assert editor.text == "[ ] read\n[ ] mend\n[ ] check"
        await pilot.press("ctrl+t", "ctrl+t", "down", "end", *" it", "enter", *"> write", key)
        await pilot.pause()
        items = (("read", "done"), ("mend it", "todo"), ("> write", "todo"), ("check", "todo"))
        assert conductor.asked[-1] == ("replan", items)
        assert len(app.screen_stack) == 1


async def test_escape_leaves_the_plan_as_it_was():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        await edited(pilot, conductor, PLANNED)
        await pilot.press(*"xyz", "escape")
        await pilot.pause()
        assert conductor.asked == [("open",)]
        assert len(app.screen_stack) == 1


async def test_a_plan_that_nobody_changed_is_not_sent():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        await edited(pilot, conductor, PLANNED)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert conductor.asked == [("open",)]


async def test_an_empty_plan_is_not_taken():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        editor = await edited(pilot, conductor, PLANNED)
        editor.clear()
        await pilot.press("ctrl+s")
        await pilot.pause()
        hint = app.screen.query_one("#plan-hint")
        assert str(hint.render()) == "A plan needs at least one step; Esc leaves it as it was."
        assert conductor.asked == [("open",)]


async def test_why_it_cannot_be_is_said():
    conductor = FakeConductor(running=True, refuses="the run is at its proof already")
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        await edited(pilot, conductor, PLANNED)
        await pilot.press("ctrl+t", "ctrl+s")
        await pilot.pause()
        assert said(app) == ["the run is at its proof already"]


async def test_a_plan_that_moved_on_meanwhile_is_replaced_and_that_is_said():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        await edited(pilot, conductor, PLANNED)
        conductor.tell(PlanUpdated((("read", "done"), ("mend", "doing"), ("check", "todo"))))
        await conductor.told(pilot)
        await pilot.press("ctrl+t", "ctrl+s")
        await pilot.pause()
        assert conductor.asked[-1][0] == "replan"
        assert said(app) == ["the plan had moved on meanwhile; yours is put in its place"]


@pytest.mark.parametrize(
    ("running", "told", "sentence"),
    [
        (False, [], "no session runs: there is no plan to change"),
        (True, [STARTED], "there is no plan yet: it is written before the first attempt"),
    ],
    ids=["nothing runs", "no plan"],
)
async def test_without_a_plan_the_command_says_so(running, told, sentence):
    conductor = FakeConductor(running=running)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        conductor.tell(*told)
        await conductor.told(pilot)
        await pilot.press(*"/plan", "enter")
        await pilot.pause()
        assert said(app) == [sentence]


async def test_the_plan_of_a_record_stays_as_it_was():
    conductor = FakeConductor()
    conductor.replayed = True
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        conductor.tell(STARTED, PLANNED)
        await conductor.told(pilot)
        await pilot.press("f2", "e")
        await pilot.pause()
        assert said(app) == ["this is a record: its plan stays as it was"]


async def test_what_is_pasted_brings_no_control_character():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=SIZE) as pilot:
        editor = await edited(pilot, conductor, PLANNED)
        editor.post_message(events.Paste("\x1b]52;c;eA==\x07one"))
        await pilot.pause()
        assert all(c == "\n" or c.isprintable() for c in editor.text)
        assert "one" in editor.text
