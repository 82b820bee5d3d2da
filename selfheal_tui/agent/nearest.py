"""Finds the lines of a file that are most like those a model looked for, in bounded time."""

from __future__ import annotations

import difflib
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

MOST_LINES = 50_000
"""Lines of a file that are searched; the rest of a larger file is not looked at."""

_LONGEST_LINE = 200
_SHOWN_LINES = 20
_PROBES = 12
_CANDIDATES = 200
_ALIKE = 0.6
_WORDS = re.compile(r"\w+")
_NUMBERED = re.compile(r" *\d+  ")


def did_you_mean(content: str, old: str) -> str:
    """A sentence for the model, with the nearest lines and their numbers where any are near."""
    wanted = old.strip("\r\n").split("\n")
    if len(wanted) > 1 and all(_NUMBERED.match(line) for line in wanted if line.strip()):
        return "`old` is not in the file: leave out the line numbers that read_file shows"
    lines = [line[:_LONGEST_LINE].rstrip() for line in content.split("\n", MOST_LINES)]
    start = _voted(lines[:MOST_LINES], wanted)
    if start is None:
        start = _likest(lines[:MOST_LINES], wanted)
    if start is None:
        return "`old` is not in the file, nor anything like it; read the file again"
    window = lines[start : start + min(max(len(wanted), 3), _SHOWN_LINES)]
    shown = "\n".join(f"{number:>5}  {line}" for number, line in enumerate(window, start + 1))
    return f"`old` is not in the file; did you mean\n{shown}"


def _voted(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where most of the lines that are looked for stand, each at its place among them."""
    places = defaultdict(list)
    for number, line in enumerate(lines):
        places[line.strip()].append(number)
    votes: Counter[int] = Counter()
    for offset, line in _telling(wanted):
        for number in places.get(line, ())[:_CANDIDATES]:
            votes[max(0, number - offset)] += len(line)
    return min(votes, key=lambda start: (-votes[start], start)) if votes else None


def _telling(wanted: Sequence[str]) -> list[tuple[int, str]]:
    """The longest of the lines, with their places: short ones (`}`, `else:`) stand anywhere."""
    stripped = [(offset, line.strip()[:_LONGEST_LINE]) for offset, line in enumerate(wanted)]
    return heapq.nlargest(
        _PROBES, (probe for probe in stripped if len(probe[1]) > 5), key=lambda probe: len(probe[1])
    )


def _likest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where the line stands that is most like one of the longest that are looked for."""
    best, start = _ALIKE, None
    for offset, line in _telling(wanted)[:2] or [(0, wanted[0].strip()[:_LONGEST_LINE])]:
        matcher = difflib.SequenceMatcher(None, "", line, autojunk=False)
        for number in _sharing_words(lines, line):
            matcher.set_seq1(lines[number].strip())
            ratio = matcher.ratio()
            if ratio > best:
                best, start = ratio, max(0, number - offset)
    return start


def _sharing_words(lines: Sequence[str], line: str) -> list[int]:
    """The lines worth a close look: they share most words, or are about as long."""
    words = set(_WORDS.findall(line))

    def likeness(number: int) -> tuple[int, int]:
        other = lines[number].strip()
        shared = len(words.intersection(_WORDS.findall(other)))
        return shared, -abs(len(other) - len(line))

    return heapq.nlargest(_CANDIDATES, range(len(lines)), key=likeness)
