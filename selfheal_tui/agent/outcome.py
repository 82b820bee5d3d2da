"""What a run of the healing loop comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from selfheal_tui.agent.guarding import Guarded
from selfheal_tui.agent.ledger import Ledger, State
from selfheal_tui.agent.reviewing import Review
from selfheal_tui.core.checks import CheckResult


@dataclass(frozen=True)
class Healed:
    """A tree that may be proposed. `check` is the proving run on exactly `commit_tree`, None where
    there is no check; `tree` is the same change on the user's uncommitted edits. `refused` says
    what the user took out of it. `partial` tells what a change came to that does not heal all
    (`2 of 3 fixed, none broken`); empty for any other. `guarded` is what it does to the files that
    decide the verdict."""

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
    guarded: Guarded = field(default_factory=Guarded)


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


def why_not_healed(ledger: Ledger, attempts: int) -> str:
    """How far the attempts came, as a sentence."""
    best = ledger.best
    if best.result.green and best.attempt:
        return f"the change of attempt {best.attempt} passes, but was not approved"
    if best.attempt == 0:
        return f"not healed in {attempts} attempts; none was better than the original"
    still, before = len(best.result.failing), len(ledger.baseline.result.failing)
    return (
        f"not healed in {attempts} attempts; the best, attempt {best.attempt}:"
        f" {ledger.standing(best.result).words} ({still} failing instead of {before})"
    )


Outcome = Healed | AlreadyGreen | NotHealedYet
