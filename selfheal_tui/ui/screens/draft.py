"""What the user chose and wrote on an approval screen, kept while they look around or it is asked
anew: nothing that was typed is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from selfheal_tui.core.approval import CommitRequest, CommitWish, Request, WorktreeRequest
from selfheal_tui.core.events import ProposalMade

BRANCH, CURRENT, WORKTREE = "branch", "current", "worktree"
"""Where a change may go: a new branch, the branch that is checked out, or files alone."""

_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Draft:
    """`place` is one of the three above; `branch` names a new one (empty: made from the task).

    `hunks` are the refused hunks by path and text, `files` the wholly refused files, each with
    its reason.
    """

    message: str
    place: str
    branch: str = ""
    hunks: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def refuses(self) -> bool:
        return bool(self.hunks or self.files)

    def wish(self) -> CommitWish:
        """What it asks for."""
        if self.place == WORKTREE:
            return CommitWish(self.message, None, commit=False)
        return CommitWish(self.message, None if self.place == CURRENT else self.branch)

    def same_place(self, other: Draft) -> bool:
        """Whether both ask for the same commit, refused parts apart."""
        return self.wish() == other.wish()


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
