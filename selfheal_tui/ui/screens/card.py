"""What an approval screen says of a request: its exact values, the proof card, warnings first."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import assert_never

from selfheal_tui.core.approval import (
    CommitRequest,
    PlanRequest,
    PushRequest,
    Request,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
)
from selfheal_tui.core.events import ProposalMade
from selfheal_tui.core.proof import Proof, recorded_card
from selfheal_tui.core.text import on_one_line, printable

NAME = 10
"""Characters of a name at the start of a card's line."""
LISTED = 200
"""Files of a card at most: a diff that names them all is beside it."""
TAKEN_OUT = 3
"""Lines above the card that say what was taken out."""


def question(request: Request) -> str:
    """What is asked, as one short line."""
    match request:
        case PlanRequest():
            return "Go by this plan?"
        case SetupRequest():
            return "Run this set-up command?"
        case CommitRequest():
            return "Make this commit?"
        case PushRequest():
            return "Push this commit?"
        case WorktreeRequest():
            return "Write this into your files, without a commit?"
        case UndoRequest():
            return "Take this commit back?"
        case _:
            assert_never(request)


def values(request: Request) -> list[tuple[str, str]]:
    """Every value that the consent is bound to, but the message: pairs of a name and a value."""
    match request:
        case PlanRequest():
            steps = [(f"step {n}", step) for n, step in enumerate(request.steps, 1)]
            parts = [(f"part {n}", title) for n, title in enumerate(request.parts, 1)]
            return [*steps, *parts, ("files", ", ".join(request.files) or "none named")]
        case SetupRequest():
            return [
                ("command", request.command),
                ("why", request.reason),
                ("image", request.image),
                ("files", ", ".join(map(on_one_line, request.files)) or "none"),
                ("network", "on while it runs, in a build container of its own"),
            ]
        case CommitRequest():
            return [
                ("branch", request.ref),
                ("moves", f"{_old(request.old)} -> the new commit"),
                ("parent", _old(request.parent)),
                ("tree", request.tree),
                ("files", _worktree(request)),
            ]
        case PushRequest():
            return [
                ("commit", request.commit),
                ("remote", request.remote),
                ("url", request.url),
                ("ref", request.ref),
                ("moves", f"{_old(request.old)} -> {request.commit}"),
                ("how", "never forced; refused where the branch is no longer as said here"),
            ]
        case WorktreeRequest():
            return [
                ("from", request.base),
                ("tree", request.tree),
                ("git", "no commit; branches and index stay as they are"),
                ("files", _some(request.paths)),
            ]
        case UndoRequest():
            return [
                ("commit", request.commit),
                ("branch", request.ref),
                ("moves", f"{request.commit} -> {request.new}"),
                ("files", _undone(request)),
            ]
        case _:
            assert_never(request)


def _old(value: str) -> str:
    return "(does not exist yet)" if set(value) <= {"0"} else value


def _worktree(request: CommitRequest) -> str:
    if request.update_worktree:
        return "your working tree and index follow"
    return "your working tree, index and current branch stay as they are"


def _undone(request: UndoRequest) -> str:
    if not request.update_worktree:
        return "your working tree and index stay as they are"
    named = "\n".join(map(on_one_line, request.paths))
    return f"back to what they were, where they are still the commit's:\n{named}"


def _some(names: Sequence[str]) -> str:
    """One name a line; of very many the first, where the diff beside them has them all."""
    left_out = len(names) - LISTED
    more = (f"and {left_out} more, which are all in the diff",) if left_out > 0 else ()
    return "\n".join((*map(on_one_line, names[:LISTED]), *more))


def card_pairs(proposal: ProposalMade) -> list[tuple[str, str]]:
    """The whole proof card as pairs of a name and a value."""
    pairs: dict[str, list[str]] = {}
    for line in recorded_card(proposal.proof):
        pairs.setdefault(line[:NAME].strip(), []).append(line[NAME:])
    return [(name, _some(found)) for name, found in pairs.items()]


def taken_out(proposal: ProposalMade) -> tuple[str, ...]:
    """What the user took out before the proving run, in a few sentences."""
    proof = _recorded(proposal)
    refused = proof.refused if proof else ()
    said = [f"Taken out, and checked again without it: {printable(hunk)}" for hunk in refused]
    if len(said) <= TAKEN_OUT:
        return tuple(said)
    more = len(said) - TAKEN_OUT + 1
    return (*said[: TAKEN_OUT - 1], f"and {more} more, which the proof card names")


def mass_deletion_of(proposal: ProposalMade | None) -> str:
    """The sentence for a change that deletes very much; empty else."""
    if proposal is None:
        return ""
    proof = _recorded(proposal)
    return proof.mass_deletion if proof else "the proof card cannot tell what is deleted"


def warnings_of(proposal: ProposalMade) -> tuple[str, ...]:
    """The warnings of the proof card, and that nothing proves it where that is so."""
    proof = _recorded(proposal)
    if proof is None:
        return ("NOT VERIFIED: the proof card cannot be read",)
    unproved = () if proof.verified else ("NOT VERIFIED: no check passed on this tree",)
    if proof.only_with_changed_tests:
        # The first of its own warnings says so, and which tests fail.
        unproved = ()
    return (*unproved, *(printable(warning) for warning in proof.warnings))


def _recorded(proposal: ProposalMade) -> Proof | None:
    """The proof; None where somebody changed its record by hand."""
    try:
        return Proof.from_json(proposal.proof)
    except ValueError:
        return None
