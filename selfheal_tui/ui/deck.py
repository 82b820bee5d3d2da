"""The panes: side by side where there is room, else one at a time under a line of tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from selfheal_tui.ui import shares

if TYPE_CHECKING:
    from selfheal_tui.core.events import Event
    from selfheal_tui.ui.conductor import Readied
    from selfheal_tui.ui.widgets.splitter import Splitter
    from selfheal_tui.ui.widgets.welcome import Welcome

WIDE = 120
"""Columns from which on the panes stand side by side."""


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
        self._shares = list(shares.EVEN)
        self._splitters: tuple[Widget, ...] = ()
        self._welcome: Welcome | None = None
        self._front = 0

    async def fill(self) -> None:
        """Put fresh panes in place of what is there."""
        from selfheal_tui.ui.widgets.splitter import Splitter

        if not self.query("#panes"):
            # Not there before: each widget of the first frame makes it later.
            await self.mount(Horizontal(id="tabs"), Horizontal(id="panes"), before=self._welcome)
        tabs, panes = self.query_one("#tabs"), self.query_one("#panes")
        await panes.remove_children()
        await tabs.remove_children()
        self._panes = tuple(self._make_panes())
        names = [(pane.id or "pane").capitalize() for pane in self._panes]
        await tabs.mount_all(Tab(number, name) for number, name in enumerate(names))
        self._splitters = tuple(Splitter(number) for number in range(len(self._panes) - 1))
        between = [*self._splitters, None]
        pairs = zip(self._panes, between, strict=True)
        await panes.mount_all(each for pair in pairs for each in pair if each is not None)
        self._arrange()

    async def greet(self) -> None:
        """Show the welcome in place of the panes, until something happens or one is wanted."""
        if self._welcome is None:
            from selfheal_tui.ui.widgets.welcome import Welcome

            self._welcome = Welcome()
            await self.mount(self._welcome)
        self.welcome_back()

    def welcome_back(self) -> None:
        """Show the welcome again, where there was one."""
        if self._welcome:
            self.screen.add_class("-welcome")

    def readied(self, step: Readied) -> None:
        """Tell the welcome, where there is one."""
        if self._welcome:
            self._welcome.readied(step)

    def _leave_welcome(self) -> None:
        if self._welcome:
            self.screen.remove_class("-welcome")

    @property
    def panes(self) -> tuple[Widget, ...]:
        return self._panes

    @property
    def front(self) -> Widget | None:
        """The pane in front; None before there are any."""
        return self._panes[self._front] if self._panes else None

    def fold(self, event: Event, at: float) -> None:
        """Tell every pane."""
        self._leave_welcome()
        for pane in self._panes:
            cast("Foldable", pane).fold(event, at)

    def show(self, number: int) -> None:
        """Bring a pane to the front, and focus what can be focused in it."""
        if number >= len(self._panes):
            return
        self._leave_welcome()
        self._front = number
        self._arrange()
        self.focus_front()

    def focus_front(self) -> None:
        """Give the focus to the pane in front."""
        if self.front and not self.front.has_focus_within:
            _focusable(self.front).focus()

    def toggle_zoom(self) -> None:
        """One pane alone, or all of them."""
        self._leave_welcome()
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
        room = sum(pane.size.width for pane in self._panes)
        self._shares = shares.grown(self._shares, self._front, by * 0.2, room)
        self._arrange()

    # Named for their messages: the splitters are loaded with the panes, after the first frame.
    def on_splitter_dragged(self, event: Splitter.Dragged) -> None:
        event.stop()
        width = event.x - self._panes[event.number].region.x
        widths = [pane.size.width for pane in self._panes]
        self._shares = shares.dragged(self._shares, widths, event.number, width)
        self._arrange()

    def on_splitter_evened(self, event: Splitter.Evened) -> None:
        event.stop()
        self._shares = list(shares.EVEN)
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
            pane.styles.min_width = None if single else shares.LEAST
        for splitter in self._splitters:
            splitter.display = not single
        for number, tab in enumerate(self.query(Tab)):
            tab.set_class(number == self._front, "-front")


def _focusable(pane: Widget) -> Widget:
    """The pane itself, or the first of its parts that is there to take the focus."""
    if pane.can_focus:
        return pane
    return next((part for part in pane.query("*") if part.can_focus and part.display), pane)
