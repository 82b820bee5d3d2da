"""The ledger of attempts: every state is scored by its failing set, and the best one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.text import one_line

_NAMED = 10
_LONGEST = 200


@dataclass(frozen=True)
class State:
    """A tree and how the check ended on it. `attempt` 0 is the untouched tree; `summary` is what
    the coder said of it."""

    attempt: int
    tree: str
    result: CheckResult
    summary: str = ""


@dataclass(frozen=True)
class Standing:
    """A state against the untouched tree: names of tests, each in order."""

    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    still: tuple[str, ...]

    @property
    def words(self) -> str:
        """`2 of 3 fixed, none broken`."""
        broken = "none broken"
        if self.broken:
            broken = f"{len(self.broken)} broken: {_listed(self.broken)}"
        return f"{len(self.fixed)} of {len(self.fixed) + len(self.still)} fixed, {broken}"


Score = tuple[int, int, int]
"""Smaller is better: red, names unknown, failing tests (with broken ones counted twice)."""


class Ledger:
    """The states of one run. The first one is the baseline."""

    def __init__(self, baseline: State) -> None:
        self.states = [baseline]

    @property
    def baseline(self) -> State:
        return self.states[0]

    @property
    def best(self) -> State:
        """The best state so far; the earliest of equals.

        A state that was not checked as a whole is never it: what did not run may fail.
        """
        whole = [state for state in self.states if state.result.green or state.result.complete]
        return min(whole or self.states[:1], key=lambda state: self.score(state.result))

    def score(self, result: CheckResult) -> Score:
        """How a result stands. One that is not complete can only be worse than its score."""
        broken = result.failing - self.baseline.result.failing
        return int(not result.green), int(not result.named), len(result.failing) + len(broken)

    def could_be_best(self, result: CheckResult) -> bool:
        """Whether a result is better than the best, as far as it was checked."""
        return self.score(result) < self.score(self.best.result)

    def add(self, state: State) -> str:
        """Record a state; how it compares with the best before it: green, better, same, worse.

        One that was not checked as a whole is `worse` only where it surely is, and else `same`.
        """
        best, score = self.score(self.best.result), self.score(state.result)
        self.states.append(state)
        if state.result.green:
            return "green"
        if score > best:
            return "worse"
        return "better" if score < best and state.result.complete else "same"

    def standing(self, result: CheckResult) -> Standing:
        """What `result` fixed and broke, by name."""
        before, now = self.baseline.result.failing, result.failing
        return Standing(
            tuple(sorted(before - now)), tuple(sorted(now - before)), tuple(sorted(now & before))
        )

    def lost(self, state: State, best: State) -> str:
        """Why the files of `state` are given up for those of `best`, for the one who made them."""
        now, then = state.result, best.result
        if then.named and not now.named:
            return "the check no longer tells its tests apart: it could not run them"
        broken = sorted(now.failing - then.failing)
        names = f": {_listed(broken)}" if broken else ""
        tests = "1 test fails" if len(broken) == 1 else f"{len(broken)} tests fail"
        return f"{tests} that passed there{names}"

    def told_of_return(self, state: State, best: State) -> str:
        """What the coder is told when the files go back from `state` to `best`."""
        goal = f"attempt {best.attempt}" if best.attempt else "the original files"
        if best.attempt == state.attempt:
            goal = "where you ran the check within this attempt"
        kept = f" There, {self.standing(best.result).words}." if best.attempt else ""
        return (
            f"This is worse than before ({self.lost(state, best)}), so the files went back to"
            f" {goal}.{kept} Your last edits are gone; start from there."
        )


def told(ledger: Ledger | None) -> str:
    """Every attempt so far: what it fixed and broke, and what the coder said of it; empty before
    the first one."""
    if ledger is None or not ledger.states[1:]:
        return ""
    lines = [
        f"- attempt {state.attempt}: {ledger.standing(state.result).words}"
        + (f"; you said: {one_line(state.summary, _LONGEST)}" if state.summary else "")
        for state in ledger.states[1:]
    ]
    return "\n".join(["What your attempts reached so far:", *lines])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(" ".join(name[:_LONGEST].split()) for name in names[:_NAMED]) + more
