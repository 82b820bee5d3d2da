"""A difference as one column: files and their hunks, for pane and approval."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.column import AT_ONCE
from selfheal_tui.ui.widgets.hunks import FileBlock, HunkBlock, Layout, NoticeBlock
from selfheal_tui.ui.widgets.patchfiles import FilePatch, best_match
from selfheal_tui.ui.widgets.rows import Rows

MANY = 500
"""Files from which on the entries are made piece by piece."""
GAP = 0.01
"""Seconds between two pieces, for the keys."""


class DiffView(Rows):
    """Shows the files of a patch."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "hunk(1)", "next hunk"),
        Binding("H", "hunk(-1)", "previous hunk", show=False),
        Binding("f", "file(1)", "next file", show=False),
        Binding("F", "file(-1)", "previous file", show=False),
        Binding("s", "split", "split or unified"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        self._making: Iterator[None] | None = None
        super().__init__(id=id)
        self.files: tuple[FilePatch, ...] = ()
        self._layout = Layout()
        self._ticked: dict[str, FilePatch] = {}
        self._notice = ""

    @property
    def blocks(self) -> list[Block]:
        """Files and hunks in their order. Whoever asks gets them all, whatever time that takes."""
        self._settle()
        return self._blocks

    @blocks.setter
    def blocks(self, blocks: list[Block]) -> None:
        self._blocks = blocks

    @property
    def window(self) -> Sequence[Block]:
        # What is drawn now stays until its successors are there.
        return self._blocks[self._first : self._first + self._laid]

    def show(self, files: Sequence[FilePatch], notice: str = "") -> None:
        """Show `files`, or a sentence. Hunks that were there before keep their place."""
        if (tuple(files), notice) == (self.files, self._notice) and self.blocks:
            return
        self._keep_ticks()
        self.files, self._notice = tuple(files), notice
        self._making = self._entries(self.files, self._blocks)
        if len(files) > MANY:
            self.set_timer(GAP, self._go_on)
        else:
            self._settle()

    def _go_on(self) -> None:
        """Make some entries; the others after the keys that came meanwhile."""
        end = time.monotonic() + AT_ONCE
        for _ in self._making or ():
            if time.monotonic() > end:
                self.set_timer(GAP, self._go_on)
                return

    def _settle(self) -> None:
        """Make all entries that are not made yet."""
        for _ in self._making or ():
            pass

    def _entries(self, files: Sequence[FilePatch], old: Sequence[Block]) -> Iterator[None]:
        """Make the entries of `files`, and show them in place of the `old` ones when all are
        there."""
        old_files = {block.patch.names: block for block in old if isinstance(block, FileBlock)}
        yield
        hunks = (block for block in old if isinstance(block, HunkBlock))
        old_hunks = {(block.owner.patch.names, block.hunk.raw): block for block in hunks}
        yield
        blocks: list[Block] = []
        for patch in files:
            head = FileBlock(patch)
            head.reviewed = self._ticked.get(patch.names) == patch
            before = old_files.get(patch.names)
            head.open = before.open if before is not None else not head.reviewed
            blocks += [head, *self._fresh(head, old_hunks)]
            yield
        self._making = None
        kept, row = self.cursor, self.scroll_offset.y
        self.replace(blocks or [NoticeBlock(self._notice or "No file is changed.")])
        if kept not in blocks:
            self.sync()
            return
        self.cursor = kept
        # Its place is known only once all is laid out.
        self.sync(math.inf)
        self.call_after_refresh(self.scroll_to, y=row, animate=False)

    def _keep_ticks(self) -> None:
        """What was looked at stays so while other states are shown, until it is another patch."""
        for head in self._heads():
            self._ticked.pop(head.patch.names, None)
            if head.reviewed:
                self._ticked[head.patch.names] = head.patch

    def _fresh(self, head: FileBlock, old: dict[tuple[str, str], HunkBlock]) -> list[HunkBlock]:
        hunks = []
        for hunk in head.patch.hunks:
            block = old.get((head.patch.names, hunk.raw))
            if block is None:
                block = HunkBlock(head, hunk, self._layout)
            block.owner, block.hunk = head, hunk
            hunks.append(block)
        return hunks

    def _hunks(self) -> list[HunkBlock]:
        return [block for block in self.blocks if isinstance(block, HunkBlock)]

    def _heads(self) -> list[FileBlock]:
        return [block for block in self.blocks if isinstance(block, FileBlock)]

    # --- what is there ---------------------------------------------------------------------

    @property
    def hunk(self) -> HunkBlock | None:
        """The hunk at the cursor; the first one of the file when the cursor is on its name."""
        if isinstance(self.cursor, HunkBlock):
            return self.cursor
        if isinstance(self.cursor, FileBlock):
            own = (block for block in self._hunks() if block.owner is self.cursor)
            return next(own, None)
        return None

    def reviewed(self) -> frozenset[str]:
        """The paths of the files that were ticked as looked at."""
        if self._making is not None:
            ticked = (each for each in self.files if self._ticked.get(each.names) == each)
            return frozenset(each.path for each in ticked)
        return frozenset(head.patch.path for head in self._heads() if head.reviewed)

    # --- moves -----------------------------------------------------------------------------

    def go_to_file(self, path: str) -> bool:
        """Show a file from its heading on; False when the difference has no such file."""
        self._settle()
        match = best_match(self.files, path)
        heads = (block for block in self._heads() if block.patch is match)
        head = next(heads, None)
        if head is None:
            return False
        self.reveal(head)
        self.scroll_to(y=self._top_of(head), animate=False)
        return True

    def action_hunk(self, by: int) -> None:
        self._go(by, HunkBlock)

    def action_file(self, by: int) -> None:
        self._go(by, FileBlock)

    def _go(self, by: int, kind: type[Block]) -> None:
        at = self.blocks.index(self.cursor) if self.cursor in self.blocks else -1
        after = self.blocks[at + 1 :] if by > 0 else self.blocks[: max(at, 0)][::-1]
        wanted = next((block for block in after if isinstance(block, kind)), None)
        if wanted is not None:
            self.reveal(wanted)

    def action_split(self) -> None:
        """By width, then split, then unified, and around again."""
        order = {None: True, True: False, False: None}
        self._layout.split = order[self._layout.split]
        self.sync()
