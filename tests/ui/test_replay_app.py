"""A record in the interface: held, stepped through, told faster and slower, and its end."""

from __future__ import annotations

import asyncio

import pytest

from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.core.events import SessionStarted, Warned
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.panes.pane import PaneHeader
from selfheal_tui.ui.replaying import ReplayApp, ReplayLine, where
from selfheal_tui.ui.themes import load_themes
from tests.support import stories
from tests.support.conductor import plain_panes

RECORD = [
    (SessionStarted("s", "mend it", "/r", "1"), 0.0),
    *((Warned(f"w{n}"), float(n)) for n in range(1, 4)),
]


class Held:
    """Time that stands still until something is changed."""

    def __init__(self):
        self.now = 0.0

    async def wait(self, changed, seconds):
        await changed.wait()


def app_over(record, *, speed=1.0, wait=None, make_panes=plain_panes, **options):
    held = Held()
    replay = ReplayConductor(record, speed=speed, clock=lambda: held.now, wait=wait or held.wait)
    return ReplayApp(replay, make_panes=make_panes, **options)


async def begun(pilot, told):
    while not pilot.app.query(ReplayLine) or pilot.app.conductor.told < told:
        await pilot.pause()
    await pilot.pause()


def events(app):
    return [type(event).__name__ for event in app.deck.panes[0].events]


def line(app):
    app.query_one(ReplayLine).look()
    return str(app.query_one("#where").content)


async def test_space_holds_the_record_and_a_step_tells_one_event():
    app = app_over(RECORD)
    async with app.run_test() as pilot:
        await begun(pilot, 1)
        assert events(app) == ["SessionStarted"]
        assert line(app) == "1 of 4 events · 1x"
        await pilot.press("space")
        assert line(app) == "held: 1 of 4 events"
        await pilot.press("full_stop")
        await begun(pilot, 2)
        assert events(app) == ["SessionStarted", "Warned"]
        await pilot.press("space")
        assert line(app) == "2 of 4 events · 1x"


async def test_plus_and_minus_change_the_speed():
    app = app_over(RECORD)
    async with app.run_test() as pilot:
        await begun(pilot, 1)
        await pilot.press("plus", "plus")
        assert line(app) == "1 of 4 events · 4x"
        await pilot.press("minus", "minus", "minus")
        assert line(app) == "1 of 4 events · 0.5x"


async def test_all_at_once_comes_to_the_end_and_says_so():
    app = app_over(RECORD, speed=0)
    async with app.run_test() as pilot:
        await begun(pilot, 4)
        assert line(app) == "the end: 4 of 4 events"
        assert len(events(app)) == 4


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_a_record_is_left_at_once(key):
    app = app_over(RECORD)
    async with app.run_test() as pilot:
        await begun(pilot, 1)
        await pilot.press(key)
        while app.return_value is None:
            await pilot.pause()
    assert app.return_value == 0


async def test_a_record_that_is_held_can_be_left():
    app = app_over(RECORD)
    async with app.run_test() as pilot:
        await begun(pilot, 1)
        await pilot.press("space", "q")
        await asyncio.wait_for(app.conductor.close(), 5)


async def test_ten_thousand_events_are_all_told():
    record = stories.long(10_000)
    app = app_over(record, speed=0)
    async with app.run_test() as pilot:
        await begun(pilot, len(record))
        assert len(events(app)) == len(record)


async def test_the_keys_of_a_record_are_in_the_footer():
    app = app_over(RECORD)
    async with app.run_test(size=(120, 36)) as pilot:
        await begun(pilot, 1)
        shown = {binding.binding.description for binding in app.screen.active_bindings.values()}
        assert {"hold or go on", "faster", "slower", "leave"} <= shown


async def test_the_pane_that_has_the_keys_is_marked_and_no_other():
    app = app_over(stories.healed_at_3(), speed=0, make_panes=all_panes)
    async with app.run_test(size=(160, 40)) as pilot:
        await begun(pilot, app.conductor.total)
        marked = {}
        for key in ("f2", "f4", "f3"):
            await pilot.press(key)
            await pilot.pause()
            panel = app.theme_variables["panel"]
            marked[key] = [
                pane.id
                for pane in app.deck.panes
                if pane.query_one(PaneHeader).styles.background.hex == panel
            ]
        assert marked == {"f2": ["reasoning"], "f4": ["sandbox"], "f3": ["diff"]}


def test_where_says_how_it_stands():
    replay = ReplayConductor(RECORD, speed=0)
    assert where(replay) == "0 of 4 events · all at once"


async def test_the_keys_go_to_what_is_there_and_stay_in_the_first_pane():
    """A plan that is hidden for lack of steps would hand them on to just any pane."""
    themes = load_themes(themes_folder(), None)
    app = app_over(RECORD, speed=0, make_panes=all_panes, themes=themes)
    async with app.run_test(size=(120, 36)) as pilot:
        await begun(pilot, 4)
        assert app.focused.id == "talk"
        assert app.deck.front is app.deck.panes[0]


async def test_a_new_theme_colours_everything_as_if_it_had_been_there_from_the_start():
    """Differences in syntax colours too: every cell is as in an app that began with the theme."""
    record = stories.healed_at_3()

    def still():
        panes = all_panes()
        for pane in panes:
            pane.clock = lambda: 0.0
        return panes

    async def drawn(first, then):
        themes = load_themes(themes_folder(), None)
        app = app_over(record, speed=0, make_panes=still, themes=themes, theme=first)
        async with app.run_test(size=(160, 40)) as pilot:
            await begun(pilot, len(record))
            app.query_one(ReplayLine).look()
            await pilot.press("f3")
            if then:
                app.theme = then
            for _ in range(3):
                await pilot.pause()
            return [
                [(part.text, str(part.style)) for part in strip]
                for strip in app.screen._compositor.render_strips()
            ]

    fresh, switched = (
        await drawn("selfheal-light", ""),
        await drawn("selfheal-dark", "selfheal-light"),
    )
    differing = [
        n for n, (one, other) in enumerate(zip(fresh, switched, strict=True)) if one != other
    ]
    assert differing == []
