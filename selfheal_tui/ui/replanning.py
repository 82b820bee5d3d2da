"""What the app does when the user wants another plan. Loaded when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfheal_tui.ui.panes.reasoning import ReasoningPane
from selfheal_tui.ui.plantext import Items
from selfheal_tui.ui.screens.editplan import EditPlanScreen

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp


def edit_plan(app: SelfhealApp) -> None:
    """Open the plan to be edited, or say why that cannot be."""
    if why_not := _why_not(app):
        app.say_so(why_not, severity="warning")
        return
    shown = plan_of(app)

    def take(items: Items | None) -> None:
        if items is not None:
            _take(app, shown, items)

    if not isinstance(app.screen, EditPlanScreen):
        app.push_screen(EditPlanScreen(shown), take)


def plan_of(app: SelfhealApp) -> Items:
    """The plan as the reasoning pane has it; empty before there is one."""
    panes = (pane for pane in app.deck.panes if isinstance(pane, ReasoningPane))
    return next((pane.plan for pane in panes), ())


def _why_not(app: SelfhealApp) -> str:
    if app.conductor.replayed:
        return "this is a record: its plan stays as it was"
    if not app.conductor.running:
        return "no session runs: there is no plan to change"
    return "" if plan_of(app) else "there is no plan yet: it is written before the first attempt"


def _take(app: SelfhealApp, shown: Items, items: Items) -> None:
    moved_on = plan_of(app) != shown
    if why_not := app.conductor.replan(items):
        app.say_so(why_not, severity="warning")
    elif moved_on:
        app.say_so("the plan had moved on meanwhile; yours is put in its place")
