"""The approval of a plan: its steps to read and to change, then yes or no."""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from selfheal_tui.core.approval import Answer, PlanRequest, PlanWish, key_of
from selfheal_tui.core.text import printable
from selfheal_tui.ui.screens.approval import BY, ApprovalScreen
from selfheal_tui.ui.screens.editplan import PlanText
from selfheal_tui.ui.screens.reason import ReasonScreen
from selfheal_tui.ui.screens.words import TOO_EARLY

_HINT = "Ctrl+Y goes by it · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around"
_CHANGED = "Ctrl+Y goes by your plan · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around"
_EMPTY = "A plan needs at least one step; Ctrl+N has another one written, Ctrl+D ends the run."


class PlanScreen(ModalScreen[Answer | None]):
    """Returns the answer; None when the user wants to look around first. `typed` is the plan as
    they left it before, and then as it stands there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "approve", "go by this plan", priority=True),
        Binding("ctrl+n", "refuse", "no, with a reason", priority=True),
        Binding("ctrl+d", "discard", "discard", priority=True),
        Binding("escape", "later", "look around first", priority=True),
    ]

    AUTO_FOCUS = "#steps"

    def __init__(self, request: PlanRequest, *, typed: str = "") -> None:
        super().__init__()
        self._request = request
        self._shown_at = time.monotonic()
        self._text = "\n".join(printable(" ".join(step.split())) for step in request.steps)
        self.typed = typed or self._text
        self._reason = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window plan"):
            yield Static("One step a line; change what you like.", markup=False)
            yield PlanText(self.typed, id="steps", soft_wrap=True, tab_behavior="focus")
            files = ", ".join(self._request.files) or "none named"
            yield Static(f"files  {printable(files)}", id="plan-files", markup=False)
            if self._request.parts:
                yield Static(_in_parts(self._request.parts), id="plan-parts", markup=False)
            yield Static(_HINT, id="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(".window").border_title = "Go by this plan?"

    def action_approve(self) -> None:
        """Yes; with changed steps, to those."""
        if self._is_early():
            return
        key = key_of(self._request)
        if self.typed == self._text:
            self.dismiss(Answer(key, granted=True, by=BY))
            return
        steps = tuple(line.strip() for line in self.typed.split("\n") if line.strip())
        if not steps:
            self.app.notify(_EMPTY, severity="warning", markup=False)
            return
        reason = "the plan is to be another one"
        self.dismiss(Answer(key, granted=False, by=BY, reason=reason, wish=PlanWish(steps)))

    def _is_early(self) -> bool:
        """Whether a key was typed before this could be read; says so."""
        if time.monotonic() - self._shown_at >= ApprovalScreen.deaf:
            return False
        self.app.notify(TOO_EARLY, severity="warning", markup=False)
        return True

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        self.typed = event.text_area.text
        hint = _HINT if self.typed == self._text else _CHANGED
        self.query_one("#hint", Static).update(hint)

    def action_refuse(self) -> None:
        asks = ReasonScreen("The planner plans anew with your reason.", typed=self._reason)
        self.app.push_screen(asks, partial(self._refuse, asks))

    def _refuse(self, asked: ReasonScreen, reason: str | None) -> None:
        self._reason = asked.left
        if reason:
            key = key_of(self._request)
            self.dismiss(Answer(key, granted=False, by=BY, reason=reason, again=True))

    def action_discard(self) -> None:
        if self._is_early():
            return
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason="discarded by the user"))

    def action_later(self) -> None:
        self.dismiss(None)


def _in_parts(titles: tuple[str, ...]) -> str:
    """A plan that is changed is one coder's: the parts were cut for the one that was shown."""
    told = printable("; ".join(" ".join(title.split()) for title in titles))
    return f"parts  {told} (a coder each, at once; a changed plan is one coder's)"
