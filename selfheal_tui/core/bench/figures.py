"""The figures of a bench: rates, attempts, tokens, cost and time over its cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.core.bench.outcome import (
    ALREADY_GREEN,
    HEALED,
    NO_VERDICT,
    NOT_HEALED,
    CaseOutcome,
)


@dataclass(frozen=True)
class Figures:
    """Sums over the cases that were asked for. `waiting` have not been run (to their end).

    `healed_first` are those whose first attempt healed; `healed` has them too. A rate counts the
    cases with a verdict only, and is None without any. `cost` is in USD, at least, where `priced`
    is false; `seconds` are those of all sessions together.
    """

    cases: int
    waiting: int
    healed_first: int
    healed: int
    not_healed: int
    already_green: int
    no_verdict: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost: float
    priced: bool
    seconds: float

    @property
    def judged(self) -> int:
        return self.healed + self.not_healed

    @property
    def first_rate(self) -> float | None:
        return self.healed_first / self.judged if self.judged else None

    @property
    def rate(self) -> float | None:
        return self.healed / self.judged if self.judged else None

    def below(self, least: float) -> bool:
        """Whether the rate after healing is below `least`; so it is where nothing was judged."""
        return self.rate is None or self.rate < least


def figures_of(outcomes: Sequence[CaseOutcome], cases: int) -> Figures:
    """The figures of `cases` cases, of which these came to an end."""
    of = Counter(outcome.status for outcome in outcomes)
    return Figures(
        cases=cases,
        waiting=cases - len(outcomes),
        healed_first=sum(one.status == HEALED and one.healed_at == 1 for one in outcomes),
        healed=of[HEALED],
        not_healed=of[NOT_HEALED],
        already_green=of[ALREADY_GREEN],
        no_verdict=of[NO_VERDICT],
        attempts=sum(len(one.attempts) for one in outcomes),
        input_tokens=sum(one.input_tokens for one in outcomes),
        output_tokens=sum(one.output_tokens for one in outcomes),
        cost=round(math.fsum(one.cost for one in outcomes), 9),
        priced=all(one.priced for one in outcomes),
        seconds=round(math.fsum(one.seconds for one in outcomes), 3),
    )
