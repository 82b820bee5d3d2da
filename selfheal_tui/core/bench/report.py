"""A bench's report as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from selfheal_tui.core.bench.figures import Figures
from selfheal_tui.core.bench.outcome import CaseOutcome
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.text import one_line

SCHEMA = 1
_HEAD = ("case", "result", "attempts", "tokens", "cost", "time")
_WIDEST = 48


def text_report(outcomes: Sequence[CaseOutcome], figures: Figures) -> list[str]:
    """A table of the cases, an empty line, and the figures."""
    rows = [_HEAD, *map(_row, outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [*(_line(row, widths) for row in rows), "", *summary(figures)]


def summary(figures: Figures) -> list[str]:
    """The figures in a few lines."""
    others = [
        f"{number} {words}"
        for number, words in (
            (figures.already_green, "already green (not counted)"),
            (figures.no_verdict, "without a verdict (not counted)"),
            (figures.waiting, "not run yet"),
        )
        if number
    ]
    tokens = f"{figures.input_tokens} in, {figures.output_tokens} out"
    return [
        f"at attempt 1    {_share(figures.first_rate, figures.healed_first, figures.judged)}",
        f"after healing   {_share(figures.rate, figures.healed, figures.judged)}",
        *([f"besides         {', '.join(others)}"] if others else []),
        f"attempts        {figures.attempts}",
        f"tokens          {tokens}",
        f"cost            {cost_words(figures.cost, priced=figures.priced)}",
        f"time            {figures.seconds:.1f} s of sessions",
    ]


def json_report(run: Mapping[str, Any], outcomes: Sequence[CaseOutcome], figures: Figures) -> str:
    """One object: what was run, the figures with both rates, and the cases."""
    rates = {"judged": figures.judged, "first_rate": figures.first_rate, "rate": figures.rate}
    cases = [asdict(outcome) | {"status": outcome.status} for outcome in outcomes]
    whole = {
        "schema": SCHEMA,
        "run": dict(run),
        "figures": asdict(figures) | rates,
        "cases": cases,
    }
    return plain_json(whole, indent=2, sort_keys=True)


def cost_words(cost: float, *, priced: bool) -> str:
    """A cost, and whether it is all of it."""
    if priced:
        return f"{cost:.4f} USD"
    return f"at least {cost:.4f} USD" if cost else "no price known"


def _row(outcome: CaseOutcome) -> tuple[str, ...]:
    return (
        one_line(outcome.case, _WIDEST),
        one_line(outcome.words, _WIDEST),
        str(len(outcome.attempts)),
        str(outcome.input_tokens + outcome.output_tokens),
        f"{outcome.cost:.4f}" if outcome.priced else "?",
        f"{outcome.seconds:.1f} s",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _share(rate: float | None, healed: int, judged: int) -> str:
    return "none was judged" if rate is None else f"{rate:.1%} ({healed} of {judged})"
