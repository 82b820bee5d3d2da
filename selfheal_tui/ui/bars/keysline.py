"""The last line: the keys that count where the focus is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widgets import Footer


class KeysLine(Footer):
    """Makes its keys anew only when they are others; Textual's does whenever they might be."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=True)
        self._told: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.app.app_focus:
            told = [
                (binding, enabled, tooltip)
                for _, binding, enabled, tooltip in screen.active_bindings.values()
                if binding.show or binding.key == self.app.COMMAND_PALETTE_BINDING
            ]
            if told == self._told:
                return
            self._told = told
        super().bindings_changed(screen)

    def compose(self) -> ComposeResult:
        for key in super().compose():
            compact = getattr(type(key), "compact", None)
            if isinstance(compact, Reactive) and not key.has_class("-command-palette"):
                # What it is bound to says so anyway, but later: it would be styled twice more.
                key.set_reactive(compact, self.compact)
            yield key
