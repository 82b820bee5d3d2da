"""Asks for the reason of a no."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from selfheal_tui.ui.prompt import Editor


class ReasonScreen(ModalScreen[str | None]):
    """Returns the reason; None when the user went back. `text` says what the no will do.

    An `optional` reason may be empty.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "go back"),
    ]

    def __init__(self, text: str, *, optional: bool = False) -> None:
        super().__init__()
        self._text = text
        self._optional = optional

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small"):
            yield Static(self._text, markup=False)
            yield Editor(soft_wrap=True, show_line_numbers=False, tab_behavior="focus")

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "Why not?"
        window.border_subtitle = "Enter sends · Esc goes back"
        self.query_one(Editor).focus()

    @on(Editor.Sent)
    def _send(self) -> None:
        reason = self.query_one(Editor).text.strip()
        if reason or self._optional:
            self.dismiss(reason)

    def action_back(self) -> None:
        self.dismiss(None)
