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

    An `optional` reason may be empty. `typed` is what it begins with, and then what stands
    there; `left` what stood there when the user went back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "go back"),
    ]

    def __init__(self, text: str, *, optional: bool = False, typed: str = "") -> None:
        super().__init__()
        self._before = self.left = typed
        self._text = text
        self._optional = optional

    def compose(self) -> ComposeResult:
        with Vertical(classes="window small"):
            yield Static(self._text, markup=False)
            yield Editor(
                self._before, soft_wrap=True, show_line_numbers=False, tab_behavior="focus"
            )

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "Why not?"
        keys = (
            "Enter refuses it · Esc keeps it in"
            if self._optional
            else "Enter sends · Esc goes back"
        )
        window.border_subtitle = keys
        editor = self.query_one(Editor)
        editor.move_cursor(editor.document.end)
        editor.focus()

    @property
    def typed(self) -> str:
        """What stands there now."""
        return self.query_one(Editor).text

    @on(Editor.Sent)
    def _send(self) -> None:
        reason = self.query_one(Editor).text.strip()
        if reason or self._optional:
            self.dismiss(reason)

    def action_back(self) -> None:
        self.left = self.typed
        self.dismiss(None)
