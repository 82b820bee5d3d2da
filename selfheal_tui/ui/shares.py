"""How the width is shared among the panes: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence

EVEN = (1.0, 1.3, 1.0)
"""The shares at first."""

LEAST = 24
"""Columns that a pane keeps, so that it can be read and found again."""


def grown(shares: Sequence[float], number: int, by: float, room: int) -> list[float]:
    """The shares with one of them larger by `by` (smaller for less than 0); as they were, where
    a pane would be left fewer than LEAST columns of `room`."""
    made = [*shares]
    made[number] += by
    fits = min(made) > 0 and min(made) / sum(made) * room >= LEAST
    return made if fits else [*shares]


def dragged(shares: Sequence[float], widths: Sequence[int], number: int, width: int) -> list[float]:
    """The shares with pane `number` at `width` columns, taken from or given to its neighbour on
    the right; both keep LEAST where they have it."""
    both = widths[number] + widths[number + 1]
    least = min(LEAST, both // 2)
    width = min(max(width, least), both - least)
    together = shares[number] + shares[number + 1]
    made = [*shares]
    made[number] = together * width / both if both else shares[number]
    made[number + 1] = together - made[number]
    return made
