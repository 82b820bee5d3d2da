"""`/attempts`: the table, the names on demand, and the way to a difference."""

from __future__ import annotations

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.screens.attempts import AttemptsScreen
from selfheal_tui.ui.widgets.rows import Rows
from selfheal_tui.ui.widgets.stateline import StatesLine
from tests.support import stories
from tests.support.conductor import FakeConductor, opened

SIZE = (140, 40)


def app_of(conductor):
    return SelfhealApp(conductor, make_panes=all_panes)


async def listed(pilot, story):
    """The table over a story."""
    conductor = pilot.app.conductor
    conductor.tell(*(event for event, _ in story))
    await conductor.told(pilot)
    pilot.app.focus_input()
    await pilot.press(*"/attempts", "enter")
    await pilot.pause()
    assert isinstance(pilot.app.screen, AttemptsScreen)
    return pilot.app.screen.query_one(Rows)


def shown(rows):
    lines = (content for block in rows.blocks for content in block.lines(rows.line_width))
    return [" ".join(content.plain.split()) for content in lines]


async def test_every_attempt_is_a_line_from_base_on():
    app = app_of(FakeConductor())
    async with opened(app, size=SIZE) as pilot:
        rows = await listed(pilot, stories.healed_at_3())
        assert shown(rows) == [
            "outcome tests now what it did",
            "base before 3 failing",
            "1 better 1 failing Apply the tax",
            "2 worse 3 failing Show the discount",
            "3 green 0 failing Apply the tax",
        ]


async def test_the_attempt_at_work_is_the_last_line():
    app = app_of(FakeConductor(running=True))
    async with opened(app, size=SIZE) as pilot:
        rows = await listed(pilot, stories.running())
        assert shown(rows)[-1].startswith("now at work attempt 2 of 3: ")


async def test_the_names_of_failing_tests_are_shown_on_demand():
    app = app_of(FakeConductor())
    async with opened(app, size=SIZE) as pilot:
        rows = await listed(pilot, stories.healed_at_3())
        await pilot.press("up", "space")
        await pilot.pause()
        assert "✗ tests/test_receipt.py::test_a_receipt_ends_with_the_total" in shown(rows)
        await pilot.press("space")
        await pilot.pause()
        assert len(shown(rows)) == 5


async def test_enter_and_a_click_show_the_difference_of_an_attempt():
    app = app_of(FakeConductor())
    async with opened(app, size=SIZE) as pilot:
        await listed(pilot, stories.healed_at_3())
        await pilot.press("up", "enter")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert app.query_one(StatesLine).chosen == ("base", "2")
        assert app.deck.front.id == "diff"
        app.focus_input()
        await pilot.press(*"/attempts", "enter")
        await pilot.pause()
        await pilot.click(Rows, offset=(4, 2))
        await pilot.pause()
        assert app.query_one(StatesLine).chosen == ("base", "1")


async def test_escape_leaves_everything_as_it_was():
    app = app_of(FakeConductor())
    async with opened(app, size=SIZE) as pilot:
        await listed(pilot, stories.healed_at_3())
        await pilot.press("escape")
        await pilot.pause()
        assert app.query_one(StatesLine).chosen == ("base", "now")


async def test_before_the_first_attempt_there_is_nothing_to_list():
    app = app_of(FakeConductor())
    async with opened(app, size=SIZE) as pilot:
        await pilot.press(*"/attempts", "enter")
        await pilot.pause()
        assert [note.message for note in app._notifications] == ["there is no attempt yet"]
