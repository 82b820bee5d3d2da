"""The line that asks what to search for in a pane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class SearchLine(Input):
    """Hidden until it is wanted. Enter searches, Escape gives up; both give the focus back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "stop searching", show=False),
    ]

    @dataclass
    class Wanted(Message):
        """Search for this."""

        text: str

    @dataclass
    class GivenUp(Message):
        """No search is wanted."""

    def on_mount(self) -> None:
        self.display = False

    def ask(self) -> None:
        """Show the line and wait for words."""
        self.display = True
        self.value = ""
        self.focus()

    def action_give_up(self) -> None:
        self.display = False
        self.post_message(self.GivenUp())

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = False
        text = event.value.strip()
        self.post_message(self.Wanted(text) if text else self.GivenUp())
