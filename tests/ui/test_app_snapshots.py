"""The whole interface over recorded runs: header, panes or tabs, input, status and footer."""

from __future__ import annotations

import pytest

from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Happened
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.themes import load_themes
from tests.support import stories

STATES = ("happy", "healed_at_3", "refused", "cancelled", "environment", "hostile", "running")
SIZES = ("80x24", "120x36", "200x50")
THEMES = ("selfheal-dark", "selfheal-light")


class Told(ReplayConductor):
    """Tells the whole record at once, so that no drawing in between can leave its mark."""

    def __init__(self, record, *, speed):
        super().__init__(record, speed=speed)
        self._whole = record
        self.taken = 0

    async def news(self):
        yield [Happened(event, at) for event, at in self._whole]
        self.taken = len(self._whole)
        async for _ in super().news():
            pass


def app_over(record, theme):
    """The app over a record, with clocks that stand still."""

    def still_panes():
        panes = all_panes()
        for pane in panes:
            pane.clock = lambda: 0.0
        return panes

    return SelfhealApp(
        Told(record, speed=0),
        make_panes=still_panes,
        themes=load_themes(themes_folder(), None),
        theme=theme,
    )


def shown(record, *keys):
    """Waits until the whole record is drawn, then presses the keys."""

    async def prepare(pilot):
        while pilot.app.conductor.taken < len(record):
            await pilot.pause()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return prepare


def as_size(text):
    return tuple(map(int, text.split("x")))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("story", STATES)
def test_the_interface_looks_as_it_should(snap_compare, story, size, theme):
    record = getattr(stories, story)()
    app = app_over(record, theme)
    assert snap_compare(app, terminal_size=as_size(size), run_before=shown(record))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_ten_thousand_events_look_as_they_should(snap_compare, size, theme):
    record = stories.long()
    app = app_over(record, theme)
    assert snap_compare(app, terminal_size=as_size(size), run_before=shown(record))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_the_help_looks_as_it_should(snap_compare, size, theme):
    record = stories.happy()
    app = app_over(record, theme)
    assert snap_compare(app, terminal_size=as_size(size), run_before=shown(record, "f1"))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pane", ["f3", "f4"])
def test_the_other_panes_of_a_small_screen_look_as_they_should(snap_compare, pane, theme):
    record = stories.healed_at_3()
    app = app_over(record, theme)
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(record, pane))


@pytest.mark.parametrize("theme", ["selfheal-contrast", "selfheal-terminal"])
def test_the_other_themes_look_as_they_should(snap_compare, theme):
    record = stories.healed_at_3()
    app = app_over(record, theme)
    assert snap_compare(app, terminal_size=(120, 36), run_before=shown(record))
