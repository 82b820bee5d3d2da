"""The approval of a set-up command, a commit, files, a push or an undo: all it is bound to, then
yes or no.

A yes needs a key of its own that no text and no Enter can be; it answers the request that is
shown, and no other. Refuses to hide anything of it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    RefusedHunk,
    Request,
    WorktreeRequest,
    key_of,
)
from selfheal_tui.core.events import ProposalMade
from selfheal_tui.core.text import printable
from selfheal_tui.ui.screens.card import card_pairs, question, values, warnings_of
from selfheal_tui.ui.screens.difftext import DiffText
from selfheal_tui.ui.screens.draft import Draft, first_draft
from selfheal_tui.ui.screens.editing import Editing
from selfheal_tui.ui.screens.reason import ReasonScreen
from selfheal_tui.ui.widgets.hunks import FileBlock, HunkBlock
from selfheal_tui.ui.widgets.pairs import Pairs
from selfheal_tui.ui.widgets.patchfiles import FilePatch, cut_patch
from selfheal_tui.ui.widgets.refusing import RefusingView

BY = "user"
SIDE_BY_SIDE = 110
"""Columns from which on the card and the diff stand side by side."""


class ApprovalScreen(ModalScreen[Answer | None]):
    """Returns the answer; None when the user wants to look around first.

    `again` says whether a refused commit may go back to the coder with its reason. `draft` is
    what the user had chosen when the same was asked before.
    """

    deaf: ClassVar[float] = 0.5
    """Seconds in which a yes is not heard: it was meant for what was there before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "approve", "yes, exactly this", priority=True),
        Binding("ctrl+n", "refuse", "no, with a reason", priority=True),
        Binding("ctrl+d", "discard", "discard", priority=True),
        Binding("ctrl+o", "edit", "message and place", priority=True),
        Binding("ctrl+r", "raw", "the patch as git writes it", priority=True),
        Binding("escape", "later", "look around first"),
    ]

    def __init__(
        self,
        request: Request,
        proposal: ProposalMade | None,
        *,
        again: bool,
        draft: Draft | None = None,
    ) -> None:
        super().__init__()
        self._request = request
        self._is_change = isinstance(request, CommitRequest | WorktreeRequest)
        self._proposal = proposal if self._is_change else None
        self._again = again and self._is_change
        self._first = first_draft(request, proposal)
        self.draft = draft or self._first
        self._shown_at = time.monotonic()
        self._files: tuple[FilePatch, ...] = ()
        self._raw = False

    # --- what is shown ---------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(classes="window approval"):
            if self._proposal:
                yield from self._headline(self._proposal)
            with Horizontal(id="sides"):
                yield from self._facts()
                if self._proposal:
                    yield RefusingView(id="parts")
                    yield DiffText(self._proposal.patch)
            if self._is_change:
                yield Editing(self.draft)
            yield Static("", id="hint", markup=False)

    def _headline(self, proposal: ProposalMade) -> ComposeResult:
        """What must be seen on any screen: what could be wrong, and what is proved."""
        with VerticalScroll(id="warnings", can_focus=False):
            for warning in warnings_of(proposal):
                yield Static(f"! {warning}", classes="warning", markup=False)
        yield Pairs(card_pairs(proposal)[:2], id="verdict")

    def _facts(self) -> ComposeResult:
        """The values, the message and the card; they scroll, nothing is cut."""
        with VerticalScroll(id="facts"):
            yield Pairs(values(self._request), id="values")
            if isinstance(self._request, CommitRequest):
                yield Static("message", classes="heading", markup=False)
                shown = printable(self._request.message.rstrip())
                yield Static(shown, id="message", markup=False)
            if self._proposal:
                yield Static("proof card", classes="heading", markup=False)
                yield Pairs(card_pairs(self._proposal), id="card")

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.set_class(self._proposal is None, "-plain")
        self._show_diff()
        if self._is_change:
            changed = not self.draft.same_place(self._first)
            self.query_one(Editing).display = changed
            self.set_class(changed, "-editing")
        self._say()
        if self.deaf:
            self.set_timer(self.deaf, self._say)

    def _show_diff(self) -> None:
        """Hunk by hunk; as git writes it, where that cannot be."""
        if self._proposal is None:
            self.query_one("#facts").focus()
            return
        try:
            self._files = cut_patch(self._proposal.patch)
            for file in self._files:
                file.path  # noqa: B018 - a heading that cannot be read must show now
        except ValueError:
            self._files, self._raw = (), True
        view = self.query_one(RefusingView)
        view.show(self._files)
        view.restore(self.draft.hunks, self.draft.files)
        self._show_raw()

    def _show_raw(self) -> None:
        view, text = self.query_one(RefusingView), self.query_one(DiffText)
        view.display, text.display = not self._raw, self._raw
        (text if self._raw else view).focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= SIDE_BY_SIDE, "-wide")

    def on_descendant_focus(self) -> None:
        # On a small screen there is room for one of the two.
        self.set_class(self.query_one("#facts").has_focus, "-card")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("edit", "raw"):
            return self._is_change
        return True

    # --- what the user wants ---------------------------------------------------------------

    def keep_draft(self) -> Draft:
        """All that was chosen and typed; `draft` holds it from now on."""
        if self._is_change:
            hunks, files = self.query_one(RefusingView).kept() if self._proposal else ({}, {})
            self.draft = replace(self.query_one(Editing).draft, hunks=hunks, files=files)
        return self.draft

    def action_approve(self) -> None:
        """Yes; or, with other words, another place or without some hunks, a new request."""
        if time.monotonic() - self._shown_at < self.deaf:
            self.app.bell()
            return
        draft, key = self.keep_draft(), key_of(self._request)
        if draft.same_place(self._first) and not draft.refuses:
            self.dismiss(Answer(key, granted=True, by=BY))
            return
        refused = self._refused()
        if refused and self._nothing_left():
            self.app.notify(
                "Nothing would be left. Ctrl+N sends it back with a reason, Ctrl+D discards it.",
                severity="warning",
                markup=False,
            )
            return
        reason = "hunks are refused" if refused else "the message or the place is another one"
        self.dismiss(
            Answer(key, granted=False, by=BY, reason=reason, wish=draft.wish(), refused=refused)
        )

    def action_refuse(self) -> None:
        self.app.push_screen(ReasonScreen(self._what_a_no_does()), self._refuse)

    def _refuse(self, reason: str | None) -> None:
        if not reason:
            return
        key, refused = key_of(self._request), self._refused() if self._again else ()
        self.dismiss(
            Answer(key, granted=False, by=BY, reason=reason, again=self._again, refused=refused)
        )

    def action_discard(self) -> None:
        key = key_of(self._request)
        self.dismiss(Answer(key, granted=False, by=BY, reason="discarded by the user"))

    def action_edit(self) -> None:
        editing = self.query_one(Editing)
        editing.display = not editing.display
        self.set_class(editing.display, "-editing")
        if editing.display:
            self.query_one("#place").focus()
        else:
            self._show_raw()
        self._say()

    def action_raw(self) -> None:
        """As git writes it, or hunk by hunk."""
        if self._proposal and self._files:
            self._raw = not self._raw
            self._show_raw()

    def action_later(self) -> None:
        self.keep_draft()
        self.dismiss(None)

    # --- hunks -----------------------------------------------------------------------------

    @on(RefusingView.Wanted)
    def _ask_why(self, event: RefusingView.Wanted) -> None:
        event.stop()
        part = event.part

        def refuse(reason: str | None) -> None:
            if reason is not None:
                self.query_one(RefusingView).refuse(part, reason)

        self.app.push_screen(ReasonScreen(_asked(part), optional=True), refuse)

    @on(RefusingView.Changed)
    def _count(self, event: RefusingView.Changed) -> None:
        event.stop()
        self._say()

    def _refused(self) -> tuple[RefusedHunk, ...]:
        return self.query_one(RefusingView).refused() if self._proposal else ()

    def _nothing_left(self) -> bool:
        refused, of = self.query_one(RefusingView).counts()
        return refused == of

    # --- what is said ----------------------------------------------------------------------

    def _say(self) -> None:
        """The title and the keys, as things stand."""
        title = question(self._request)
        refused, of = self.query_one(RefusingView).counts() if self._proposal else (0, 0)
        if refused:
            title += f" · {refused} of {of} hunks refused"
        self.query_one(".window").border_title = title
        self.query_one("#hint", Static).update(self._hint(refused))

    def _hint(self, refused: int) -> str:
        if time.monotonic() - self._shown_at < self.deaf:
            return "Read it first; the keys come in a moment ..."
        if refused:
            hunks = "1 hunk" if refused == 1 else f"{refused} hunks"
            return (
                f"Ctrl+Y takes {hunks} out, checks the rest and asks again"
                " · Ctrl+N sends it back with a reason · x takes a hunk back in"
            )
        keys = "Ctrl+Y yes · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around first"
        if not self._is_change:
            return keys
        if self.query_one(Editing).display:
            return "Ctrl+Y asks again for what you changed · Ctrl+O closes the choice"
        return f"{keys} · x refuse a hunk · Ctrl+O message and place · Ctrl+R raw patch"

    def _what_a_no_does(self) -> str:
        if not self._is_change:
            return "The reason is kept in the session, and the run ends."
        if not self._again:
            return "No attempt is left: the reason is kept in the session, and the run ends."
        refused = self._refused()
        if refused:
            return "The reason goes to the coder, which tries again without the refused hunks."
        return "The reason goes to the coder, which tries again."


def _asked(part: FileBlock | HunkBlock) -> str:
    """What is refused, and what that does."""
    path = part.patch.path if isinstance(part, FileBlock) else part.path
    what = "All of" if isinstance(part, FileBlock) else "This hunk of"
    return f"{what} {printable(path)} leaves the change. A reason, if you like:"
