"""The line between two panes, which the mouse moves."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class Splitter(Widget):
    """Stands between pane `number` and the next one. Posts where the mouse drags it."""

    @dataclass
    class Dragged(Message):
        """The line is to be at column `x` of the screen."""

        number: int
        x: int

    @dataclass
    class Evened(Message):
        """A double click: the panes are to be as wide as at first."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._dragging = False

    def render(self) -> RenderResult:
        return Content("\n".join("│" * self.size.height))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        # Else the pane's text would be selected on the way.
        event.prevent_default()
        self._dragging = True
        self.capture_mouse()
        self.add_class("-dragging")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self.post_message(self.Dragged(self._number, int(event.screen_x)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self._dragging = False
        self.release_mouse()
        self.remove_class("-dragging")

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.chain == 2:
            self.post_message(self.Evened())
