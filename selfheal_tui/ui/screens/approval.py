"""The approval of a set-up command, a commit, files, a push or an undo: all it is bound to, then
yes or no.

A yes needs a key of its own that no text and no Enter can be; it answers the request that is
shown, and no other. Refuses to hide anything of it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    PushRequest,
    RefusedHunk,
    Request,
    WorktreeRequest,
    key_of,
)
from selfheal_tui.core.events import ProposalMade
from selfheal_tui.core.oddurl import oddities
from selfheal_tui.core.text import printable
from selfheal_tui.ui.screens import words
from selfheal_tui.ui.screens.card import (
    card_pairs,
    mass_deletion_of,
    question,
    taken_out,
    values,
    warnings_of,
)
from selfheal_tui.ui.screens.difftext import DiffText
from selfheal_tui.ui.screens.draft import DISCARD, Draft, first_draft
from selfheal_tui.ui.screens.editing import Editing
from selfheal_tui.ui.screens.reason import ReasonScreen
from selfheal_tui.ui.widgets.hunks import FileBlock, HunkBlock
from selfheal_tui.ui.widgets.lines import counted
from selfheal_tui.ui.widgets.pairs import Pairs
from selfheal_tui.ui.widgets.patchfiles import FilePatch, cut_patch
from selfheal_tui.ui.widgets.refusing import RefusingView

BY = "user"
SIDE_BY_SIDE = 110
"""Columns from which on the card and the diff stand side by side; below, Tab goes between."""

VERDICT = 2
"""Lines of the card that are always in sight: the verdict, and the counts of tests."""


class ApprovalScreen(ModalScreen[Answer | None]):
    """Returns the answer; None when the user wants to look around first.

    `again` says whether a refused commit may go back to the coder with its reason. `draft` is
    what the user had chosen when the same was asked before; `notice` says why it is asked anew.
    """

    AUTO_FOCUS = ""
    deaf: ClassVar[float] = 0.5
    """Seconds in which nothing is decided: such a key was meant for what was there before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "approve", "yes, exactly this", priority=True),
        Binding("ctrl+n", "refuse", "no, with a reason", priority=True),
        Binding("ctrl+d", "discard", "discard", priority=True),
        Binding("ctrl+o", "edit", "message, branch, files alone", priority=True),
        Binding("ctrl+r", "raw", "the patch as git writes it", priority=True),
        Binding("tab", "other", "card or diff", priority=True),
        Binding("escape", "later", "look around first"),
    ]

    def __init__(
        self,
        request: Request,
        proposal: ProposalMade | None,
        *,
        again: bool,
        draft: Draft | None = None,
        notice: str = "",
    ) -> None:
        super().__init__()
        self._request = request
        self._is_change = isinstance(request, CommitRequest | WorktreeRequest)
        self._proposal = proposal if self._is_change else None
        self._again = again and self._is_change
        self._first = first_draft(request, proposal)
        self.draft = draft.on(self._first) if draft else self._first
        self._notice = notice
        self._warnings = _warnings(request, self._proposal)
        self._deletion_seen = False
        self._shown_at = time.monotonic()
        self._files: tuple[FilePatch, ...] = ()
        self._raw = False
        self._card = True

    # --- what is shown ---------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        # Told before there are parts: told later, every one of them is styled once more.
        self.set_class(self.app.size.width >= SIDE_BY_SIDE, "-wide", update=False)
        plain = "" if self._proposal else " -plain"
        with Vertical(classes=f"window approval{plain}"):
            yield from self._headline()
            with Horizontal(id="sides"):
                yield from self._facts()
                if self._proposal:
                    yield RefusingView(id="parts")
                    yield DiffText(self._proposal.patch)
            if self._is_change:
                yield Editing(self.draft)
                yield Static("", id="places", markup=False)
            yield Static("", id="hint", markup=False)

    def _headline(self) -> ComposeResult:
        """What must be seen on any screen: what could be wrong, and what is proved."""
        if self._notice:
            yield Static(f"Asked anew: {printable(self._notice)}", classes="notice", markup=False)
        for taken in taken_out(self._proposal) if self._proposal else ():
            yield Static(taken, classes="notice", markup=False)
        if self._warnings:
            if self._proposal:
                yield Static(self._alarm(), id="alarm", markup=False)
            with VerticalScroll(id="warnings", can_focus=False):
                for warning in self._warnings:
                    yield Static(f"! {warning}", classes="warning", markup=False)
        if self._proposal:
            yield Pairs(card_pairs(self._proposal)[:VERDICT], id="verdict")

    def _alarm(self) -> str:
        """All warnings in one line, where the diff needs the room."""
        first = self._warnings[0]
        if len(self._warnings) == 1:
            return f"! {first}"
        return f"! {len(self._warnings)} warnings, all on the card: {first}"

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
                yield Pairs(card_pairs(self._proposal)[VERDICT:], id="card")

    def on_mount(self) -> None:
        self._fill_diff()
        if self._is_change:
            changed = not self.draft.same_place(self._first)
            self.query_one(Editing).display = changed
            self.set_class(changed, "-editing")
        self._lay_out(self.app.size.width)
        self._focus_shown()
        self._say()
        if self.deaf:
            self.set_timer(self.deaf, self._say)

    def _fill_diff(self) -> None:
        """Hunk by hunk; as git writes it, where that cannot be."""
        if self._proposal is None:
            return
        patch = self._proposal.patch
        try:
            self._files = cut_patch(patch)
            whole = "".join(f.head + "".join(h.raw for h in f.hunks) for f in self._files)
            names = [file.path for file in self._files]
        except ValueError:
            whole, names = "", []
        if whole != patch or not names:
            # What cannot be read as files and hunks must not be left out.
            self._files, self._raw = (), True
        view = self.query_one(RefusingView)
        view.show(self._files)
        view.restore(self.draft.hunks, self.draft.files, self.draft.accepted)

    # --- which part of it ------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out(event.size.width)
        self._focus_shown()
        self._say()

    def _lay_out(self, width: int) -> None:
        """Side by side, or one at a time; the choice of message and place needs room of its own."""
        wide = width >= SIDE_BY_SIDE
        self.set_class(wide, "-wide")
        if self._proposal is None:
            return
        alone = self._is_editing and not wide
        card, diff = not alone and (wide or self._card), not alone and (wide or not self._card)
        self.query_one("#sides").display = not alone
        self.query_one("#facts").display = card
        self.query_one(RefusingView).display = diff and not self._raw
        self.query_one(DiffText).display = diff and self._raw
        for part, shown in (("#warnings", card), ("#alarm", not card)):
            for found in self.query(part):
                found.display = shown
        window = self.query_one(".window")
        window.border_subtitle = "" if wide or alone else self._other_page()

    def _other_page(self) -> str:
        if not self._card:
            return "Tab: proof card"
        some = sum(file.added for file in self._files), sum(file.removed for file in self._files)
        return f"Tab: diff, {counted(len(self._files), 'file')} +{some[0]} -{some[1]}"

    def _focus_shown(self) -> None:
        """Keys go to what is seen."""
        if self._is_editing:
            return
        diff = self.query_one(DiffText if self._raw else RefusingView) if self._proposal else None
        facts = self.query_one("#facts")
        if self.focused is None or not self.focused.display:
            (diff if diff is not None and diff.display else facts).focus()

    @property
    def _is_editing(self) -> bool:
        return self._is_change and bool(self.query_one(Editing).display)

    def action_other(self) -> None:
        """The card, or the diff."""
        facts = self.query_one("#facts")
        if self.has_class("-wide"):
            diff = self.query_one(DiffText if self._raw else RefusingView)
            (diff if facts.has_focus else facts).focus()
            return
        self._card = not self._card
        self._lay_out(self.size.width)
        self._focus_shown()
        self._say()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "other":
            # Between the fields of the choice tab moves the focus as everywhere.
            return self._proposal is not None and not (self.is_mounted and self._is_editing)
        if action in ("edit", "raw"):
            return self._is_change
        return True

    # --- what the user wants ---------------------------------------------------------------

    def keep_draft(self) -> Draft:
        """All that was chosen and typed; `draft` holds it from now on."""
        if self._is_change:
            hunks, files, accepted = self.draft.hunks, self.draft.files, self.draft.accepted
            if self._proposal:
                view = self.query_one(RefusingView)
                (hunks, files), accepted = view.kept(), view.accepted()
            edited = self.query_one(Editing).draft
            self.draft = replace(edited, hunks=hunks, files=files, accepted=accepted)
        above = self.app.screen
        reason = above.typed if isinstance(above, ReasonScreen) else self.draft.reason
        self.draft = replace(self.draft, reason=reason)
        return self.draft

    def action_approve(self) -> None:
        """Yes; or, with other words, another place or without some hunks, a new request."""
        if self._is_early():
            return
        draft = self.keep_draft()
        if draft.place == DISCARD and self._is_change:
            self._answer(reason="discarded by the user")
            return
        if draft.same_place(self._first) and not draft.refuses:
            if self._must_confirm():
                return
            self._answer(granted=True)
            return
        refused = self._refused()
        if refused and self._nothing_left():
            self.app.notify(words.NOTHING_LEFT, severity="warning", markup=False)
            return
        reason = "hunks are refused" if refused else "the message or the place is another one"
        self._answer(reason=reason, wish=draft.wish(), refused=refused)

    def _must_confirm(self) -> bool:
        """Whether so much is deleted that a second yes is needed; says so the first time."""
        mass = mass_deletion_of(self._proposal) if self._is_change else ""
        if not mass or self._deletion_seen:
            return False
        self._deletion_seen = True
        # One key that was held down is not two.
        self._shown_at = time.monotonic()
        self.app.notify(f"{mass}: approve once more", severity="warning", markup=False)
        return True

    def _is_early(self) -> bool:
        """Whether a key was typed before this could be read; says so."""
        if time.monotonic() - self._shown_at >= self.deaf:
            return False
        self.app.notify(words.TOO_EARLY, severity="warning", markup=False)
        return True

    def _answer(self, *, granted: bool = False, **fields: Any) -> None:
        """Answer exactly the request that is shown."""
        self.dismiss(Answer(key_of(self._request), granted=granted, by=BY, **fields))

    def action_refuse(self) -> None:
        asks = ReasonScreen(self._what_a_no_does(), typed=self.draft.reason)
        self.app.push_screen(asks, partial(self._refuse, asks))

    def _refuse(self, asked: ReasonScreen, reason: str | None) -> None:
        # Who goes back to look once more has not typed in vain.
        self.draft = replace(self.draft, reason=asked.left)
        if not reason:
            return
        self.keep_draft()
        refused = self._refused() if self._again else ()
        self._answer(reason=reason, again=self._again, refused=refused)

    def action_discard(self) -> None:
        if not self._is_early():
            self._answer(reason="discarded by the user")

    def action_edit(self) -> None:
        editing = self.query_one(Editing)
        editing.display = not editing.display
        self.set_class(editing.display, "-editing")
        self._lay_out(self.size.width)
        if editing.display:
            self.query_one("#place").focus()
        else:
            self.set_focus(None)
            self._focus_shown()
        self._say()

    @on(Editing.Changed)
    def _choice_changed(self) -> None:
        self._say()

    def action_raw(self) -> None:
        """As git writes it, or hunk by hunk."""
        if self._proposal and self._files:
            self._raw, self._card = not self._raw, False
            self._lay_out(self.size.width)
            self.set_focus(None)
            self._focus_shown()
            self._say()

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
        """The title, the choice and the keys, as things stand."""
        now = self._standing()
        self.query_one(".window").border_title = words.title(question(self._request), now)
        if self._is_change:
            self.query_one("#places", Static).update(words.places(now))
        early = time.monotonic() - self._shown_at < self.deaf
        self.query_one("#hint", Static).update(words.READ_FIRST if early else words.keys(now))

    def _standing(self) -> words.Standing:
        if not self._is_change:
            return words.Standing(is_change=False)
        edited = self.query_one(Editing).draft
        refused, of = self.query_one(RefusingView).counts() if self._proposal else (0, 0)
        shows_card = self.query_one("#facts").display and not self.has_class("-wide")
        return words.Standing(
            is_change=True,
            refused=refused,
            hunks=of,
            changed=not edited.same_place(self._first),
            editing=self._is_editing,
            place=edited.place,
            other="diff" if shows_card else "card",
        )

    def _what_a_no_does(self) -> str:
        if not self._is_change:
            return "The reason is kept in the session, and the run ends."
        if not self._again:
            return "No attempt is left: the reason is kept in the session, and the run ends."
        refused = self._refused()
        if refused:
            return "The reason goes to the coder, which tries again without the refused hunks."
        return "The reason goes to the coder, which tries again."


def _warnings(request: Request, proposal: ProposalMade | None) -> tuple[str, ...]:
    if isinstance(request, PushRequest):
        return oddities(request.url)
    return warnings_of(proposal) if proposal else ()


def _asked(part: FileBlock | HunkBlock) -> str:
    """What is refused, and what that does."""
    path = part.patch.path if isinstance(part, FileBlock) else part.path
    what = "All of" if isinstance(part, FileBlock) else "This hunk of"
    return f"{what} {printable(path)} leaves the change. A reason, if you like:"
