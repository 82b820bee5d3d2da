"""What the model was told of earlier heals: one folded line, which opens to the notes."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import counted, indented, line, shown, wrapped


class RecalledBlock(Block):
    """Notes as pairs of origin and text."""

    foldable = True

    def __init__(self, notes: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._notes = [(shown(origin), shown(text)) for origin, text in notes]

    def make(self, width: int) -> Sequence[Content]:
        mark = "▾ " if self.open else "▸ "
        title = f"{counted(len(self._notes), 'note')} from earlier heals"
        head = line((mark, "dim"), (title, "dim")).truncate(width, ellipsis=True)
        return [head, *self._body(width), Content("")] if self.open else [head]

    def _body(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for origin, text in self._notes:
            lines += indented(wrapped(line((origin, "dim")), width - 2), "  ")
            lines += indented(wrapped(line((text, "quote")), width - 4), "    ")
        return lines

    def text(self) -> str:
        return "\n".join(f"{origin}: {text}" for origin, text in self._notes)
