"""The approval of a set-up command, a commit or a push: all it is bound to, then yes or no.

A yes needs a key of its own that no text and no Enter can be; it answers the request that is
shown, and no other. Refuses to hide anything of it.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Input, Static, TextArea

from selfheal_tui.core.approval import Answer, CommitRequest, CommitWish, Request, key_of
from selfheal_tui.core.events import ProposalMade
from selfheal_tui.core.text import printable
from selfheal_tui.ui.screens.card import card_text, question, value_text, warnings_of
from selfheal_tui.ui.screens.difftext import DiffText
from selfheal_tui.ui.screens.reason import ReasonScreen

BY = "user"
SIDE_BY_SIDE = 110
"""Columns from which on the card and the diff stand side by side."""

_HEADS = "refs/heads/"


class ApprovalScreen(ModalScreen[Answer | None]):
    """Returns the answer; None when the user wants to look around first.

    `again` says whether a refused commit may go back to the coder with its reason.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "approve", "yes, exactly this", priority=True),
        Binding("ctrl+n", "refuse", "no, with a reason", priority=True),
        Binding("ctrl+d", "discard", "discard", priority=True),
        Binding("ctrl+o", "edit", "message and branch", priority=True),
        Binding("escape", "later", "look around first"),
    ]

    def __init__(self, request: Request, proposal: ProposalMade | None, *, again: bool) -> None:
        super().__init__()
        self._request = request
        self._proposal = proposal if isinstance(request, CommitRequest) else None
        self._again = again

    def compose(self) -> ComposeResult:
        with Vertical(classes="window approval"):
            if self._proposal:
                for warning in warnings_of(self._proposal):
                    yield Static(f"! {warning}", classes="warning", markup=False)
            with Horizontal(id="sides"):
                yield from self._facts()
                if self._proposal:
                    yield DiffText(self._proposal.patch)
            if isinstance(self._request, CommitRequest):
                yield from self._editing(self._request)
            yield Static(self._hint(), id="hint", markup=False)

    def _facts(self) -> ComposeResult:
        """The values, the message and the card; they scroll, nothing is cut."""
        with VerticalScroll(id="facts"):
            yield Static(value_text(self._request), id="values", markup=False)
            if isinstance(self._request, CommitRequest):
                yield Static("message", classes="heading", markup=False)
                shown = printable(self._request.message.rstrip())
                yield Static(shown, id="message", markup=False)
            if self._proposal:
                yield Static("proof card", classes="heading", markup=False)
                yield Static(card_text(self._proposal), id="card", markup=False)

    def _editing(self, request: CommitRequest) -> ComposeResult:
        """Hidden until it is wanted, so that typing ahead can change nothing."""
        with Vertical(id="editing"):
            yield TextArea(request.message.rstrip("\n"), id="new-message", tab_behavior="focus")
            with Horizontal():
                branch = "" if request.update_worktree else request.ref.removeprefix(_HEADS)
                yield Input(branch, placeholder="a new branch", id="new-branch")
                yield Checkbox("on the current branch", request.update_worktree, id="current")

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = question(self._request)
        window.set_class(self._proposal is None, "-plain")
        if isinstance(self._request, CommitRequest):
            self.query_one("#editing").display = False
        first = self.query_one(DiffText) if self._proposal else self.query_one("#facts")
        first.focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= SIDE_BY_SIDE, "-wide")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit":
            return isinstance(self._request, CommitRequest)
        return True

    def action_approve(self) -> None:
        """Yes; or, with other words or another branch, a new request to look at."""
        wish = self._wish()
        if wish is None:
            self.dismiss(Answer(key_of(self._request), granted=True, by=BY))
            return
        reason = "the message or the branch is to be another one"
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason=reason, wish=wish))

    def action_refuse(self) -> None:
        self.app.push_screen(ReasonScreen(self._what_a_no_does()), self._refuse)

    def action_discard(self) -> None:
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason="discarded by the user"))

    def action_edit(self) -> None:
        editing = self.query_one("#editing")
        editing.display = not editing.display
        if editing.display:
            self.query_one("#new-message").focus()
        self.query_one("#hint", Static).update(self._hint())

    def action_later(self) -> None:
        self.dismiss(None)

    def _refuse(self, reason: str | None) -> None:
        if not reason:
            return
        again = self._again and isinstance(self._request, CommitRequest)
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason=reason, again=again))

    def _wish(self) -> CommitWish | None:
        """What the user changed; None where the request is as they want it."""
        request = self._request
        if not isinstance(request, CommitRequest):
            return None
        message = self.query_one("#new-message", TextArea).text
        current = self.query_one("#current", Checkbox).value
        branch = self.query_one("#new-branch", Input).value.strip()
        same_message = message.rstrip("\n") == request.message.rstrip("\n")
        same_place = current == request.update_worktree and (
            current or branch == request.ref.removeprefix(_HEADS)
        )
        if same_message and same_place:
            return None
        return CommitWish(message.rstrip("\n") + "\n", None if current else branch)

    def _hint(self) -> str:
        keys = "Ctrl+Y yes · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around first"
        if not isinstance(self._request, CommitRequest):
            return keys
        if self.is_mounted and self.query_one("#editing").display:
            return "Ctrl+Y asks again for the changed commit · Ctrl+O closes the editor"
        return f"{keys} · Ctrl+O message and branch"

    def _what_a_no_does(self) -> str:
        if not isinstance(self._request, CommitRequest):
            return "The reason is kept in the session, and the run ends."
        if self._again:
            return "The reason goes to the coder, which tries again."
        return "No attempt is left: the reason is kept in the session, and the run ends."
