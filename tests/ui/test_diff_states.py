"""The diff pane's two states to compare: by key, by mouse, and what is said where none is known."""

from __future__ import annotations

import pytest

from selfheal_tui.core import events as e
from selfheal_tui.ui.panes.diff import DiffPane
from selfheal_tui.ui.widgets.knownstates import KnownStates
from selfheal_tui.ui.widgets.rows import Rows
from selfheal_tui.ui.widgets.stateline import StatesLine
from tests.support import stories
from tests.ui.stand_in import PaneApp

SIZE = (100, 40)
BASE = "b" * 40


def text_of(pane: DiffPane) -> str:
    rows = pane.rows
    lines = (content for block in rows.blocks for content in block.lines(rows.line_width))
    return "\n".join(content.plain.rstrip() for content in lines)


def line_of(app: PaneApp) -> str:
    return app.query_one(StatesLine).render().plain


def chosen(app: PaneApp) -> tuple[str, str]:
    return app.query_one(StatesLine).chosen


async def test_keys_choose_both_sides_and_go_around():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert line_of(app).startswith(" base  1  2  3  →  1  2  3  now ")
        app.panes[0].rows.focus()
        seen = [chosen(app)]
        for key in "baaAbbbB":
            await pilot.press(key)
            await pilot.pause()
            seen.append(chosen(app))
        assert seen == [
            ("base", "now"),
            ("1", "now"),
            ("1", "1"),
            ("1", "2"),
            ("1", "1"),
            ("2", "1"),
            ("3", "1"),
            ("base", "1"),
            ("3", "1"),
        ]


async def test_what_one_attempt_changed_of_another_one_is_shown():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        pane.rows.focus()
        await pilot.press("b", "b", "A")
        await pilot.pause()
        assert chosen(app) == ("2", "3")
        shown = text_of(pane)
        assert "till.py" in shown
        assert "+ DISCOUNT = 'discount'" in shown
        assert "test_receipt.py" not in shown
        assert pane.subtitle == "1 file  +2 -1"


async def test_one_sentence_follows_another():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        pane.rows.focus()
        await pilot.press("b", "b", "b")
        await pilot.pause()
        assert text_of(pane).strip() == "Nothing changed since attempt 3."
        await pilot.press("a")
        await pilot.pause()
        assert text_of(pane).strip().startswith("Attempt 3 came after attempt 1:")


async def test_a_click_chooses_a_state():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        line = line_of(app)
        left = 2  # The padding of the line.
        await pilot.click(StatesLine, offset=(left + line.index(" 1 ") + 1, 0))
        await pilot.pause()
        assert chosen(app) == ("1", "now")
        arrow = line.index("→")
        await pilot.click(StatesLine, offset=(left + line.index(" 2 ", arrow) + 1, 0))
        await pilot.pause()
        assert chosen(app) == ("1", "2")
        await pilot.click(StatesLine, offset=(left + arrow, 0))
        await pilot.pause()
        assert chosen(app) == ("1", "2")


async def test_there_is_nothing_to_choose_before_an_attempt_ended():
    app = PaneApp([DiffPane()], stories.happy()[:20])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert not app.query_one(StatesLine).display


async def test_a_jump_to_a_hunk_shows_it_as_it_is_now_and_stays_where_there_is_none():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        assert pane.reveal("attempt", "2")
        await pilot.pause()
        assert chosen(app) == ("base", "2")
        assert not pane.reveal("hunk", "unknown.py")
        await pilot.pause()
        assert chosen(app) == ("base", "2")
        assert pane.reveal("hunk", "till.py")
        await pilot.pause()
        assert chosen(app) == ("base", "now")
        assert not pane.reveal("attempt", "7")


async def test_a_tick_stays_while_another_state_is_shown():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        pane.rows.focus()
        await pilot.press("home", "v", "b", "b")
        await pilot.pause()
        assert "✓" not in text_of(pane)
        await pilot.press("b", "b")
        await pilot.pause()
        assert chosen(app) == ("base", "now")
        assert "▸ tests/test_receipt.py  new file  ✓" in text_of(pane)
        files = app.query_one("#files", Rows)
        assert [row.reviewed for row in files.blocks] == [True, False]


async def test_a_new_proposal_without_what_was_refused_is_what_now_shows():
    app = PaneApp([DiffPane()], stories.taken_out())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.panes[0].subtitle == "1 file  +5 -3"
        app.panes[0].rows.focus()
        await pilot.press("A")
        await pilot.pause()
        assert chosen(app) == ("base", "1")
        assert app.panes[0].subtitle == "2 files  +13 -3"


def known(*events: e.Event) -> KnownStates:
    states = KnownStates()
    snapshot = e.SnapshotTaken(BASE, "", "", "", 1, 1)
    for event in (snapshot, *events):
        states.see(event)
    return states


def changed(tree: str) -> e.TreeChanged:
    return e.TreeChanged(tree, (("a.py", 1, 0),), f"patch to {tree}")


ONE = (changed("t1"), e.AttemptEnded(1, "better", "t1"))
TWO = (changed("t2"), e.AttemptEnded(2, "worse", "t2"))


@pytest.mark.parametrize(
    ("events", "pair", "notice"),
    [
        ((*ONE, *TWO), ("1", "1"), "Attempt 1 is chosen on both sides."),
        (
            (*ONE, *TWO),
            ("2", "1"),
            "Attempt 2 came after attempt 1: choose them the other way round to see what changed.",
        ),
        (
            (*ONE, *TWO),
            ("1", "2"),
            "The way from attempt 1 to attempt 2 was not recorded: it is larger than a megabyte,"
            " or an older version of selfheal ran.",
        ),
        (
            (*ONE, e.AttemptEnded(2, "same", "t1")),
            ("1", "2"),
            "Attempts 1 and 2 left the same files.",
        ),
        (ONE, ("1", "now"), "Nothing changed since attempt 1."),
        (
            (*ONE, *TWO, changed("t1")),
            ("2", "now"),
            "The files are back at what attempt 1 left, before attempt 2: choose from 1 to 2 to"
            " see what was taken back.",
        ),
        (
            (*ONE, changed(BASE)),
            ("1", "now"),
            "The files are back at base, before attempt 1: choose from base to 1 to see what was"
            " taken back.",
        ),
        (
            (*ONE, changed("t5")),
            ("1", "now"),
            "What changed since attempt 1 is known when this attempt ends. From base to now is"
            " known at any time.",
        ),
        (
            (e.AttemptEnded(1, "better", "never told"),),
            ("base", "1"),
            "The difference that attempt 1 left was not recorded.",
        ),
    ],
)
def test_a_pair_that_is_not_known_says_so_in_plain_words(events, pair, notice):
    found = known(*events).between(*pair)
    assert (found.notice, found.patch, found.files) == (notice, "", ())


def test_from_an_earlier_attempt_to_now_is_the_way_to_the_attempt_that_now_is():
    states = known(*ONE, *TWO, e.AttemptsCompared(1, 2, "from 1 to 2"))
    assert states.between("1", "now") == states.between("1", "2")
    assert states.between("1", "2").patch == "from 1 to 2"


def test_a_difference_of_attempts_that_is_too_large_is_said_to_be():
    assert known(*ONE, *TWO, e.AttemptsCompared(1, 2, "")).between("1", "2").too_large
