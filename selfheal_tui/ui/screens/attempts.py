"""`/attempts`: how each attempt ended, what failed after it, and the way to its difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from selfheal_tui.core.events import AttemptEnded
from selfheal_tui.core.text import one_line
from selfheal_tui.ui.summary import Summary
from selfheal_tui.ui.widgets.block import Block, LineBlock
from selfheal_tui.ui.widgets.lines import line, shown, wrapped
from selfheal_tui.ui.widgets.rows import Rows

_LOOKS = {"green": "ok", "better": "accent", "worse": "failed"}
_NAMES = 14
_FAILING = 12


class AttemptRow(Block):
    """One attempt; the names of its failing tests are shown when they are asked for. `state` is
    what the diff pane calls it."""

    def __init__(
        self, name: str, outcome: str, look: str, failing: Sequence[str] | None, summary: str
    ) -> None:
        super().__init__()
        self.state = name
        self._outcome, self._look = outcome, look
        self._failing, self._summary = failing, summary

    def make(self, width: int) -> Sequence[Content]:
        outcome = one_line(self._outcome, _NAMES)
        left = line((f"{self.state:<6}", "title"), (f"{outcome:<{_NAMES}}", self._look))
        left += self._count()
        right = line((one_line(self._summary, 200), "dim"))
        room = width - left.cell_length - 2
        if right.cell_length > room:
            right = right.truncate(max(room, 4), ellipsis=True)
        head = left + "  " + right
        return [head.truncate(width, ellipsis=True), *(self._details(width) if self.open else [])]

    def _count(self) -> Content:
        if self._failing is None:
            return line((f"{'':<{_FAILING}}", "dim"))
        look = "failed-count" if self._failing else "ok"
        return line((f"{f'{len(self._failing)} failing':<{_FAILING}}", look))

    def _details(self, width: int) -> list[Content]:
        indent = "      "
        if not self._failing:
            return [line(indent, ("no test is known to fail", "dim"))]
        names = (shown(name).replace("\n", " ") for name in self._failing)
        found = (line(("✗ ", "failed"), name) for name in names)
        return [
            line(indent) + part for each in found for part in wrapped(each, width - len(indent))
        ]

    def text(self) -> str:
        return f"{self.state} {self._outcome} {self._summary} {' '.join(self._failing or ())}"


class AttemptsScreen(ModalScreen[str]):
    """Returns the attempt (its number as text, or `now`) whose difference is wanted; empty for
    none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "names", "names of the failing tests", priority=True),
        Binding("escape,q", "dismiss('')", "close"),
    ]

    def __init__(self, summary: Summary) -> None:
        super().__init__()
        self._summary = summary

    def compose(self) -> ComposeResult:
        with Vertical(classes="window attempts"):
            yield Rows(id="attempts")

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "Attempts"
        window.border_subtitle = "Enter its difference · Space its failing tests · Esc closes"
        rows = self.query_one(Rows)
        head = f"{'':<6}{'outcome':<{_NAMES}}{'tests now':<{_FAILING}}  what it did"
        made = rows_of(self._summary)
        rows.replace([LineBlock(line((head, "dim"))), *made])
        rows.sync()
        rows.cursor = made[-1]
        rows.focus()

    def action_names(self) -> None:
        """Show or hide the names of the attempt at the cursor."""
        rows = self.query_one(Rows)
        if isinstance(rows.cursor, AttemptRow):
            rows.cursor.open = not rows.cursor.open
            rows.cursor.changed()
            rows.sync()
            rows.reveal(rows.cursor)

    def on_rows_opened(self, event: Rows.Opened) -> None:
        event.stop()
        if isinstance(event.block, AttemptRow):
            self.dismiss(event.block.state if event.block.state != "base" else "")


def rows_of(summary: Summary) -> list[AttemptRow]:
    """Base, every attempt that ended, and the one at work."""
    base = AttemptRow("base", "before", "dim", summary.failing_before, "")
    rows = [base, *(_row(attempt) for attempt in summary.tried)]
    at_work = summary.attempt and summary.attempt > len(summary.tried) and summary.ended is None
    if at_work:
        doing = f"attempt {summary.attempt} of {summary.attempts}: {summary.phase}"
        rows.append(AttemptRow("now", "at work", "running", None, doing))
    return rows


def _row(attempt: AttemptEnded) -> AttemptRow:
    look = _LOOKS.get(attempt.outcome, "warned")
    failing = attempt.failing if attempt.outcome not in _UNKNOWN or attempt.failing else None
    return AttemptRow(str(attempt.number), attempt.outcome, look, failing, attempt.summary)


_UNKNOWN = ("stopped", "no change", "not verified")
"""Outcomes after which no check tells what fails."""
