"""The best state of a run that did not heal all, as something that can be proposed honestly.

Refuses to make more of it than a fresh sandbox says.
"""

from __future__ import annotations

from selfheal_tui.agent.ledger import Ledger, State
from selfheal_tui.agent.outcome import Healed
from selfheal_tui.core.checks import CheckResult


def may_be_offered(best: State, ledger: Ledger) -> bool:
    """Whether a state is better than the untouched files, though not all it was asked to be."""
    return best.attempt > 0 and not best.result.green and _is_better(best.result, ledger)


def partly_healed(
    best: State, commit_tree: str, proof: CheckResult, ledger: Ledger, flaky: frozenset[str]
) -> Healed | None:
    """What `best` may be proposed as, when `proof` is the whole check on exactly `commit_tree`;
    None where that is no better than the untouched files."""
    if not _is_better(proof, ledger):
        return None
    words = "" if proof.green else ledger.standing(proof).words
    summary = f"Partly healed: {words}.\n\n{best.summary}".strip() if words else best.summary
    return Healed(
        tree=best.tree,
        commit_tree=commit_tree,
        check=proof,
        baseline=ledger.baseline.result,
        flaky=flaky,
        attempt=best.attempt,
        summary=summary,
        message="",
        review=None,
        partial=words,
    )


def _is_better(result: CheckResult, ledger: Ledger) -> bool:
    return ledger.score(result) < ledger.score(ledger.baseline.result)
