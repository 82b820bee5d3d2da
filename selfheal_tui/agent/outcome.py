"""What a run of the healing loop comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent.ledger import State
from selfheal_tui.agent.reviewing import Review
from selfheal_tui.core.checks import CheckResult


@dataclass(frozen=True)
class Healed:
    """A tree that may be proposed. `check` is the proving run on exactly `commit_tree`, None where
    there is no check; `tree` is the same change on the user's uncommitted edits. `refused` says
    what the user took out of it. `partial` tells what a change came to that does not heal all
    (`2 of 3 fixed, none broken`); empty for any other."""

    tree: str
    commit_tree: str
    check: CheckResult | None
    baseline: CheckResult | None
    flaky: frozenset[str]
    attempt: int
    summary: str
    message: str
    review: Review | None
    refused: tuple[str, ...] = ()
    partial: str = ""


@dataclass(frozen=True)
class AlreadyGreen:
    """The check passes on the untouched tree, and the task asks for nothing else."""

    check: CheckResult


@dataclass(frozen=True)
class NotHealedYet:
    """The attempts are used up. `best` is the best state, None where there is no check."""

    best: State | None
    baseline: CheckResult | None
    text: str


Outcome = Healed | AlreadyGreen | NotHealedYet
