"""The edit ladder: exact, then tolerant of white space, then "did you mean".

Pure functions over text. Refuses to change anything outside the match, and to guess between two.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

NEAREST_LINES = 20_000
"""Lines of a file that are searched for something near; a larger file is searched to there."""

_SHOWN_MATCHES = 5


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
    """Replace `old` by `new` in `content`: once, or each time with `every`."""
    if not old:
        return EditFailed("`old` is empty; to make a file use write_file")
    if old == new:
        return EditFailed("`old` and `new` are the same")
    count = content.count(old)
    if count == 1 or (count and every):
        return Edited(content.replace(old, new))
    if count:
        lines = ", ".join(str(line) for line in _lines_of(content, old))
        return EditFailed(
            f"`old` stands {count} times (lines {lines}); add lines around it, or set `all`"
        )
    return _tolerant(content, old, new)


def _lines_of(content: str, old: str) -> list[int]:
    lines: list[int] = []
    start = content.find(old)
    while start >= 0 and len(lines) < _SHOWN_MATCHES:
        lines.append(content.count("\n", 0, start) + 1)
        start = content.find(old, start + len(old))
    return lines


def _tolerant(content: str, old: str, new: str) -> Edited | EditFailed:
    """Whole lines that are the same but for blanks at their ends, line endings or indentation."""
    lines = content.splitlines(keepends=True)
    wanted = old.strip("\r\n").splitlines()
    places = _places(lines, wanted)
    if len(places) > 1:
        found = ", ".join(str(place + 1) for place in places[:_SHOWN_MATCHES])
        return EditFailed(
            f"`old` is not there exactly; but for white space it stands at lines {found}:"
            " copy one of them exactly"
        )
    if not places:
        return EditFailed(_did_you_mean(lines, wanted))
    start = places[0]
    found_lines = lines[start : start + len(wanted)]
    ending = "\r\n" if found_lines[0].endswith("\r\n") else "\n"
    replaced = [line + ending for line in _indented_like(found_lines, wanted, new)]
    if replaced and not found_lines[-1].endswith(("\r", "\n")):
        replaced[-1] = replaced[-1].removesuffix(ending)
    return Edited(
        "".join([*lines[:start], *replaced, *lines[start + len(wanted) :]]),
        f"`old` matched line {start + 1} but for white space; the file's own was kept",
    )


def _places(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    stripped, needles = [line.strip() for line in lines], [line.strip() for line in wanted]
    if not any(needles):
        return []
    return [
        start
        for start in range(len(lines) - len(wanted) + 1)
        if stripped[start] == needles[0]
        and stripped[start : start + len(wanted)] == needles
        and _shift(lines[start : start + len(wanted)], wanted) is not None
    ]


def _shift(found: Sequence[str], wanted: Sequence[str]) -> tuple[str, str] | None:
    """The indentation to take off, and the one to put in its place; None when lines differ."""
    shifts = {
        (_indentation(line), _indentation(other))
        for line, other in zip(wanted, found, strict=True)
        if line.strip()
    }
    shortest = min(shifts, key=lambda shift: len(shift[0]))
    off, on = shortest
    same = all(
        has == on + wants.removeprefix(off) and wants.startswith(off) for wants, has in shifts
    )
    return shortest if same else None


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indented_like(found: Sequence[str], wanted: Sequence[str], new: str) -> list[str]:
    off, on = _shift(found, wanted) or ("", "")
    return [
        on + line.removeprefix(off) if line.strip() else line.strip()
        for line in new.strip("\r\n").splitlines()
    ]


def _did_you_mean(lines: Sequence[str], wanted: Sequence[str]) -> str:
    """The nearest lines with their numbers, so that the model can copy them."""
    first = next((line.strip() for line in wanted if line.strip()), "")
    candidates = {line.strip() for line in lines[:NEAREST_LINES] if line.strip()}
    close = difflib.get_close_matches(first[:200], candidates, n=1, cutoff=0.6)
    if not close:
        return "`old` is not in the file, nor anything like it; read the file again"
    at = next(number for number, line in enumerate(lines) if line.strip() == close[0])
    shown = [
        f"{number:>5}  {line.rstrip()}"
        for number, line in enumerate(lines[at : at + max(len(wanted), 3)], at + 1)
    ]
    return "`old` is not in the file; did you mean\n" + "\n".join(shown)
