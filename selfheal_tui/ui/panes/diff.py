"""What the agent changed: files with counts, their hunks, and the two states to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from selfheal_tui.core import events as e
from selfheal_tui.core.text import on_one_line
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.diffview import DiffView
from selfheal_tui.ui.widgets.hunks import FileBlock, counts
from selfheal_tui.ui.widgets.knownstates import BASE, NOW, Difference, KnownStates
from selfheal_tui.ui.widgets.lines import counted, line, spread
from selfheal_tui.ui.widgets.patchfiles import FilePatch, cut_patch
from selfheal_tui.ui.widgets.rows import Rows
from selfheal_tui.ui.widgets.stateline import StatesLine

TOO_LARGE = "The difference is larger than a megabyte: only its files and counts are shown."
TOO_LARGE_BETWEEN = "The difference between these two is larger than a megabyte: it is not shown."


class FileRow(Block):
    """One file of the list."""

    def __init__(
        self, path: str, added: int, removed: int, patch: FilePatch | None, *, reviewed: bool
    ) -> None:
        super().__init__()
        self.path = path
        self._added, self._removed, self._patch = added, removed, patch
        self.reviewed = reviewed

    def make(self, width: int) -> Sequence[Content]:
        kind = self._patch.file.kind if self._patch else "modified"
        letter = {"added": "A", "deleted": "D", "mode": "P", "link": "L"}.get(kind, "M")
        marks = " · ".join(self._patch.marks) if self._patch else ""
        right = line((f"{marks}  " if marks else "", "warned")) + counts(self._added, self._removed)
        seen = ("✓ ", "ok") if self.reviewed else "  "
        name = on_one_line(self.path)
        room = width - right.cell_length - 8
        if len(name) > room > 8:
            # The end of a path says more than its start.
            name = "…" + name[-(room - 1) :]
        return [spread(line("  ", (letter + " ", "dim"), seen, name), right, width)]

    def text(self) -> str:
        return self.path


class DiffPane(Pane):
    """The difference of base, or of an attempt, to an attempt or to now."""

    name_shown: ClassVar[str] = "Diff"
    skips: ClassVar[frozenset[type]] = frozenset(e.STREAMED)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "to(1)", "to the next attempt"),
        Binding("A", "to(-1)", "to the previous attempt", show=False),
        Binding("b", "from(1)", "from the next attempt"),
        Binding("B", "from(-1)", "from the previous attempt", show=False),
        Binding("v", "reviewed", "reviewed"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view = DiffView(id="hunks")
        self._list = Rows(short=True, id="files")
        self._states = StatesLine()
        self._known = KnownStates()
        self._from, self._to = BASE, NOW
        self._difference: Difference | None = None

    def parts(self) -> ComposeResult:
        yield self._states
        yield self._list
        yield self._view

    @property
    def rows(self) -> Rows:
        return self._view

    # --- events ----------------------------------------------------------------------------

    def see(self, event: e.Event, at: float) -> None:
        self._known.see(event)

    def draw(self) -> None:
        self._states.show(self._known.attempts, self._from, self._to)
        self._states.display = bool(self._known.attempts)
        found = self._known.between(self._from, self._to)
        if found != self._difference:
            self._difference = found
            self._show(found)

    def _show(self, found: Difference) -> None:
        files = cut_patch(found.patch)
        told = found.files or tuple((each.path, each.added, each.removed) for each in files)
        notice = found.notice
        if told and not files:
            notice = TOO_LARGE
        elif found.too_large:
            notice = TOO_LARGE_BETWEEN
        self._view.show(files, notice)
        self._fill_list(told, files)
        added = sum(count for _, count, _ in told)
        removed = sum(count for _, _, count in told)
        some = f"{counted(len(told), 'file')}  +{added} -{removed}"
        self.subtitle = some if told else ""

    def _fill_list(self, told: Sequence[tuple[str, int, int]], files: Sequence[FilePatch]) -> None:
        patches: Sequence[FilePatch | None] = files
        if len(files) != len(told):
            patches = [None] * len(told)
        reviewed = self._view.reviewed()
        rows = [
            FileRow(path, added, removed, patch, reviewed=path in reviewed)
            for (path, added, removed), patch in zip(told, patches, strict=True)
        ]
        self._list.replace(rows)
        self._list.display = len(rows) > 1 or bool(rows and not files)
        self._list.sync()

    # --- choices ---------------------------------------------------------------------------

    def action_to(self, by: int) -> None:
        """Show the difference to the next attempt, or to now."""
        self._choose(self._from, _next([*self._known.attempts, NOW], self._to, by))

    def action_from(self, by: int) -> None:
        """Show the difference from the next attempt, or from base."""
        self._choose(_next([BASE, *self._known.attempts], self._from, by), self._to)

    def on_states_line_chosen(self, event: StatesLine.Chosen) -> None:
        event.stop()
        self._choose(event.older or self._from, event.newer or self._to)

    def _choose(self, older: str, newer: str) -> None:
        self._from, self._to = older, newer
        self.draw_soon()

    def action_reviewed(self) -> None:
        """Tick the file at the cursor as looked at, close it, and go on to the next one."""
        hunk = self._view.hunk
        head = self._view.cursor if isinstance(self._view.cursor, FileBlock) else None
        head = head or (hunk.owner if hunk else None)
        if head is None:
            return
        head.reviewed = not head.reviewed
        head.open = not head.reviewed
        head.changed()
        for row in self._list.blocks:
            if isinstance(row, FileRow) and row.path == head.patch.path:
                row.reviewed = head.reviewed
                row.changed()
        self._list.sync()
        self._view.reveal(head)
        if head.reviewed:
            self._view.action_file(1)
        self._view.sync()

    def on_rows_moved(self, event: Rows.Moved) -> None:
        event.stop()
        if event.rows is self._list and isinstance(event.block, FileRow):
            self._view.go_to_file(event.block.path)

    def on_rows_opened(self, event: Rows.Opened) -> None:
        event.stop()
        if event.rows is self._list and isinstance(event.block, FileRow):
            self._view.go_to_file(event.block.path)
            self._view.focus()

    def reveal(self, kind: str, target: str) -> bool:
        """Show the hunks of the file `target` as they are now, or what the attempt `target` did."""
        if kind == "attempt":
            return self._reveal_attempt(target)
        if kind != "hunk":
            return False
        before = self._from, self._to
        self._choose(BASE, NOW)
        self.draw()
        if not self._view.go_to_file(target):
            self._choose(*before)
            return False
        self._view.focus()
        return True

    def _reveal_attempt(self, name: str) -> bool:
        if name not in (*self._known.attempts, NOW):
            return False
        self._choose(BASE, name)
        self.draw()
        self._view.focus()
        return True


def _next(names: Sequence[str], name: str, by: int) -> str:
    return names[(names.index(name) + by) % len(names)]
