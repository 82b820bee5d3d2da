"""What the tests of the interface share."""

from __future__ import annotations

import inspect

import pytest
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.widgets import Input, TextArea

from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.screens.approval import ApprovalScreen

SAME = 3
"""Pictures in a row that must be the same one: only then is nothing left to be drawn."""


@pytest.fixture(autouse=True, scope="session")
def _style_sheets_are_parsed_once():
    """Hundreds of apps parse the same texts, a light one twice. What comes of a text depends on
    nothing but it and the variables of the theme, and nobody changes it afterwards."""
    parse, parsed = Stylesheet._parse_rules, {}

    def parse_once(sheet, css, read_from, **how):
        # As Textual's own, which ends with the sheet of one app and is asked at every mount.
        here = (css, read_from, *how.values())
        if here not in sheet._parse_cache:
            key = (*here, *sheet._variables.items())
            if key not in parsed:
                parsed[key] = parse(sheet, css, read_from, **how)
            sheet._parse_cache[here] = parsed[key]
        return sheet._parse_cache[here]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(autouse=True)
def _keys_are_heard_at_once(monkeypatch):
    """No test waits for the moment in which a yes is not heard; one test is about it."""
    monkeypatch.setattr(ApprovalScreen, "deaf", 0.0)


@pytest.fixture
def snap_compare(snap_compare, monkeypatch):
    """As the plugin's, but the picture is taken when all is drawn, on a busy machine too: no
    cursor blinks and no notice goes away by itself."""
    monkeypatch.setattr(App, "NOTIFICATION_TIMEOUT", 3600.0)
    monkeypatch.setattr(TextArea, "cursor_blink", False)
    monkeypatch.setattr(Input, "cursor_blink", False)

    def compare(app, *arguments, run_before=None, **options):
        async def run_and_rest(pilot):
            if run_before and inspect.isawaitable(ran := run_before(pilot)):
                await ran
            await at_rest(pilot)

        return snap_compare(app, *arguments, run_before=run_and_rest, **options)

    return compare


def drawn(app):
    """What `App.export_screenshot` makes its picture of; the picture itself takes much longer."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    return [list(strips) for strips in update.strips]


async def at_rest(pilot):
    """Wait until nothing changes any more."""
    before, same = None, 0
    while same < SAME:
        await pilot.pause()
        if any(pane._due for pane in pilot.app.screen_stack[0].query(Pane)):
            continue
        now = drawn(pilot.app)
        same = same + 1 if now == before else 0
        before = now
