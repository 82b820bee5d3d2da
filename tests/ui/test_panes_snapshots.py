"""Every main state of the panes, drawn from stories, in three sizes and the themes."""

from __future__ import annotations

import pytest

from selfheal_tui.ui.panes import all_panes
from tests.support import stories
from tests.ui.stand_in import PaneApp

SIDE_BY_SIDE = [
    ("running", "120x36", "selfheal-dark"),
    ("running", "120x36", "selfheal-light"),
    ("running", "200x50", "selfheal-dark"),
    ("running", "200x50", "selfheal-light"),
    ("happy", "120x36", "selfheal-dark"),
    ("healed_at_3", "200x50", "selfheal-dark"),
    ("healed_at_3", "200x50", "selfheal-contrast"),
    ("healed_at_3", "200x50", "selfheal-terminal"),
    ("refused", "120x36", "selfheal-light"),
    ("cancelled", "120x36", "selfheal-dark"),
    ("environment", "120x36", "selfheal-dark"),
    ("hostile", "200x50", "selfheal-dark"),
]
ALONE = [
    ("reasoning", "running", "selfheal-dark"),
    ("reasoning", "running", "selfheal-light"),
    ("diff", "healed_at_3", "selfheal-dark"),
    ("diff", "healed_at_3", "selfheal-light"),
    ("sandbox", "running", "selfheal-dark"),
    ("sandbox", "running", "selfheal-light"),
]


@pytest.mark.parametrize(("story", "size", "theme"), SIDE_BY_SIDE)
def test_panes_side_by_side_look_as_they_should(snap_compare, story, size, theme):
    app = PaneApp(all_panes(), getattr(stories, story)(), theme=theme)
    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))))


@pytest.mark.parametrize(("pane", "story", "theme"), ALONE)
def test_a_pane_alone_on_a_small_screen_looks_as_it_should(snap_compare, pane, story, theme):
    panes = [each for each in all_panes() if each.id == pane]
    app = PaneApp(panes, getattr(stories, story)(), theme=theme)
    assert snap_compare(app, terminal_size=(80, 24))


def test_a_wide_difference_stands_in_two_columns(snap_compare):
    panes = [each for each in all_panes() if each.id == "diff"]
    assert snap_compare(PaneApp(panes, stories.refused()), terminal_size=(200, 50))


def test_opened_entries_show_arguments_result_and_output(snap_compare):
    app = PaneApp(all_panes(), stories.happy())

    async def open_all(pilot):
        await pilot.pause()
        for pane in app.panes:
            pane.rows.action_toggle_all()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(200, 50), run_before=open_all)


def test_matches_of_a_search_are_marked(snap_compare):
    app = PaneApp(all_panes(), stories.running())

    async def search(pilot):
        await pilot.pause()
        for pane in app.panes:
            pane.search("tax")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(200, 50), run_before=search)
