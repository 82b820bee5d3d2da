"""The edit ladder: exact, then tolerant of line endings, then of white space, then a refusal.

Pure functions over text. Refuses to change anything outside the match, and to guess between two.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from selfheal_tui.agent.nearest import did_you_mean

_SHOWN_MATCHES = 5
_MOST_CANDIDATES = 1_000
_MOST_COMPARED = 100_000
"""Lines that are compared at most, over all candidates."""

_BLANKS = " \t\r"


@dataclass(frozen=True)
class Edited:
    """The new content. `note` says what was tolerated; empty for an exact match."""

    content: str
    note: str = ""


@dataclass(frozen=True)
class EditFailed:
    """Nothing was changed; `reason` is a sentence for the model."""

    reason: str


def edit(content: str, old: str, new: str, *, every: bool = False) -> Edited | EditFailed:
    """Replace `old` by `new` in `content`: once, or each time with `every`.

    New lines get the file's own line ending. White space is tolerated only where one place fits.
    """
    if not old:
        return EditFailed("`old` is empty; to make a file use write_file")
    if old == new:
        return EditFailed("`old` and `new` are the same")
    count = content.count(old)
    if count:
        if count > 1 and not every:
            return _ambiguous(count, _lines_of(content, old))
        return Edited(content.replace(old, _in_style(new, content)))
    return (
        _despite_line_endings(content, old, new, every=every)
        or _despite_blanks(content, old, new)
        or EditFailed(did_you_mean(content, old))
    )


def _ambiguous(count: int, lines: Sequence[int]) -> EditFailed:
    more = ", ..." if count > len(lines) else ""
    return EditFailed(
        f"`old` stands {count} times (lines {', '.join(map(str, lines))}{more});"
        " add lines around it, or set `all`"
    )


def _lines_of(content: str, old: str) -> list[int]:
    """The lines where the first matches begin, counted from 1."""
    lines: list[int] = []
    start = content.find(old)
    while start >= 0 and len(lines) < _SHOWN_MATCHES:
        lines.append(content.count("\n", 0, start) + 1)
        start = content.find(old, start + len(old))
    return lines


def _in_style(new: str, content: str) -> str:
    """`new` with the file's line endings, where the file has but one kind."""
    feeds, pairs = content.count("\n"), content.count("\r\n")
    if not feeds or 0 < pairs < feeds:
        return new
    flat = new.replace("\r\n", "\n")
    return flat.replace("\n", "\r\n") if pairs else flat


def _despite_line_endings(
    content: str, old: str, new: str, *, every: bool
) -> Edited | EditFailed | None:
    """The same text but for `\\r\\n` in place of `\\n`; None where it is not there either."""
    flat, flat_old = content.replace("\r\n", "\n"), old.replace("\r\n", "\n")
    count = flat.count(flat_old)
    if not count:
        return None
    if count > 1 and not every:
        return _ambiguous(count, _lines_of(flat, flat_old))
    breaks = [found.start() - number for number, found in enumerate(re.finditer("\r\n", content))]
    styled = _in_style(new, content)
    pieces, done, start = [], 0, flat.find(flat_old)
    while start >= 0:
        end = start + len(flat_old)
        pieces += [content[done : start + bisect_left(breaks, start)], styled]
        done = end + bisect_left(breaks, end)
        start = flat.find(flat_old, end)
    pieces.append(content[done:])
    return Edited("".join(pieces), "`old` matched but for line endings; the file's own were kept")


def _despite_blanks(content: str, old: str, new: str) -> Edited | EditFailed | None:
    """Whole lines that are the same but for blanks at their ends and their common indentation."""
    lines = content.split("\n")
    for wanted, wanted_new in _as_lines(old.replace("\r\n", "\n"), new.replace("\r\n", "\n")):
        places = list(islice(_places(lines, wanted, wanted_new or ()), _SHOWN_MATCHES))
        if len(places) > 1:
            found = ", ".join(str(start + 1) for start, _ in places)
            return EditFailed(
                f"`old` is not there exactly; but for white space it stands at lines {found}:"
                " copy one of them exactly"
            )
        if places:
            return _replaced(content, lines, places[0], len(wanted), wanted_new)
    return None


