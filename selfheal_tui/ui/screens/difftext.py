"""A whole patch, line by line as git writes it, drawn only where it is looked at.

What is approved must be seen as it is: nothing is folded, left out or rewritten here, but
characters that a terminal would obey, which become marks.
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
        self._lines = patch.split("\n")[:-1] if patch.endswith("\n") else patch.split("\n")

    def on_mount(self) -> None:
        longest = max((_width(line) for line in self._lines), default=0)
        self.virtual_size = Size(longest, len(self._lines))

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        row = top + y
        style = self.rich_style
        if row >= len(self._lines):
            return Strip.blank(self.size.width, style)
        line = self._lines[row]
        style = self.get_component_rich_style(f"difftext--{kind_of_line(line)}")
        strip = Strip([Segment(_drawn(line), style)])
        return strip.crop_extend(left, left + self.size.width, style)


def _drawn(line: str) -> str:
    return printable(line).expandtabs(TAB)


def _width(line: str) -> int:
    """Cells of a line as it is drawn."""
    if line.isascii() and line.isprintable() and len(line) <= MAX_COLUMNS:
        return len(line)
    return cell_len(_drawn(line))


def kind_of_line(line: str) -> str:
    """How a line of a patch is shown: file, hunk, added, removed, same or note."""
    return next((kind for start, kind in _KINDS if line.startswith(start)), "note")
