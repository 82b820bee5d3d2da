"""What a reader found, and what the readers share: blocks of a report, one line of why."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfheal_tui.core.checks import Failure

_MESSAGE = 300


@dataclass(frozen=True)
class Report:
    """What one reader found in a text of its runner.

    `passed` is None where the report does not tell. `unread` is a sentence where whole files of
    tests did not run, empty otherwise: such a run has more failures than it names. `vague` says
    that files of the runner's own name the same tests better.
    """

    failures: tuple[Failure, ...]
    passed: int | None = None
    unread: str = ""
    vague: bool = False


def blocks(
    text: str, header: re.Pattern[str], stop: re.Pattern[str] | None = None
) -> Iterator[tuple[re.Match[str], str]]:
    """Each header with the text after it, up to the next header or stop."""
    headers = list(header.finditer(text))
    ends = [found.start() for found in headers]
    if stop is not None:
        ends = sorted([*ends, *(found.start() for found in stop.finditer(text))])
    for found in headers:
        at = bisect_left(ends, found.end())
        yield found, text[found.end() : ends[at] if at < len(ends) else len(text)]


def message(lines: Sequence[str]) -> str:
    """One line of why: the first line that says something, and the next after a colon."""
    said = [" ".join(line.split()) for line in lines[:50] if line.strip()]
    if not said:
        return ""
    text = f"{said[0]} {said[1]}" if said[0].endswith(":") and len(said) > 1 else said[0]
    return text[:_MESSAGE]


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sum_of(counts: Sequence[str]) -> int | None:
    """The sum of printed numbers; None where there is none. Absurd ones count as nothing."""
    numbers = [int(count) for count in counts if len(count) < 10]
    return sum(numbers) if numbers else None
