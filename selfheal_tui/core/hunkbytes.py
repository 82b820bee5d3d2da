"""Hunks taken out of a change, on the bytes of the file before and after it.

A line ends with a newline byte and with nothing else, as git counts lines. Refuses (ValueError)
hunks that do not fit the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfheal_tui.core.patch import Hunk

_RANGES = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def taken_back(old: bytes, new: bytes, hunks: Sequence[Hunk]) -> bytes:
    """`new`, where the lines of each of `hunks` are those of `old` again.

    `hunks` are some of those that lead from `old` to `new`, in any order.
    """
    before, after = _lines(old), _lines(new)
    # From the end, so that what comes earlier in the file keeps its line numbers.
    for hunk in sorted(hunks, key=lambda hunk: hunk.new_start, reverse=True):
        there, here = _ranges(hunk)
        if there.stop > len(before) or here.stop > len(after):
            raise ValueError(f"the hunk {hunk.header!r} is not one of this file")
        after[here] = before[there]
    return b"".join(after)


def _lines(content: bytes) -> list[bytes]:
    """The lines with their newlines; the last one may lack it."""
    *lines, rest = content.split(b"\n")
    ended = [line + b"\n" for line in lines]
    return [*ended, rest] if rest else ended


def _ranges(hunk: Hunk) -> tuple[slice, slice]:
    """The lines that a hunk covers in the file before, and in the file after."""
    match = _RANGES.match(hunk.header)
    if match is None:
        raise ValueError(f"not the header of a hunk: {hunk.header!r}")
    old_start, old_length, new_start, new_length = match.groups(default="1")
    return _range(int(old_start), int(old_length)), _range(int(new_start), int(new_length))


def _range(start: int, length: int) -> slice:
    """From git's counting: an empty range names the line before it."""
    first = start - 1 if length else start
    return slice(first, first + length)
