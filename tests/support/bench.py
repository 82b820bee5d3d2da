"""Outcomes of cases, as benches tell them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from selfheal_tui.core.bench.outcome import CaseOutcome

HEALED = CaseOutcome(
    case="Hand/0",
    digest="d0",
    task="Write it.",
    exit_code=0,
    outcome="committed",
    text="committed 1234 to selfheal/healed",
    healed_at=2,
    red_before=True,
    attempts=("same", "green"),
    input_tokens=400,
    output_tokens=80,
    cost=0.25,
    priced=True,
    seconds=1.5,
    session="s0",
    folder="cases/Hand-0",
)
AT_ONCE = replace(
    HEALED, case="Hand/1", healed_at=1, attempts=("green",), cost=0.125, seconds=0.5, digest="d1"
)
NOT_HEALED = replace(
    HEALED,
    case="Hand/2",
    digest="d2",
    exit_code=1,
    outcome="not healed",
    text="no attempt passed \x1b[31m\x00",
    healed_at=0,
    attempts=("same", "worse"),
)
GREEN_BEFORE = replace(
    HEALED,
    case="Hand/3",
    digest="d3",
    outcome="already green",
    healed_at=0,
    red_before=False,
    attempts=(),
)
NO_ENGINE = replace(
    HEALED,
    case="Hand/4",
    digest="d4",
    exit_code=4,
    outcome="sandbox error",
    text="no engine",
    healed_at=0,
    attempts=(),
    cost=0.0,
    priced=False,
)
ALL = (HEALED, AT_ONCE, NOT_HEALED, GREEN_BEFORE, NO_ENGINE)


def with_status(**fields: Any) -> str:
    """The status of an outcome with these fields."""
    return replace(HEALED, **fields).status
