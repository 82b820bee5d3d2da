"""F1: every key and every command, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from selfheal_tui.ui.keys import Keys


class HelpScreen(ModalScreen[None]):
    """Lists what can be pressed and typed, place by place."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", "close the help"),
    ]

    def __init__(self, tables: Sequence[Keys]) -> None:
        super().__init__()
        self._tables = tables

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="window"):
            for table in self._tables:
                yield Static(table.place, classes="window-title", markup=False)
                yield Static(help_text(table), markup=False)

    def on_mount(self) -> None:
        self.query_one(".window").border_title = "Keys and commands"
        self.query_one(".window").border_subtitle = "Esc closes"


def help_text(table: Keys) -> str:
    """One line a key."""
    width = max((len(keys) for keys, _ in table.rows), default=0)
    return "\n".join(f"  {keys:<{width}}  {text}" for keys, text in table.rows)
