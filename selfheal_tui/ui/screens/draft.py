"""What the user chose and wrote on an approval screen, kept while they look around or it is asked
anew: nothing that was typed is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from selfheal_tui.core.approval import CommitRequest, CommitWish, Request, WorktreeRequest
from selfheal_tui.core.events import ProposalMade

BRANCH, CURRENT, WORKTREE, DISCARD = "branch", "current", "worktree", "discard"
"""What may become of a change: a commit on a new branch, one on the branch that is checked out,
files alone, or nothing."""
AS_ASKED = ""
"""Stands for whatever is asked: of such a draft the marks alone count."""

_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Draft:
    """`place` is one of those above; `branch` names a new one (empty: made from the task).

    `hunks` are the refused hunks by path and text, `files` the wholly refused files, each with
    its reason; `accepted` the hunks that were looked at and are wanted. `reason` is that of a no
    which was not sent yet.
    """

    message: str
    place: str
    branch: str = ""
    hunks: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    accepted: frozenset[tuple[str, str]] = frozenset()
    reason: str = ""

    @property
    def refuses(self) -> bool:
        return bool(self.hunks or self.files)

    def wish(self) -> CommitWish:
        """What it asks for; nothing can be asked of DISCARD."""
        if self.place == WORKTREE:
            return CommitWish(self.message, None, commit=False)
        return CommitWish(self.message, None if self.place == CURRENT else self.branch)

    def same_place(self, other: Draft) -> bool:
        """Whether both ask for the same commit, refused parts apart."""
        return self.place == other.place and self.wish() == other.wish()

    def marks(self) -> Draft:
        """What stays when this was sent: should the same hunks be asked for again, they are not
        taken for approved."""
        return replace(self, message="", place=AS_ASKED, branch="", reason="")

    def on(self, first: Draft) -> Draft:
        """This draft, where `first` is what is asked."""
        if self.place != AS_ASKED:
            return self
        return replace(first, hunks=self.hunks, files=self.files, accepted=self.accepted)


def first_draft(request: Request, proposal: ProposalMade | None) -> Draft:
    """The request as it is, with nothing changed."""
    match request:
        case CommitRequest():
            place = CURRENT if request.update_worktree else BRANCH
            branch = "" if request.update_worktree else request.ref.removeprefix(_HEADS)
            return Draft(request.message, place, branch)
        case WorktreeRequest():
            return Draft(proposal.message if proposal else "", WORKTREE)
        case _:
            return Draft("", BRANCH)