def _as_lines(old: str, new: str) -> Iterator[tuple[list[str], list[str] | None]]:
    """Both as whole lines, then without the blank lines around `old`; None deletes the lines."""
    ended = old.endswith("\n")
    wanted = old.removesuffix("\n").split("\n")
    replacement = new.removesuffix("\n").split("\n") if ended else new.split("\n")
    if ended and not new:
        yield wanted, None
        yield _trimmed(wanted, wanted)[0], None
    else:
        yield wanted, replacement
        yield _trimmed(wanted, replacement)


def _trimmed(wanted: list[str], replacement: list[str]) -> tuple[list[str], list[str]]:
    """Without the blank lines at both ends of `wanted`; as many go from the replacement."""
    kept, fresh = deque(wanted), deque(replacement)
    for end, drop in ((0, deque[str].popleft), (-1, deque[str].pop)):
        while len(kept) > 1 and not kept[end].strip(_BLANKS):
            drop(kept)
            if len(fresh) > 1 and not fresh[end].strip(_BLANKS):
                drop(fresh)
    return list(kept), list(fresh)


Reindent = Callable[[str], str]
"""From the indentation of a line as the model wrote it to the file's own."""


def _places(
    lines: Sequence[str], wanted: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[int, Reindent]]:
    """Where `wanted` stands but for white space, with how it is indented there."""
    needle = "\n".join(line.strip(_BLANKS) for line in wanted)
    if not needle.strip("\n"):
        return
    stripped = "\n".join(line.strip(_BLANKS) for line in lines)
    haystack, needle = f"\n{stripped}\n", f"\n{needle}\n"
    at, line, counted = haystack.find(needle), 0, 0
    for _ in range(min(_MOST_CANDIDATES, _MOST_COMPARED // len(wanted) + _SHOWN_MATCHES)):
        if at < 0:
            return
        line, counted = line + haystack.count("\n", counted, at), at
        if reindent := _reindentation(wanted, lines[line : line + len(wanted)], new):
            yield line, reindent
        at = haystack.find(needle, at + 1)


def _reindentation(
    wanted: Sequence[str], found: Sequence[str], new: Sequence[str]
) -> Reindent | None:
    """How to get from the one's indentation to the other's; None where it is not uniform."""
    pairs = {
        (_indentation(line), _indentation(other))
        for line, other in zip(wanted, found, strict=True)
        if line.strip(_BLANKS)
    }
    off, on = min(pairs, key=lambda pair: (len(pair[0]), pair[1]))
    candidates = [_shifted(off, on)]
    if on and not on.strip("\t"):
        candidates.insert(0, _tabbed(off, on, _width([*wanted, *new], off)))
    return next(
        (move for move in candidates if all(move(mine) == other for mine, other in pairs)), None
    )


def _width(lines: Sequence[str], off: str) -> int:
    """How many blanks the model's lines take for a level: the smallest step there is."""
    steps = {len(_indentation(line)) - len(off) for line in lines if "\t" not in _indentation(line)}
    return min((step for step in steps if step > 0), default=4)


def _shifted(off: str, on: str) -> Reindent:
    """Takes `off` from the left and puts `on` there; less indentation than `off` takes from it."""

    def move(indentation: str) -> str:
        if indentation.startswith(off):
            return on + indentation[len(off) :]
        return on[: max(0, len(on) - (len(off) - len(indentation)))]

    return move


def _tabbed(off: str, on: str, width: int) -> Reindent:
    """For a file with tabs: one for every `width` blanks more or less than `off` has."""

    def columns(indentation: str) -> int:
        return len(indentation.replace("\t", " " * width))

    def move(indentation: str) -> str:
        more = (columns(indentation) - columns(off)) // width
        return on + "\t" * more if more >= 0 else on[:more]

    return move


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _replaced(
    content: str,
    lines: list[str],
    place: tuple[int, Reindent],
    count: int,
    replacement: list[str] | None,
) -> Edited:
    start, reindent = place
    after = lines[start + count :]
    ending = "\r" if lines[start].endswith("\r") else ""
    fresh = [_reindented(line, reindent) + ending for line in replacement or ()]
    if fresh and not after:
        # The last line of the file keeps the end it had.
        fresh[-1] = fresh[-1].removesuffix("\r")
    result = "\n".join([*lines[:start], *fresh, *after])
    return Edited(
        result,
        f"`old` matched at line {start + 1} but for white space; the file's own was kept",
    )


def _reindented(line: str, reindent: Reindent) -> str:
    if not line.strip(_BLANKS):
        return ""
    indentation = _indentation(line)
    return reindent(indentation) + line[len(indentation) :].rstrip("\r")
