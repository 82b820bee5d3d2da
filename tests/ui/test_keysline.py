"""The last line: the keys that count, in their order, each made once."""

from __future__ import annotations

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.bars.keysline import KeysLine
from selfheal_tui.ui.panes import all_panes
from tests.support.conductor import FakeConductor, opened
from tests.ui.conftest import at_rest


def wanted(app):
    """The keys that are to be shown, as the bindings have them; the palette's stands last."""
    bindings = (each.binding for each in app.screen.active_bindings.values())
    return [*(each.key for each in bindings if each.show), app.COMMAND_PALETTE_BINDING]


async def test_keys_come_and_go_with_the_focus_and_those_that_stay_are_the_same_ones():
    app = SelfhealApp(FakeConductor(running=True), make_panes=all_panes)
    async with opened(app, size=(140, 40)) as pilot:
        await pilot.press("f3")
        await at_rest(pilot)
        line = app.screen.query_one(KeysLine)
        there = {part.key: part for part in line.children}
        kept = {there["f2"], there[app.COMMAND_PALETTE_BINDING]}
        for key in ("f2", "f4", "slash", "escape", "escape", "f3"):
            await pilot.press(key)
            await at_rest(pilot)
            assert [part.key for part in line.children] == wanted(app)
            assert kept <= {*line.children}


async def test_a_line_that_goes_while_its_keys_change_takes_no_new_ones(monkeypatch):
    app, mounted = SelfhealApp(FakeConductor(running=True), make_panes=all_panes), []
    async with opened(app, size=(140, 40)) as pilot:
        await pilot.press("f3")
        await at_rest(pilot)
        line = app.screen.query_one(KeysLine)
        remove_children = line.remove_children

        async def gone(keys):
            await remove_children(keys)
            await line.remove()

        monkeypatch.setattr(line, "remove_children", gone)
        monkeypatch.setattr(line, "mount", lambda *keys, **_: mounted.append(keys))
        await pilot.press("f4")
        await at_rest(pilot)
        assert not line.is_attached
    assert mounted == []
