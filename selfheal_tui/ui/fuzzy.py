"""Fuzzy choice among names: the letters in their order, nearer and later in the path is better."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest

_LIMIT = 8


def best(query: str, names: Sequence[str], limit: int = _LIMIT) -> list[str]:
    """At most `limit` names that hold the letters of `query` in order, the best first."""
    wanted = query.lower()
    scored = ((_score(wanted, name), name) for name in names)
    return [name for _, name in nsmallest(limit, (pair for pair in scored if pair[0] is not None))]


def _score(wanted: str, name: str) -> tuple[int, int, int] | None:
    """Smaller is better; None where the letters are not all there in order."""
    lower = name.lower()
    if not wanted:
        return 0, name.count("/"), len(name)
    last = lower.rfind("/") + 1
    whole = lower.find(wanted, last)
    if whole >= 0:
        # The words as they were typed, in the file's own name: the earlier the better.
        return 0, whole - last, len(name)
    if wanted in lower:
        return 1, len(name), 0
    return _scattered(wanted, lower)


def _scattered(wanted: str, lower: str) -> tuple[int, int, int] | None:
    at, start, gaps = -1, -1, 0
    for letter in wanted:
        found = lower.find(letter, at + 1)
        if found < 0:
            return None
        gaps += found - at - 1 if at >= 0 else 0
        start = found if start < 0 else start
        at = found
    return 2, gaps, len(lower)
