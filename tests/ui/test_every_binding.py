"""Every key of every binding does what its description says; a binding without a row here fails.

A new binding is one line in ROWS: its class and key, how to get where it counts, what to look at,
and what that is to be afterwards (a value, or a function of before and after).
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

import pytest
from textual.binding import Binding
from textual.widgets import Input

import selfheal_tui.ui
from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.core.approval import CommitRequest, PlanRequest
from selfheal_tui.core.events import AttemptStarted, PlanProposed, ProposalMade, SessionStarted
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.bars.search import SearchLine
from selfheal_tui.ui.conductor import Asked, SessionLine
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.replaying import ReplayApp, ReplayLine
from selfheal_tui.ui.screens.editplan import PlanText
from selfheal_tui.ui.screens.local import LocalScreen
from selfheal_tui.ui.widgets.refusing import RefusingView
from selfheal_tui.ui.widgets.rows import Rows
from tests.support import stories
from tests.support.conductor import FakeConductor, opened

SIZE = (140, 40)
STARTED = SessionStarted("s", "mend it", "/r", "1")
STORY = [event for event, _ in stories.healed_at_3()]
PROPOSAL = [event for event in STORY if isinstance(event, ProposalMade)][-1]
COMMIT = CommitRequest("a" * 40, "c" * 40, "refs/heads/selfheal/x", "0" * 40, "Mend", False)
PLAN = PlanRequest(("look", "mend"), ("till.py",))
SESSIONS = tuple(SessionLine(str(n), float(n), "", f"task {n}") for n in range(40))


# --- the ways to where a key counts --------------------------------------------------------


async def at_rest(pilot):
    await pilot.pause()


async def told(pilot, *events):
    pilot.app.conductor.tell(*events)
    await pilot.app.conductor.told(pilot)
    await pilot.pause()


def over(*keys, focus="", then=()):
    """A healed run is shown; these keys, the focus goes to a part, and then those keys."""

    async def go(pilot):
        await told(pilot, *STORY[:-1])
        await pilot.press(*keys)
        if focus:
            pilot.app.screen.query_one(focus).focus()
        await pilot.pause()
        await pilot.press(*then)
        await pilot.pause()

    return go


async def planned(pilot):
    await told(pilot, STARTED, PlanProposed(("read", "mend")))
    await pilot.press("f2")
    await pilot.pause()


async def editing_plan(pilot):
    await planned(pilot)
    await pilot.press("e")
    await pilot.pause()


async def another_plan(pilot):
    await editing_plan(pilot)
    await pilot.press("ctrl+t")


async def at_a_command(pilot):
    await over("f4", focus="#log")(pilot)
    rows = pilot.app.focused
    rows.cursor = next(block for block in rows.blocks if type(block).__name__ == "CommandBlock")


def asking(request, *keys):
    async def go(pilot):
        await told(pilot, STARTED, AttemptStarted(1, 3, "t"), PROPOSAL, Asked(request))
        await pilot.press(*keys)
        await pilot.pause()

    return go


async def looking_around(pilot):
    await asking(COMMIT, "escape")(pilot)


async def refusing_hunks(pilot):
    await asking(COMMIT)(pilot)
    view = pilot.app.screen.query_one(RefusingView)
    view.focus()
    await pilot.press("h")
    await pilot.pause()


async def all_refused(pilot):
    await refusing_hunks(pilot)
    await pilot.press("X")
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


def typed(*keys):
    async def go(pilot):
        pilot.app.focus_input()
        await pilot.press(*keys)
        await pilot.pause()

    return go


async def with_history(pilot):
    pilot.app.conductor.running = True
    await typed(*"one", "enter", *"two", "enter")(pilot)


async def back_in_history(pilot):
    await with_history(pilot)
    await pilot.press("up", "up")


async def picking(pilot):
    pilot.app.conductor._sessions = SESSIONS
    await typed(*"/resume", "enter")(pilot)


async def further_down(pilot):
    await picking(pilot)
    await pilot.press("down", "down")


async def attempts(pilot):
    await over("f3")(pilot)
    await typed(*"/attempts", "enter")(pilot)


async def without_isolation(pilot):
    def answered(given):
        pilot.app.conductor.asked.append(("isolation", given))

    pilot.app.push_screen(LocalScreen(), answered)
    await pilot.pause()


def searched(*keys):
    return over("f4", "slash", *"test", "enter", *keys)


async def still_searching(pilot):
    await over("f4", "slash", "x")(pilot)


# --- what to look at -----------------------------------------------------------------------


def last(app):
    return app.conductor.asked[-1]


def screen(app):
    return type(app.screen).__name__


def text(app):
    return app.prompt.editor.text


def pane(app):
    return app.deck.front.id


def zoomed(app):
    return app.deck.has_class("-zoomed")


def widths(app):
    return [each.size.width for each in app.deck.panes]


def states(app):
    diff = app.deck.panes[1]
    return diff._from, diff._to


def cursor(app):
    """Where the cursor of the focused rows is."""
    rows = app.focused
    assert isinstance(rows, Rows)
    return rows.blocks.index(rows.cursor) if rows.cursor in rows.blocks else -1


def opened_blocks(app):
    return [block.open for block in app.focused.blocks]


def hunk(app):
    view = app.deck.panes[1].rows
    return view.blocks.index(view.cursor) if view.cursor in view.blocks else -1


def found(app):
    rows = app.deck.front.rows
    return rows.blocks.index(rows.cursor)


def focused_part(app):
    return app.focused.id


def drawn(app):
    view = app.deck.panes[1].rows
    return [view.render_line(y).text for y in range(view.size.height)]


def reviewed(app):
    return app.deck.panes[1].rows.reviewed()


def folded_checks(app):
    return app.deck.panes[2]._head.open


def folded_plan(app):
    return app.deck.panes[0]._plan.open


def answer(app):
    kind, *given = last(app)
    return (kind, given[0].granted) if kind == "answer" else None


def refused(app):
    view = app.screen.query_one(RefusingView)
    return view.kept(), view.accepted()


def focus(app):
    return type(app.focused).__name__


def highlighted(app):
    return app.screen.query_one("#sessions").highlighted


def preview_at(app):
    return app.screen.query_one("#preview").scroll_target_y


def plan_text(app):
    return app.screen.query_one(PlanText).text


def messages(app):
    return [note.message for note in app._notifications]


def stopped(app):
    return ("stop", 2) in app.conductor.asked


def names_shown(app):
    return any(block.open for block in app.screen.query_one(Rows).blocks)


def waits(app):
    return app._armed


def replayed(app):
    return app.conductor.paused, app.conductor.speed, app.conductor._steps


def changed(before, after):
    return before != after


def more(before, after):
    return after > before


def less(before, after):
    return after < before


@dataclass(frozen=True)
class Row:
    """How to get there, what to look at, and what it is then."""

    state: Any
    probe: Any
    then: Any


ROWS = {
    # everywhere
    ("SelfhealApp", "escape"): Row(over("f3"), focus, "Editor"),
    ("SelfhealApp", "f1"): Row(at_rest, screen, "HelpScreen"),
    ("SelfhealApp", "f2"): Row(over("f3"), pane, "reasoning"),
    ("SelfhealApp", "f3"): Row(over(), pane, "diff"),
    ("SelfhealApp", "f4"): Row(over(), pane, "sandbox"),
    ("SelfhealApp", "f6"): Row(over("f3"), zoomed, True),
    ("SelfhealApp", "f8"): Row(looking_around, screen, "ApprovalScreen"),
    ("SelfhealApp", "ctrl+c"): Row(at_rest, waits, True),
    ("SelfhealApp", "ctrl+z"): Row(at_rest, lambda app: app.was_suspended, True),
    ("SelfhealApp", "ctrl+q"): Row(at_rest, stopped, True),
    # a record
    ("ReplayApp", "space"): Row(at_rest, replayed, (True, 1.0, 0)),
    ("ReplayApp", "full_stop"): Row(at_rest, replayed, lambda _, after: after[0] is True),
    ("ReplayApp", "plus"): Row(at_rest, replayed, (False, 2.0, 0)),
    ("ReplayApp", "equals_sign"): Row(at_rest, replayed, (False, 2.0, 0)),
    ("ReplayApp", "minus"): Row(at_rest, replayed, (False, 0.5, 0)),
    ("ReplayApp", "q"): Row(at_rest, lambda app: app._leaving, True),
    ("ReplayApp", "ctrl+c"): Row(at_rest, lambda app: app._leaving, True),
    ("ReplayApp", "escape"): Row(at_rest, pane, "reasoning"),
    # the input
    ("Editor", "enter"): Row(typed(*"hey"), last, ("start", "hey")),
    ("Editor", "ctrl+j"): Row(typed(*"a"), text, "a\n"),
    ("Editor", "shift+enter"): Row(typed(*"a"), text, "a\n"),
    ("Editor", "alt+enter"): Row(typed(*"a"), text, "a\n"),
    ("Editor", "up"): Row(with_history, text, "two"),
    ("Editor", "down"): Row(back_in_history, text, "two"),
    ("Editor", "ctrl+u"): Row(typed(*"abc"), text, ""),
    ("Editor", "ctrl+underscore"): Row(typed(*"abc"), text, ""),
    ("Prompt", "tab"): Row(typed(*"/net"), text, "/network "),
    ("SearchLine", "escape"): Row(
        still_searching, lambda app: app.screen.query_one(SearchLine).display, False
    ),
    # the panes
    ("Deck", "slash"): Row(over("f3"), focus, "SearchLine"),
    ("Deck", "left_square_bracket"): Row(over("f3"), lambda app: widths(app)[1], less),
    ("Deck", "right_square_bracket"): Row(over("f3"), lambda app: widths(app)[1], more),
    ("Pane", "n"): Row(searched(), found, changed),
    ("Pane", "N"): Row(searched(), found, changed),
    ("DiffPane", "a"): Row(over("f3"), states, ("base", "1")),
    ("DiffPane", "A"): Row(over("f3"), states, ("base", "3")),
    ("DiffPane", "b"): Row(over("f3"), states, ("1", "now")),
    ("DiffPane", "B"): Row(over("f3"), states, ("3", "now")),
    ("DiffPane", "v"): Row(over("f3", focus="#hunks", then="h"), reviewed, changed),
    ("SandboxPane", "l"): Row(over("f4", focus="#checks", then=["down"]), focused_part, "log"),
    ("SandboxPane", "d"): Row(over("f4", focus="#checks", then=["down"]), pane, "diff"),
    ("SandboxPane", "t"): Row(over("f4"), folded_checks, changed),
    ("ReasoningPane", "p"): Row(planned, folded_plan, changed),
    ("ReasoningPane", "e"): Row(planned, screen, "EditPlanScreen"),
    ("Rows", "up"): Row(over("f4", "down", "down", focus="#log"), cursor, changed),
    ("Rows", "k"): Row(over("f4", "down", "down", focus="#log"), cursor, changed),
    ("Rows", "down"): Row(over("f4", "home", focus="#log"), cursor, changed),
    ("Rows", "j"): Row(over("f4", "home", focus="#log"), cursor, changed),
    ("Rows", "enter"): Row(at_a_command, opened_blocks, changed),
    ("Rows", "home"): Row(over("f4", focus="#log"), cursor, 0),
    ("Rows", "g"): Row(over("f4", focus="#log"), cursor, 0),
    ("Rows", "end"): Row(over("f4", "home", focus="#log"), cursor, more),
    ("Rows", "G"): Row(over("f4", "home", focus="#log"), cursor, more),
    ("Rows", "O"): Row(over("f4", focus="#log"), opened_blocks, changed),
    ("DiffView", "h"): Row(over("f3", focus="#hunks"), hunk, more),
    ("DiffView", "H"): Row(over("f3", focus="#hunks", then="hh"), hunk, less),
    ("DiffView", "f"): Row(over("f3", focus="#hunks"), hunk, more),
    ("DiffView", "F"): Row(over("f3", focus="#hunks", then="ff"), hunk, less),
    ("DiffView", "s"): Row(over("f3", focus="#hunks"), drawn, changed),
    # what is asked
    ("ApprovalScreen", "ctrl+y"): Row(asking(COMMIT), answer, ("answer", True)),
    ("ApprovalScreen", "ctrl+n"): Row(asking(COMMIT), screen, "ReasonScreen"),
    ("ApprovalScreen", "ctrl+d"): Row(asking(COMMIT), answer, ("answer", False)),
    ("ApprovalScreen", "ctrl+o"): Row(asking(COMMIT), focus, changed),
    ("ApprovalScreen", "ctrl+r"): Row(asking(COMMIT), lambda app: app.screen._raw, True),
    ("ApprovalScreen", "tab"): Row(asking(COMMIT), focus, changed),
    ("ApprovalScreen", "escape"): Row(asking(COMMIT), screen, "Screen"),
    ("RefusingView", "x"): Row(refusing_hunks, screen, "ReasonScreen"),
    ("RefusingView", "X"): Row(refusing_hunks, screen, "ReasonScreen"),
    ("RefusingView", "a"): Row(all_refused, refused, changed),
    ("ReasonScreen", "escape"): Row(asking(COMMIT, "ctrl+n"), screen, "ApprovalScreen"),
    ("PlanScreen", "ctrl+y"): Row(asking(PLAN), answer, ("answer", True)),
    ("PlanScreen", "ctrl+n"): Row(asking(PLAN), screen, "ReasonScreen"),
    ("PlanScreen", "ctrl+d"): Row(asking(PLAN), answer, ("answer", False)),
    ("PlanScreen", "escape"): Row(asking(PLAN), screen, "Screen"),
    ("LocalScreen", "ctrl+y"): Row(without_isolation, last, ("isolation", True)),
    ("LocalScreen", "escape"): Row(without_isolation, last, ("isolation", False)),
    # other screens
    ("EditPlanScreen", "ctrl+s"): Row(another_plan, last, lambda _, now: now[0] == "replan"),
    ("EditPlanScreen", "ctrl+y"): Row(another_plan, last, lambda _, now: now[0] == "replan"),
    ("EditPlanScreen", "ctrl+t"): Row(editing_plan, plan_text, "[>] read\n[ ] mend"),
    ("EditPlanScreen", "escape"): Row(editing_plan, screen, "Screen"),
    ("AttemptsScreen", "space"): Row(attempts, names_shown, True),
    ("AttemptsScreen", "escape"): Row(attempts, screen, "Screen"),
    ("AttemptsScreen", "q"): Row(attempts, screen, "Screen"),
    ("HelpScreen", "escape"): Row(typed("f1"), screen, "Screen"),
    ("HelpScreen", "f1"): Row(typed("f1"), screen, "Screen"),
    ("HelpScreen", "q"): Row(typed("f1"), screen, "Screen"),
    ("PickerScreen", "enter"): Row(picking, last, ("resume", "0")),
    ("PickerScreen", "ctrl+o"): Row(picking, last, ("look", "0")),
    ("PickerScreen", "down"): Row(picking, highlighted, 1),
    ("PickerScreen", "up"): Row(further_down, highlighted, 1),
    ("PickerScreen", "pagedown"): Row(picking, preview_at, more),
    ("PickerScreen", "pageup"): Row(picking, preview_at, less),
    ("PickerScreen", "escape"): Row(picking, screen, "Screen"),
}


def classes():
    """Every class of the interface that has bindings of its own."""
    for module in pkgutil.walk_packages(selfheal_tui.ui.__path__, "selfheal_tui.ui."):
        for kind in vars(importlib.import_module(module.name)).values():
            ours = isinstance(kind, type) and kind.__module__ == module.name
            if ours and "BINDINGS" in vars(kind):
                yield kind


def keys():
    """Pairs of a class and a key, for every key of every binding."""
    found = set()
    for kind in classes():
        for given in vars(kind)["BINDINGS"]:
            binding = given if isinstance(given, Binding) else Binding(*given)
            found |= {(kind.__name__, key.strip()) for key in binding.key.split(",")}
    return found


def test_every_binding_has_a_row_and_every_row_a_binding():
    assert set(ROWS) == keys()


def test_every_binding_says_what_it_does():
    nameless = [
        (kind.__name__, binding)
        for kind in classes()
        for binding in vars(kind)["BINDINGS"]
        if not binding.description
    ]
    assert nameless == []


class Told(FakeConductor):
    """Has more to say of a session than its preview has room for."""

    def preview(self, session):
        return [(f"fact {n}", "x") for n in range(100)]


def app_of(place, key):
    """An app that only notes that it would be suspended: the process of the tests goes on."""
    running = (place, key) != ("Editor", "enter")
    app = SelfhealApp(Told(running=running), make_panes=all_panes)
    app.was_suspended = False

    def suspend():
        app.was_suspended = True

    app.action_suspend_process = suspend
    return app


async def pressed(pilot, row, key):
    """What the row looks at, before and after."""
    await row.state(pilot)
    if key == "pageup":
        await pilot.press("pagedown", "pagedown")
    before = row.probe(pilot.app)
    await pilot.press(key)
    for _ in range(4):
        await pilot.pause()
    return before, row.probe(pilot.app)


@pytest.mark.parametrize(("place", "key"), sorted(ROWS), ids=str)
async def test_the_key_does_what_it_says(place, key):
    row = ROWS[place, key]
    if place == "ReplayApp":
        before, after = await in_a_record(row, key)
    else:
        app = app_of(place, key)
        async with opened(app, size=SIZE) as pilot:
            before, after = await pressed(pilot, row, key)
    if callable(row.then):
        assert row.then(before, after), f"{before} -> {after}"
    else:
        assert (before != row.then, after) == (True, row.then)


async def in_a_record(row, key):
    async def still(changed, seconds):
        await changed.wait()

    record = [(STARTED, 0.0), (AttemptStarted(1, 3, "t"), 1.0), (AttemptStarted(2, 3, "t"), 2.0)]
    app = ReplayApp(
        ReplayConductor(record, speed=1.0, clock=lambda: 0.0, wait=still), make_panes=all_panes
    )
    async with app.run_test(size=SIZE) as pilot:
        while not app.query(ReplayLine) or not app.conductor.told:
            await pilot.pause()
        await pilot.press("f3")
        return await pressed(pilot, row, key)


# --- a selection with the mouse, and the search of a pane -----------------------------------


async def test_what_the_mouse_selects_is_copied_and_nothing_is_cut_short():
    conductor = FakeConductor(running=True)
    app = SelfhealApp(conductor, make_panes=all_panes)
    async with opened(app, size=SIZE) as pilot:
        await over()(pilot)
        log = app.screen.query_one("#log")
        await pilot.mouse_down(log, offset=(2, 2))
        await pilot.hover(log, offset=(20, 4))
        await pilot.mouse_up(log, offset=(20, 4))
        await pilot.pause()
        selected = app.screen.get_selected_text()
        assert selected
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.clipboard == selected
        assert not app.screen.get_selected_text()
        assert ("cancel",) not in conductor.asked
        assert messages(app)[-1] == "copied"


async def test_a_search_says_how_many_and_goes_through_all_of_them_and_back():
    app = SelfhealApp(FakeConductor(), make_panes=all_panes)
    async with opened(app, size=SIZE) as pilot:
        await searched()(pilot)
        said = messages(app)[-1]
        count = int(said.split()[0])
        assert (count > 2, said) == (True, f"{count} found: n next, N previous")
        seen = []
        for _ in range(count):
            seen.append(found(app))
            await pilot.press("n")
        assert (len(set(seen)), found(app)) == (count, seen[0])
        await pilot.press("N")
        assert found(app) == seen[-1]


async def test_a_search_line_takes_the_keys_of_the_panes_as_words():
    app = SelfhealApp(FakeConductor(), make_panes=all_panes)
    async with opened(app, size=SIZE) as pilot:
        await over("f3", "slash", *"hHfsvq")(pilot)
        assert app.screen.query_one(SearchLine).value == "hHfsvq"
        assert isinstance(app.focused, Input)
