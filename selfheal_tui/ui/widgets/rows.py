"""A column of blocks with a cursor: keys go from one to the next, open them, and search them."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.column import GUTTER, PAGE, WINDOW, Column


class Rows(Column, can_focus=True):
    """Shows blocks, one of which has the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "previous", "up", show=False),
        Binding("down,j", "next", "down", show=False),
        Binding("enter", "open", "open or close", show=False),
        Binding("home,g", "first", "first", show=False),
        Binding("end,G", "last", "last", show=False),
        Binding("O", "toggle_all", "open or close all", show=False),
    ]

    class Opened(Message):
        """The user pressed enter on a block that does not fold, or clicked it at `column` of its
        lines."""

        def __init__(self, rows: Rows, block: Block, column: int | None = None) -> None:
            super().__init__()
            self.rows = rows
            self.block = block
            self.column = column

        @property
        def control(self) -> Rows:
            return self.rows

    class Moved(Message):
        """The cursor is on another block."""

        def __init__(self, rows: Rows, block: Block) -> None:
            super().__init__()
            self.rows = rows
            self.block = block

        @property
        def control(self) -> Rows:
            return self.rows

    # --- cursor ----------------------------------------------------------------------------

    def reveal(self, block: Block, *, inner: int = 0) -> None:
        """Put the cursor on `block` and show it, or its line `inner`."""
        index = self.blocks.index(block)
        self._follow = False
        if not self._first <= index < self._first + WINDOW - 1:
            self._first = max(index - PAGE, 0)
        self._set_cursor(block)
        self._lay_out()
        self._bring_into_view(block, inner)
        self.refresh()

    def _bring_into_view(self, block: Block, inner: int = 0) -> None:
        top = self._top_of(block) + inner
        height = len(block.lines(self.line_width)) - inner
        view = self.scrollable_content_region.height
        above, below = self.scroll_offset.y, self.scroll_offset.y + view
        if top < above or height >= view:
            self._scroll_to_row(top)
        elif top + height > below:
            self._scroll_to_row(top + height - view)

    def _set_cursor(self, block: Block) -> None:
        if block is not self.cursor:
            self.cursor = block
            self.post_message(self.Moved(self, block))
        self.refresh()

    def _cursor_index(self) -> int:
        """Where the cursor is; the first block on the screen when it is nowhere."""
        if self.cursor is not None and self.cursor in self.blocks:
            return self.blocks.index(self.cursor)
        return self._first + max(bisect_right(self._tops, self.scroll_offset.y) - 1, 0) - 1

    def action_next(self) -> None:
        self._step(1)

    def action_previous(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        """To the next block; within one that is longer than the screen, a line."""
        if not self.blocks:
            return
        if self._goes_on(by):
            self._scroll_to_row(self.scroll_offset.y + by)
            return
        index = self._cursor_index() + by
        while 0 <= index < len(self.blocks):
            # Hunks of a closed file have no lines.
            if self.blocks[index].lines(self.line_width):
                self.reveal(self.blocks[index])
                return
            index += by

    def _goes_on(self, by: int) -> bool:
        """Whether the block at the cursor goes on past the edge of the screen."""
        if self.cursor is None or self.cursor not in self.window:
            return False
        top = self._top_of(self.cursor)
        if by < 0:
            return top < self.scroll_offset.y
        bottom = top + len(self.cursor.lines(self.line_width))
        return bottom > self.scroll_offset.y + self.scrollable_content_region.height

    def action_first(self) -> None:
        if self.blocks:
            self._first = 0
            self.reveal(self.blocks[0])

    def action_last(self) -> None:
        if not self.blocks:
            return
        self._set_cursor(self.blocks[-1])
        self._first = max(len(self.blocks) - PAGE, 0)
        self._follow = self._may_follow
        self._lay_out()
        self._scroll_to_row(self._tops[-1])
        self.refresh()

    def action_open(self) -> None:
        if self.cursor is not None:
            self._open(self.cursor)

    def _open(self, block: Block, column: int | None = None) -> None:
        if not block.foldable:
            self.post_message(self.Opened(self, block, column))
            return
        follow = self._follow
        block.toggle()
        self._follow = False
        self._lay_out()
        self._bring_into_view(block)
        self._follow = follow and not block.open
        self.refresh()

    def action_toggle_all(self) -> None:
        """Open every entry that folds, or close all when one is open."""
        folds = [block for block in self.blocks if block.foldable]
        opened = any(block.open for block in folds)
        for block in folds:
            if block.open == opened:
                block.toggle()
        self.sync()

    def on_click(self, event: events.Click) -> None:
        found = self._at(event.y + self.scroll_offset.y)
        if found is None or self.text_selection:
            return
        block = found[0]
        self._set_cursor(block)
        top = self._top_of(block) - self.scroll_offset.y
        if not block.foldable or event.y <= top + 1:
            self._open(block, event.x - GUTTER)

    # --- search ----------------------------------------------------------------------------

    def search(self, text: str) -> int:
        """Mark `text` wherever it is, go to the last place; how many entries hold it."""
        self.query_text = text
        found = self._matching()
        if found and (self.cursor is None or self.cursor not in found):
            self._go_to_match(found[-1])
        self.refresh()
        return len(found)

    def search_step(self, by: int) -> None:
        """To the next (1) or previous (-1) entry that holds the text, around the ends."""
        found = self._matching()
        if not found:
            return
        at = self.blocks.index(self.cursor) if self.cursor in self.blocks else -1
        if by > 0:
            after = (block for block in found if self.blocks.index(block) > at)
            self._go_to_match(next(after, found[0]))
        else:
            before = (block for block in reversed(found) if self.blocks.index(block) < at)
            self._go_to_match(next(before, found[-1]))

    def _matching(self) -> list[Block]:
        if not self.query_text:
            return []
        wanted = self.query_text.casefold()
        return [block for block in self.blocks if wanted in block.text().casefold()]

    def _go_to_match(self, block: Block) -> None:
        wanted = self.query_text.casefold()
        if block.foldable and not block.open and self._line_with(block, wanted) < 0:
            block.toggle()
        self.reveal(block, inner=max(self._line_with(block, wanted) - 2, 0))

    def _line_with(self, block: Block, wanted: str) -> int:
        """The first line that shows `wanted`; -1 when none does."""
        lines = block.lines(self.line_width)
        places = (i for i, content in enumerate(lines) if wanted in content.plain.casefold())
        return next(places, -1)
