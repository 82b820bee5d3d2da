"""What the agent changed: files with counts, their hunks, and the attempts to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from selfheal_tui.core import events as e
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.diffview import DiffView
from selfheal_tui.ui.widgets.hunks import FileBlock, counts
from selfheal_tui.ui.widgets.lines import counted, line, shown, spread
from selfheal_tui.ui.widgets.patchfiles import FilePatch, cut_patch
from selfheal_tui.ui.widgets.rows import Rows

NOW = "now"
TOO_LARGE = "The difference is larger than a megabyte: only its files and counts are shown."
GONE = "The difference of this attempt is not known."


class Attempts(Widget):
    """A line of choices: each attempt, and now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"attempts--chosen"}

    choices: reactive[tuple[str, ...]] = reactive(())
    chosen: reactive[str] = reactive(NOW)

    class Chosen(Message):
        """The user clicked a choice."""

        def __init__(self, choice: str) -> None:
            super().__init__()
            self.choice = choice

    def render(self) -> RenderResult:
        style = self.get_visual_style("attempts--chosen")
        content = Content("base → ")
        for choice in self.choices:
            text = f" {choice} "
            content += Content.styled(text, style) if choice == self.chosen else Content(text)
        return content

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        left = len("base → ")
        for choice in self.choices:
            right = left + len(choice) + 2
            if at is not None and left <= at.x < right:
                self.post_message(self.Chosen(choice))
            left = right


class FileRow(Block):
    """One file of the list."""

    def __init__(self, path: str, added: int, removed: int, patch: FilePatch | None) -> None:
        super().__init__()
        self.path = path
        self._added, self._removed, self._patch = added, removed, patch
        self.reviewed = False

    def make(self, width: int) -> Sequence[Content]:
        kind = self._patch.file.kind if self._patch else "modified"
        letter = {"added": "A", "deleted": "D", "mode": "P", "link": "L"}.get(kind, "M")
        marks = " · ".join(self._patch.marks) if self._patch else ""
        right = line((f"{marks}  " if marks else "", "warned")) + counts(self._added, self._removed)
        seen = ("✓ ", "ok") if self.reviewed else "  "
        name = shown(self.path).replace("\n", "␊")
        room = width - right.cell_length - 8
        if len(name) > room > 8:
            # The end of a path says more than its start.
            name = "…" + name[-(room - 1) :]
        return [spread(line("  ", (letter + " ", "dim"), seen, name), right, width)]

    def text(self) -> str:
        return self.path


class DiffPane(Pane):
    """The difference of base to an attempt, or to now."""

    name_shown: ClassVar[str] = "Diff"
    skips: ClassVar[frozenset[type]] = frozenset(e.STREAMED)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "attempt(1)", "next attempt"),
        Binding("A", "attempt(-1)", "previous attempt", show=False),
        Binding("v", "reviewed", "reviewed"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view = DiffView(id="hunks")
        self._list = Rows(short=True, id="files")
        self._attempts = Attempts()
        self._trees: dict[str, e.TreeChanged] = {}
        self._patches: dict[str, e.TreeChanged] = {}
        self._chosen = NOW
        self._drawn_for: tuple[str, e.TreeChanged] | None = None
        self._patches[NOW] = e.TreeChanged("", ())

    def parts(self) -> ComposeResult:
        yield self._attempts
        yield self._list
        yield self._view

    @property
    def rows(self) -> Rows:
        return self._view

    # --- events ----------------------------------------------------------------------------

    def see(self, event: e.Event, at: float) -> None:
        match event:
            case e.SnapshotTaken():
                self._trees[event.tree] = e.TreeChanged(event.tree, ())
            case e.TreeChanged():
                self._trees[event.tree] = self._patches[NOW] = event
            case e.ProposalMade():
                # The tree to commit may leave out what the user had not committed.
                self._patches[NOW] = e.TreeChanged(event.tree, (), event.patch)
            case e.AttemptEnded():
                self._patches[str(event.number)] = self._trees.get(event.tree, _UNKNOWN)
                self._forget()
            case _:
                pass  # Other panes show the rest.

    def _forget(self) -> None:
        """Trees between attempts are not offered, so their patches need not be kept."""
        self._trees = dict(list(self._trees.items())[-8:])

    def draw(self) -> None:
        shown_now = self._patches.get(self._chosen, _UNKNOWN)
        self._attempts.choices = (*(name for name in self._patches if name != NOW), NOW)
        self._attempts.chosen = self._chosen
        self._attempts.display = len(self._patches) > 1
        if self._drawn_for != (self._chosen, shown_now):
            self._drawn_for = (self._chosen, shown_now)
            self._show(shown_now)

    def _show(self, change: e.TreeChanged) -> None:
        files = cut_patch(change.patch)
        if files and not change.files:
            told = tuple((each.path, each.added, each.removed) for each in files)
            change = replace(change, files=told)
        notice = ""
        if change is _UNKNOWN:
            notice = GONE
        elif change.files and not files:
            notice = TOO_LARGE
        self._view.show(files, notice)
        self._fill_list(change, files)
        added = sum(count for _, count, _ in change.files)
        removed = sum(count for _, _, count in change.files)
        some = f"{counted(len(change.files), 'file')}  +{added} -{removed}"
        self.subtitle = some if change.files else ""

    def _fill_list(self, change: e.TreeChanged, files: Sequence[FilePatch]) -> None:
        patches: Sequence[FilePatch | None] = files
        if len(files) != len(change.files):
            patches = [None] * len(change.files)
        rows = [
            FileRow(path, added, removed, patch)
            for (path, added, removed), patch in zip(change.files, patches, strict=True)
        ]
        self._list.replace(rows)
        self._list.display = len(rows) > 1 or bool(rows and not files)
        self._list.sync()

    # --- choices ---------------------------------------------------------------------------

    def action_attempt(self, by: int) -> None:
        """Show the difference to the next attempt, or to now."""
        names = [*(name for name in self._patches if name != NOW), NOW]
        self._choose(names[(names.index(self._chosen) + by) % len(names)])

    def on_attempts_chosen(self, event: Attempts.Chosen) -> None:
        event.stop()
        self._choose(event.choice)

    def _choose(self, name: str) -> None:
        self._chosen = name
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
        """Show the hunks of the file `target`."""
        if kind != "hunk":
            return False
        self._choose(NOW)
        self.draw()
        if not self._view.go_to_file(target):
            return False
        self._view.focus()
        return True


_UNKNOWN = e.TreeChanged("unknown", ())
