"""The ledger of attempts: every state is scored by its failing set, and the best one is kept."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, CheckResult


@dataclass(frozen=True)
class State:
    """A tree and how the check ended on it. `attempt` 0 is the untouched tree."""

    attempt: int
    tree: str
    result: CheckResult


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
        """The best state so far; the earliest of equals."""
        return min(self.states, key=lambda state: self.score(state.result))

    def score(self, result: CheckResult) -> Score:
        unnamed = bool(result.failing & {NOT_NAMED, TIMED_OUT})
        broken = result.failing - self.baseline.result.failing
        return int(not result.green), int(unnamed), len(result.failing) + len(broken)

    def add(self, state: State) -> str:
        """Record a state; how it compares with the best before it: green, better, same, worse."""
        best, score = self.score(self.best.result), self.score(state.result)
        self.states.append(state)
        if state.result.green:
            return "green"
        if score < best:
            return "better"
        return "same" if score == best else "worse"
