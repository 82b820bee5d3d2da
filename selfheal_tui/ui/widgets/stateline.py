"""One line of choices: from which state of the files, to which one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from selfheal_tui.ui.widgets.knownstates import BASE, NOW

_ARROW = " → "
_HINT = "b from · a to"

Choice = tuple[bool, str]
"""Whether it is on the older side, and the state."""


class StatesLine(Widget):
    """Shows the states that can be chosen, and the two that are. A click chooses one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"statesline--chosen"}

    attempts: reactive[tuple[str, ...]] = reactive(())
    chosen: reactive[tuple[str, str]] = reactive((BASE, NOW))

    class Chosen(Message):
        """The user clicked a state; the other side is empty."""

        def __init__(self, *, older: str = "", newer: str = "") -> None:
            super().__init__()
            self.older = older
            self.newer = newer

    def show(self, attempts: Sequence[str], older: str, newer: str) -> None:
        self.attempts = tuple(attempts)
        self.chosen = (older, newer)

    def render(self) -> RenderResult:
        style = self.get_visual_style("statesline--chosen")
        content = Content("")
        for text, choice in self._parts():
            on = choice is not None and choice[1] == self.chosen[0 if choice[0] else 1]
            content += Content.styled(text, style) if on else Content(text)
        room = self.content_size.width - content.cell_length - len(_HINT)
        return content + " " * room + _HINT if room >= 2 else content

    def _parts(self) -> list[tuple[str, Choice | None]]:
        """The texts from left to right, each with what a click on it chooses."""
        older: list[tuple[str, Choice | None]] = [
            (f" {name} ", (True, name)) for name in (BASE, *self.attempts)
        ]
        newer: list[tuple[str, Choice | None]] = [
            (f" {name} ", (False, name)) for name in (*self.attempts, NOW)
        ]
        return [*older, (_ARROW, None), *newer]

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        left = 0
        for text, choice in self._parts():
            right = left + len(text)
            if at is not None and choice is not None and left <= at.x < right:
                on_older, name = choice
                message = self.Chosen(older=name) if on_older else self.Chosen(newer=name)
                self.post_message(message)
            left = right
