"""Asked once at the start with `--sandbox local`: whether commands may run without isolation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

TEXT = """\
The commands of the agent, and your check, run on this machine as you, with no isolation.

They work in a temporary copy of your files. But nothing keeps them there: they can read, change \
and delete whatever you can, reach the network, and use the keys and credentials that lie in your \
home folder. A mistake of the model, or a trap in the repository, is enough.

A container prevents all of that: `selfheal` without `--sandbox local` uses one, and \
`selfheal doctor` says what is missing for it."""


class LocalScreen(ModalScreen[bool]):
    """Returns whether to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "dismiss(True)", "go on without isolation", priority=True),
        Binding("escape", "dismiss(False)", "leave"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="window small local"):
            yield Static("No isolation", classes="warning", markup=False)
            yield Static(TEXT, markup=False)

    def on_mount(self) -> None:
        window = self.query_one(".window")
        window.border_title = "Run commands on this machine?"
        window.border_subtitle = "Ctrl+Y goes on without isolation · Esc leaves"
        window.focus()
