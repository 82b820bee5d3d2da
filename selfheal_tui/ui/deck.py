"""The panes: side by side where there is room, else one at a time under a line of tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

if TYPE_CHECKING:
    from selfheal_tui.core.events import Event

WIDE = 120
"""Columns from which on the panes stand side by side."""

SHARES = (1.0, 1.3, 1.0)


class Foldable(Protocol):
    """What every pane can be asked for, beside being a widget."""

    def fold(self, event: Event, at: float) -> None: ...

    def search(self, text: str) -> int: ...

    def reveal(self, kind: str, target: str) -> bool: ...


MakePanes = Callable[[], Sequence[Widget]]


class Tab(Static):
    """The name of one pane; a click shows it."""

    @dataclass
    class Clicked(Message):
        number: int

    def __init__(self, number: int, name: str) -> None:
        super().__init__(f" F{number + 2} {name} ", markup=False)
        self._number = number

    def on_click(self) -> None:
        self.post_message(self.Clicked(self._number))


class Deck(Vertical):
    """Holds the panes and says which one is in front. New ones are made for each session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search this pane"),
        Binding("left_square_bracket", "resize(-1)", "narrower pane", show=False),
        Binding("right_square_bracket", "resize(1)", "wider pane", show=False),
    ]

    @dataclass
    class SearchWanted(Message):
        """The user wants to search the pane in front."""

    def __init__(self, make_panes: MakePanes) -> None:
        super().__init__()
        self._make_panes = make_panes
        self._panes: tuple[Widget, ...] = ()
        self._shares = list(SHARES)
        self._front = 0

    def compose(self) -> ComposeResult:
        yield Horizontal(id="tabs")
        yield Horizontal(id="panes")

    async def fill(self) -> None:
        """Put fresh panes in place of what is there."""
        tabs, panes = self.query_one("#tabs"), self.query_one("#panes")
        await panes.remove_children()
        await tabs.remove_children()
        self._panes = tuple(self._make_panes())
        names = [(pane.id or "pane").capitalize() for pane in self._panes]
        await tabs.mount_all(Tab(number, name) for number, name in enumerate(names))
        await panes.mount_all(self._panes)
        self._arrange()

    @property
    def panes(self) -> tuple[Widget, ...]:
        return self._panes

    @property
    def front(self) -> Widget | None:
        """The pane in front; None before there are any."""
        return self._panes[self._front] if self._panes else None

    def fold(self, event: Event, at: float) -> None:
        """Tell every pane."""
        for pane in self._panes:
            cast("Foldable", pane).fold(event, at)

    def show(self, number: int) -> None:
        """Bring a pane to the front, and focus what can be focused in it."""
        if number >= len(self._panes):
            return
        self._front = number
        self._arrange()
        self.focus_front()

    def focus_front(self) -> None:
        """Give the focus to the pane in front."""
        if self.front and not self.front.has_focus_within:
            _focusable(self.front).focus()

    def toggle_zoom(self) -> None:
        """One pane alone, or all of them."""
        self.toggle_class("-zoomed")
        self._arrange()

    def action_search(self) -> None:
        self.post_message(self.SearchWanted())

    def search(self, text: str) -> int:
        """Search the pane in front; how many of its entries hold the text."""
        return cast("Foldable", self.front).search(text) if self.front else 0

    def reveal(self, kind: str, target: str) -> bool:
        """Show what a jump asks for, in the pane that has it; False when none has."""
        for number, pane in enumerate(self._panes):
            if cast("Foldable", pane).reveal(kind, target):
                self.show(number)
                return True
        return False

    def action_resize(self, by: int) -> None:
        share = self._shares[self._front] + by * 0.2
        self._shares[self._front] = min(4.0, max(0.4, share))
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < WIDE, "-narrow")
        self._arrange()

    def on_descendant_focus(self) -> None:
        for number, pane in enumerate(self._panes):
            if pane.has_focus_within and number != self._front:
                self._front = number
                self._arrange()

    @on(Tab.Clicked)
    def _clicked(self, event: Tab.Clicked) -> None:
        event.stop()
        self.show(event.number)

    def _arrange(self) -> None:
        single = self.has_class("-narrow") or self.has_class("-zoomed")
        self.set_class(single, "-single")
        for number, pane in enumerate(self._panes):
            pane.set_class(number == self._front, "-front")
            pane.display = not single or number == self._front
            pane.styles.width = f"{self._shares[number]}fr"
        for number, tab in enumerate(self.query(Tab)):
            tab.set_class(number == self._front, "-front")


def _focusable(pane: Widget) -> Widget:
    """The pane itself, or the first of its parts that takes the focus."""
    if pane.can_focus:
        return pane
    return next((part for part in pane.query("*") if part.can_focus), pane)
