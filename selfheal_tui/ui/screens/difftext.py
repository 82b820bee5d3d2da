"""A whole patch, line by line as git writes it, drawn only where it is looked at.

What is approved must be seen as it is: nothing is left out or rewritten here, but characters that
a terminal would obey, which become marks. A very long line goes on in the next row.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from selfheal_tui.core.text import MAX_COLUMNS, printable

TAB = 4
PIECE = MAX_COLUMNS // 10
"""Characters of a line in one row, where it would be cut: a mark takes ten columns at most."""
GOES_ON = "↪ "

_KINDS = (
    ("diff --git ", "file"),
    ("+++ ", "file"),
    ("--- ", "file"),
    ("@@", "hunk"),
    ("+", "added"),
    ("-", "removed"),
    (" ", "same"),
)


class DiffText(ScrollView, can_focus=True):
    """Scrolls over the lines of a patch."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"difftext--{kind}" for kind in ("file", "hunk", "added", "removed", "same", "note")
    }

    def __init__(self, patch: str) -> None:
        super().__init__()
        lines = patch.split("\n")[:-1] if patch.endswith("\n") else patch.split("\n")
        self._rows = [row for line in lines for row in rows_of(line)]

    def on_mount(self) -> None:
        longest = max((_width(text) for text, _ in self._rows), default=0)
        self.virtual_size = Size(longest, len(self._rows))

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        row = top + y
        style = self.rich_style
        if row >= len(self._rows):
            return Strip.blank(self.size.width, style)
        text, kind = self._rows[row]
        style = self.get_component_rich_style(f"difftext--{kind}")
        strip = Strip([Segment(drawn_row(text), style)])
        return strip.crop_extend(left, left + self.size.width, style)


def rows_of(line: str) -> list[tuple[str, str]]:
    """A line in as many rows as it needs, each with its kind."""
    kind = kind_of_line(line)
    if len(line) <= PIECE:
        return [(line, kind)]
    pieces = [line[start : start + PIECE] for start in range(0, len(line), PIECE)]
    if len(line) <= MAX_COLUMNS and sum(map(_width, pieces)) <= MAX_COLUMNS:
        return [(line, kind)]
    return [(pieces[0], kind), *((GOES_ON + piece, kind) for piece in pieces[1:])]


def drawn_row(line: str) -> str:
    """A row as the terminal gets it."""
    return printable(line).expandtabs(TAB)


def _width(line: str) -> int:
    """Cells of a line as it is drawn."""
    if line.isascii() and line.isprintable() and len(line) <= MAX_COLUMNS:
        return len(line)
    return cell_len(drawn_row(line))


def kind_of_line(line: str) -> str:
    """How a line of a patch is shown: file, hunk, added, removed, same or note."""
    return next((kind for start, kind in _KINDS if line.startswith(start)), "note")
