"""The plan to be edited: one item a line. Refuses to decide what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from selfheal_tui.ui.plantext import Items, as_text, read_items

_HINT = (
    "One step a line:  [x] done  [>] at work  [ ] to do.\n"
    "The agent hears of the new plan with its next request."
)
_EMPTY = "A plan needs at least one step; Esc leaves it as it was."


class PlanText(TextArea):
    """The lines. What is pasted loses what a terminal would obey."""

    def on_paste(self, event: events.Paste) -> None:
        event.text = "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in event.text)


class EditPlanScreen(ModalScreen[Items | None]):
    """Returns the plan as it is to be; None where it stays as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+y", "take", "take this plan", priority=True),
        Binding("ctrl+t", "tick", "to do, at work, done", priority=True),
        Binding("escape", "leave", "leave it as it was", priority=True),
    ]

    def __init__(self, items: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._before = as_text(items)

    def compose(self) -> ComposeResult:
        with Vertical(classes="window editplan"):
            yield Static(_HINT, id="plan-hint", markup=False)
            yield PlanText(
                self._before,
                soft_wrap=True,
                show_line_numbers=False,
                tab_behavior="focus",
                highlight_cursor_line=True,
            )

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "The plan"
        window.border_subtitle = "Ctrl+S takes it · Ctrl+T changes a mark · Esc leaves it"
        self.query_one(PlanText).focus()

    def action_take(self) -> None:
        text = self.query_one(PlanText).text
        items = read_items(text)
        if not items:
            self.query_one("#plan-hint", Static).update(_EMPTY)
            self.query_one("#plan-hint").add_class("warning")
            return
        self.dismiss(None if items == read_items(self._before) else items)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_tick(self) -> None:
        """The step at the cursor: from to do to at work, to done, and around."""
        editor = self.query_one(PlanText)
        row, column = editor.cursor_location
        line = editor.document.get_line(row)
        items = read_items(line)
        if not items:
            return
        ((text, state),) = items
        after = {"todo": "doing", "doing": "done", "done": "todo"}[state]
        made = as_text([(text, after)])
        editor.replace(made, (row, 0), (row, len(line)))
        editor.move_cursor((row, min(column + len(made) - len(line), len(made))))
