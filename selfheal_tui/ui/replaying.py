"""The interface over a record: it can be held, stepped through, and told faster or slower.

Nothing is typed here: a line that says where the record is stands in the input's place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Conductor

KEYS = "Space holds · . one event · + - speed · q leaves"

_REDRAW = 0.25
"""Seconds between two looks at where the record is."""


class Recorded(Conductor, Protocol):
    """A conductor whose time can be held. `speed` 0 is all at once."""

    speed: float
    paused: bool
    told: int

    @property
    def total(self) -> int: ...

    def pause(self) -> None: ...

    def step(self) -> None: ...

    def pace(self, by: int) -> None: ...


class ReplayLine(Horizontal):
    """Where the record is and how fast it is told; and the keys for that."""

    DEFAULT_CSS = """
    ReplayLine {
        height: 1;
        padding: 0 1;
        background: $boost;
    }
    ReplayLine > #where {
        width: 1fr;
        color: $primary;
        text-style: bold;
        text-wrap: nowrap;
    }
    ReplayLine > #replay-keys {
        width: auto;
        color: $foreground-muted;
    }
    """

    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self._recorded = recorded
        self._said = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="where", markup=False)
        yield Static(KEYS, id="replay-keys", markup=False)

    def on_mount(self) -> None:
        self.look()
        self.set_interval(_REDRAW, self.look)

    def look(self) -> None:
        """Say where it is now, if that is not said already."""
        if (said := where(self._recorded)) != self._said:
            self._said = said
            self.query_one("#where", Static).update(said)


def where(recorded: Recorded) -> str:
    """`12 of 190 events · 2x`; whether it is held, or at its end."""
    counted = f"{recorded.told} of {recorded.total} events"
    if recorded.told >= recorded.total:
        return f"the end: {counted}"
    speed = f"{recorded.speed:g}x" if recorded.speed else "all at once"
    return f"held: {counted}" if recorded.paused else f"{counted} · {speed}"


class ReplayApp(SelfhealApp):
    """Shows a record until the user leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "hold or go on"),
        Binding("full_stop", "step", "one event", show=False),
        Binding("plus,equals_sign", "pace(1)", "faster"),
        Binding("minus", "pace(-1)", "slower"),
        Binding("q", "leave", "leave"),
        Binding("ctrl+c", "leave", "copy a selection, else leave", show=False, priority=True),
        Binding("escape", "focus_input", "to the first pane", show=False),
    ]

    def __init__(self, conductor: Recorded, **options: Any) -> None:
        super().__init__(conductor, **options)
        self._recorded = conductor

    async def _begin(self) -> None:
        await self.screen_stack[0].mount(ReplayLine(self._recorded), after=self.deck)
        await super()._begin()
        # There is no input: the keys go to the first pane.
        self.focus_input()

    def action_pause(self) -> None:
        """Hold the record, or go on."""
        self._do(self._recorded.pause)

    def action_step(self) -> None:
        """Hold the record, and tell one more event."""
        self._do(self._recorded.step)

    def action_pace(self, by: int) -> None:
        """Tell the record faster or slower."""
        self._do(lambda: self._recorded.pace(by))

    def action_leave(self) -> None:
        """Copy a selection, else leave: a record loses nothing."""
        if not self._copied():
            self.begin_leaving()

    def action_focus_input(self) -> None:
        """Give the keys to the first pane: there is no input here."""
        self.focus_input()

    def _do(self, change: Callable[[], None]) -> None:
        change()
        self.query_one(ReplayLine).look()
