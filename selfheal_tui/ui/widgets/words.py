"""Which words changed between a removed line and the added one that took its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from selfheal_tui.core.patch import Line

LONGEST = 400
"""Characters of a line that is compared; longer ones are marked as a whole only."""
PAIRS = 200
"""Pairs of a hunk that are compared at most."""
LIKENESS = 0.4
"""Lines less alike than this are two different lines, not one that changed."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

Ranges = tuple[tuple[int, int], ...]


def changed_words(old: str, new: str) -> tuple[Ranges, Ranges]:
    """Ranges of characters that differ, in the old line and in the new one."""
    if len(old) > LONGEST or len(new) > LONGEST:
        return (), ()
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.quick_ratio() < LIKENESS or matcher.ratio() < LIKENESS:
        return (), ()
    changes = [op for op in matcher.get_opcodes() if op[0] != "equal"]
    olds = [_range(before, start, end) for _, start, end, _, _ in changes if end > start]
    news = [_range(after, start, end) for _, _, _, start, end in changes if end > start]
    return tuple(olds), tuple(news)


def _range(words: Sequence[str], start: int, end: int) -> tuple[int, int]:
    at = sum(len(word) for word in words[:start])
    return at, at + sum(len(word) for word in words[start:end])


def pairs(lines: Sequence[Line]) -> list[tuple[int | None, int | None]]:
    """Places of old and new lines side by side: a context line with itself, removed with added."""
    found: list[tuple[int | None, int | None]] = []
    removed: list[int] = []
    added: list[int] = []

    def flush() -> None:
        for at in range(max(len(removed), len(added))):
            old = removed[at] if at < len(removed) else None
            found.append((old, added[at] if at < len(added) else None))
        removed.clear()
        added.clear()

    for at, each in enumerate(lines):
        if each.sign == "-":
            if added:
                flush()
            removed.append(at)
        elif each.sign == "+":
            added.append(at)
        else:
            flush()
            found.append((at, at))
    flush()
    return found


def word_ranges(lines: Sequence[Line]) -> dict[int, Ranges]:
    """For each changed line that has a counterpart, the ranges that differ."""
    ranges: dict[int, Ranges] = {}
    compared = 0
    for old, new in pairs(lines):
        if old is None or new is None or old == new:
            continue
        compared += 1
        if compared > PAIRS:
            break
        ranges[old], ranges[new] = changed_words(lines[old].text, lines[new].text)
    return ranges
