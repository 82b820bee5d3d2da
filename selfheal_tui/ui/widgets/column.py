"""A scrolling column of blocks, drawn line by line: nothing is mounted, so nothing slows it down.

Only a window of the blocks is laid out; scrolling past its ends moves it over the rest.
"""

from __future__ import annotations

import math
import re
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.theme import Theme

from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import line, plain_text

WINDOW = 600
"""Blocks that are laid out at most."""
PAGE = WINDOW // 2
AT_ONCE = 0.02
"""Seconds of laying out in one go; what is left of the window follows after the next keys."""
GUTTER = 2
"""Cells left of the lines: the cursor and a blank."""


class Column(ScrollView):
    """Shows blocks. `follows`: stays at the end while it is there; `short`: as high as they are,
    and there only when its pane shows it.

    After `append`, `remove`, `replace` or a change in a block, `sync` lays out and draws.
    """

    def __init__(
        self,
        *,
        follows: bool = False,
        short: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, classes="-short" if short else None)
        # Nobody gives the focus to one that its pane shows only when it has something.
        self.display = not short
        self.blocks: list[Block] = []
        self.cursor: Block | None = None
        self.query_text = ""
        self._may_follow = follows
        self._follow = follows
        self._first = 0
        self._laid = WINDOW
        self._tops: list[int] = [0]
        self._looks: dict[str, Style] = {}
        self._syncing = False

    # --- content ---------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether it stays at the end."""
        return self._follow

    def append(self, block: Block) -> None:
        self.blocks.append(block)

    def remove_block(self, block: Block) -> None:
        if block in self.blocks:
            self.blocks.remove(block)
        if block is self.cursor:
            self.cursor = None

    def replace(self, blocks: Iterable[Block]) -> None:
        """Show other blocks, from the top."""
        self.blocks = list(blocks)
        self.cursor = None
        self._first = 0
        self._scroll_to_row(0)

    def sync(self, at_most: float = AT_ONCE) -> None:
        """Lay the window out again and draw; what takes longer than `at_most` seconds, piece by
        piece."""
        if not self.is_mounted:
            return
        if self._follow and len(self.blocks) - self._first > WINDOW:
            self._first = len(self.blocks) - PAGE
        self._first = min(self._first, max(len(self.blocks) - 1, 0))
        # Below the top, what is not laid out yet would move what is looked at.
        at_top = self.scroll_offset.y == 0 and not self._follow
        self._lay_out(at_most if at_top else math.inf)
        if self._follow:
            self._scroll_to_row(self._tops[-1])
        self.refresh()

    def _lay_out(self, at_most: float = math.inf) -> None:
        """Place the blocks of the window; where that takes longer than `at_most` seconds, the
        first ones now, and the others after the next keys."""
        width, end = self.line_width, time.monotonic() + at_most
        wanted = self.blocks[self._first : self._first + WINDOW]
        self._tops = [0]
        for block in wanted:
            if time.monotonic() > end and len(self._tops) > 1:
                self.call_later(self.sync)
                break
            self._tops.append(self._tops[-1] + len(block.lines(width)))
        self._laid = len(self._tops) - 1
        self._syncing = True
        size = Size(self.scrollable_content_region.width, self._tops[-1])
        if size != self.virtual_size:
            # This places everything on the screen anew, so only where it must be.
            self.virtual_size = size
        self._syncing = False

    @property
    def window(self) -> Sequence[Block]:
        """The blocks that are laid out."""
        return self.blocks[self._first : self._first + self._laid]

    @property
    def line_width(self) -> int:
        """Cells that a block's lines may take."""
        # Not placed yet: any usual width will do, a resize follows.
        width = self.scrollable_content_region.width or 80
        return max(width - GUTTER - 1, 8)

    # --- drawing ---------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        base = self.visual_style
        row = y + self.scroll_offset.y
        found = self._at(row)
        if found is None:
            return Strip.blank(self.size.width, base.rich_style)
        block, content = found
        content = self._marked(block, content)
        if (selection := self.text_selection) and (span := selection.get_span(row)):
            content = self._selected(content, *span)
        segments = [
            Segment(text, style.rich_style)
            for text, style in content.render(base, end="", parse_style=self._look)
        ]
        strip = Strip(segments).adjust_cell_length(self.size.width, base.rich_style)
        return strip.apply_offsets(0, row)

    def _at(self, row: int) -> tuple[Block, Content] | None:
        index = bisect_right(self._tops, row) - 1
        window = self.window
        if not 0 <= index < len(window) or row >= self._tops[-1]:
            return None
        block = window[index]
        lines = block.lines(self.line_width)
        inner = row - self._tops[index]
        # A block may have shrunk since it was laid out; the next sync comes within a frame.
        return (block, lines[inner]) if inner < len(lines) else (block, Content(""))

    def _marked(self, block: Block, content: Content) -> Content:
        if self.query_text:
            for match in re.finditer(re.escape(self.query_text), content.plain, re.IGNORECASE):
                content = content.stylize("match", *match.span())
        on_cursor = block is self.cursor and self.has_focus
        return line(("▌", "cursor") if on_cursor else " ", " ") + content

    def _selected(self, content: Content, start: int, end: int) -> Content:
        style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        return content.stylize(style, start, None if end < 0 else end)

    def _look(self, name: str | Style) -> Style:
        if isinstance(name, Style):
            return name
        if name not in self._looks:
            self._looks[name] = self._find_look(name)
        return self._looks[name]

    def _find_look(self, name: str) -> Style:
        styles = self.app.get_component_styles(f"rows--{name}")
        look = Style.from_styles(styles)
        if styles.has_rule("color") or styles.has_rule("auto_color"):
            return look
        return Style(look.background, None, look.bold, look.dim, look.italic, look.underline)

    def on_mount(self) -> None:
        # The looks are the app's: a theme that changes nothing else would not be seen here.
        self.app.theme_changed_signal.subscribe(self, self._recoloured)

    def _recoloured(self, theme: Theme) -> None:
        self._looks.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        self._looks.clear()
        super().notify_style_update()

    # --- selection of text -----------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        width = self.line_width
        lines = (content for block in self.window for content in block.lines(width))
        # The gutter is drawn, so the offsets count it; nobody wants it in the clipboard.
        text = plain_text(line(" " * GUTTER) + content for content in lines)
        extracted = selection.extract(text)
        return "\n".join(part.removeprefix(" " * GUTTER) for part in extracted.split("\n")), "\n"

    # --- scrolling -------------------------------------------------------------------------

    def _scroll_to_row(self, row: int) -> None:
        # Before its bar is shown, a column would not scroll unless forced.
        self.scroll_to(y=row, animate=False, immediate=True, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._syncing:
            return
        at_end = new_value >= self.max_scroll_y
        last = self._first + WINDOW >= len(self.blocks)
        self._follow = self._may_follow and at_end and last
        if new_value <= 0 and self._first > 0:
            self.call_later(self._move_window, -PAGE)
        elif at_end and not last:
            self.call_later(self._move_window, PAGE)

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        # A bar that was not there when the column was scrolled would stand at the top.
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def _move_window(self, by: int) -> None:
        """Lay out other blocks, and keep the lines on the screen where they are."""
        anchor = self.blocks[min(max(self._first, self._first + by), len(self.blocks) - 1)]
        offset = self.scroll_offset.y - self._top_of(anchor)
        self._first = min(max(self._first + by, 0), max(len(self.blocks) - PAGE, 0))
        self._lay_out()
        self._scroll_to_row(self._top_of(anchor) + offset)
        self.refresh()

    def _top_of(self, block: Block) -> int:
        return self._tops[min(max(self.blocks.index(block) - self._first, 0), len(self._tops) - 1)]

    def on_resize(self, event: events.Resize) -> None:
        self.sync()
