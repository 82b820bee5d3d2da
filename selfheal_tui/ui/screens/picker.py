"""`--resume` without an ID: which earlier session to take up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from selfheal_tui.core.text import one_line
from selfheal_tui.ui.conductor import SessionLine


class PickerScreen(ModalScreen[str]):
    """Returns the id of the chosen session; empty for none. Typing narrows the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "none of them"),
        Binding("down", "move(1)", "next", show=False, priority=True),
        Binding("up", "move(-1)", "previous", show=False, priority=True),
    ]

    def __init__(self, sessions: Sequence[SessionLine]) -> None:
        super().__init__()
        self._sessions = sessions
        self._shown: list[SessionLine] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="window"):
            yield Input(placeholder="words of the task, or an id")
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "Take up a session"
        window.border_subtitle = "Enter takes it up · Esc starts anew"
        self._narrow("")
        self.query_one(Input).focus()

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(Input.Submitted)
    def _take(self) -> None:
        number = self.query_one(OptionList).highlighted
        if number is not None:
            self.dismiss(self._shown[number].id)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index].id)

    def _narrow(self, words: str) -> None:
        wanted = words.lower().split()
        self._shown = [
            session
            for session in self._sessions
            if all(word in f"{session.id} {session.task}".lower() for word in wanted)
        ]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(Content(line_of(session))) for session in self._shown)
        options.highlighted = 0 if self._shown else None


def line_of(session: SessionLine) -> str:
    """One session as one printable line."""
    started = datetime.fromtimestamp(session.started).strftime("%Y-%m-%d %H:%M")
    outcome = session.outcome or "not ended"
    return one_line(f"{started}  {outcome:<18} {session.id}  {session.task}", 300)
