"""The approval of a plan: its steps to read and to change, then yes or no."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from selfheal_tui.core.approval import Answer, PlanRequest, PlanWish, key_of
from selfheal_tui.core.text import printable
from selfheal_tui.ui.screens.approval import BY, ApprovalScreen
from selfheal_tui.ui.screens.editplan import PlanText
from selfheal_tui.ui.screens.reason import ReasonScreen

_HINT = "Ctrl+Y goes by it · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around first"


class PlanScreen(ModalScreen[Answer | None]):
    """Returns the answer; None when the user wants to look around first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "approve", "go by this plan", priority=True),
        Binding("ctrl+n", "refuse", "no, with a reason", priority=True),
        Binding("ctrl+d", "discard", "discard", priority=True),
        Binding("escape", "later", "look around first", priority=True),
    ]

    def __init__(self, request: PlanRequest) -> None:
        super().__init__()
        self._request = request
        self._shown_at = time.monotonic()
        self._text = "\n".join(printable(" ".join(step.split())) for step in request.steps)

    def compose(self) -> ComposeResult:
        with Vertical(classes="window plan"):
            yield Static("One step a line; change what you like.", markup=False)
            yield PlanText(self._text, id="steps", soft_wrap=True, tab_behavior="focus")
            files = ", ".join(self._request.files) or "none named"
            yield Static(f"files  {printable(files)}", id="plan-files", markup=False)
            yield Static(_HINT, id="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(".window").border_title = "Go by this plan?"
        self.query_one("#steps").focus()

    def action_approve(self) -> None:
        """Yes; with changed steps, to those."""
        if time.monotonic() - self._shown_at < ApprovalScreen.deaf:
            self.app.bell()
            return
        text = self.query_one("#steps", PlanText).text
        key = key_of(self._request)
        if text == self._text:
            self.dismiss(Answer(key, granted=True, by=BY))
            return
        steps = tuple(line.strip() for line in text.splitlines() if line.strip())
        if not steps:
            self.app.notify("A plan has a step at least.", severity="warning", markup=False)
            return
        reason = "the plan is to be another one"
        self.dismiss(Answer(key, granted=False, by=BY, reason=reason, wish=PlanWish(steps)))

    def action_refuse(self) -> None:
        self.app.push_screen(ReasonScreen("The planner plans anew with your reason."), self._refuse)

    def _refuse(self, reason: str | None) -> None:
        if reason:
            key = key_of(self._request)
            self.dismiss(Answer(key, granted=False, by=BY, reason=reason, again=True))

    def action_discard(self) -> None:
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason="discarded by the user"))

    def action_later(self) -> None:
        self.dismiss(None)
