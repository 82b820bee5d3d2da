"""The widths of the panes: by mouse, by key, and what they outlive."""

from __future__ import annotations

from selfheal_tui.core.events import SessionEnded, SessionStarted
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.shares import LEAST
from selfheal_tui.ui.widgets.splitter import Splitter
from tests.support.conductor import FakeConductor, opened, plain_panes

WIDE = (160, 40)


def app_of(conductor):
    return SelfhealApp(conductor, make_panes=plain_panes)


def widths(app):
    return [pane.size.width for pane in app.deck.panes]


def lines(app):
    return [line for line in app.query(Splitter) if line.display]


async def drag(pilot, number, by):
    line = list(pilot.app.query(Splitter))[number]
    x, y = line.region.x, line.region.y + 3
    await pilot.mouse_down(offset=(x, y))
    await pilot.hover(offset=(x + by // 2, y))
    await pilot.hover(offset=(x + by, y))
    await pilot.mouse_up(offset=(x + by, y))
    await pilot.pause()


async def test_the_line_between_two_panes_is_dragged_and_a_third_one_stays():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        before = widths(app)
        assert sum(before) + 2 == 160
        await drag(pilot, 0, 12)
        after = widths(app)
        assert after == [before[0] + 12, before[1] - 12, before[2]]


async def test_a_line_that_is_dragged_too_far_leaves_room_for_both():
    app = app_of(FakeConductor())
    async with opened(app, size=(120, 36)) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        await drag(pilot, 1, -70)
        assert LEAST <= widths(app)[1] <= LEAST + 1
        await drag(pilot, 0, -30)
        assert LEAST <= widths(app)[0] <= LEAST + 1
        assert sum(widths(app)) == 118


async def test_a_double_click_evens_them_out():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        before = widths(app)
        await drag(pilot, 0, 20)
        assert widths(app) != before
        await pilot.click(Splitter, times=2)
        await pilot.pause()
        assert widths(app) == before


async def test_widths_outlive_zoom_tabs_and_the_next_session():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        await drag(pilot, 1, 15)
        chosen = widths(app)
        await pilot.press("f6")
        await pilot.pause()
        assert lines(app) == []
        await pilot.press("f6")
        await pilot.pause()
        assert widths(app) == chosen
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert lines(app) == []
        assert app.deck.front.size.width == 100
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        conductor.tell(
            SessionStarted("s", "mend it", "/r", "1"),
            SessionEnded(0, "committed", "done", 1.0),
            SessionStarted("s2", "more", "/r", "1"),
        )
        await conductor.told(pilot)
        assert widths(app) == chosen
        assert len(lines(app)) == 2


async def test_keys_make_no_pane_too_narrow_and_what_was_refused_is_not_owed():
    app = app_of(FakeConductor())
    async with opened(app, size=(120, 36)) as pilot:
        await pilot.press("f3", *["right_square_bracket"] * 30)
        await pilot.pause()
        widest = widths(app)
        assert min(widest) >= LEAST
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert widths(app)[1] < widest[1]
