"""What the three panes share: a header, events folded at once and drawn in batches, search.

A pane knows events only. What concerns another pane goes upward as a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from selfheal_tui.core.events import Event
from selfheal_tui.ui.widgets.lines import line, shown, spread
from selfheal_tui.ui.widgets.rows import Rows

FRAME = 1 / 30
"""Seconds between two drawings at least."""

TICK = 1.0
"""Seconds between two looks at the clock while something runs."""


class PaneHeader(Widget):
    """The name of the pane, and beside it how things stand."""

    title: reactive[str] = reactive("")
    subtitle: reactive[str] = reactive("")

    COMPONENT_CLASSES: ClassVar[set[str]] = {"paneheader--subtitle"}

    def render(self) -> RenderResult:
        style = self.get_visual_style("paneheader--subtitle")
        subtitle = Content.styled(shown(self.subtitle), style)
        return spread(line(shown(self.title)), subtitle, self.content_size.width)


class Pane(Vertical):
    """One of the three panes. `fold` takes every event in order; `at` is its time in seconds."""

    zoomable = True
    name_shown: ClassVar[str] = ""
    skips: ClassVar[frozenset[type]] = frozenset()
    """Events that come in great numbers and say nothing to this pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "search_next", "next match", show=False),
        Binding("N", "search_previous", "previous match", show=False),
    ]

    title: reactive[str] = reactive("")
    subtitle: reactive[str] = reactive("")

    class Jump(Message):
        """Show something in another pane: `kind` is `log` (a test) or `hunk` (a path)."""

        def __init__(self, kind: str, target: str) -> None:
            super().__init__()
            self.kind = kind
            self.target = target

    def __init__(self) -> None:
        super().__init__(id=self.name_shown.lower())
        self.clock: Callable[[], float] = time.monotonic
        self.now = 0.0
        self._heard = 0.0
        self._due = False
        self._drawn = float("-inf")
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        yield PaneHeader()
        yield from self.parts()

    def parts(self) -> ComposeResult:
        """The widgets below the header."""
        raise NotImplementedError

    @property
    def rows(self) -> Rows:
        """The column that is searched."""
        raise NotImplementedError

    # --- events ----------------------------------------------------------------------------

    def fold(self, event: Event, at: float) -> None:
        """Take one event. Cheap: drawing waits for the next frame."""
        if type(event) in self.skips:
            return
        self.now = at
        self._heard = self.clock()
        self.see(event, at)
        self.draw_soon()

    def see(self, event: Event, at: float) -> None:
        """Fold one event into what the pane knows."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what the pane knows. Called on the loop, at most 30 times a second."""
        raise NotImplementedError

    def busy(self) -> bool:
        """Whether something runs, so that its time is to be shown as it passes."""
        return False

    def elapsed(self, since: float) -> float:
        """Seconds from an event's time to now, on the clock of the events."""
        return max(self.now - since + self.clock() - self._heard, 0.0)

    def draw_soon(self) -> None:
        """Draw with the next frame. The first change after a quiet while is drawn at once."""
        if self._due or not self.is_mounted:
            return
        self._due = True
        wait = self._drawn + FRAME - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._draw_due)
        else:
            self.call_later(self._draw_due)

    def on_mount(self) -> None:
        self.query_one(PaneHeader).title = self.title or self.name_shown
        self._ticking = self.set_interval(TICK, self._tick, pause=True)
        self.call_after_refresh(self._draw_due)

    def _draw_due(self) -> None:
        self._due = False
        if not self.is_mounted:
            return
        began = time.monotonic()
        self.draw()
        # Drawing that takes long is done more rarely, so that keys always come through.
        self._drawn = time.monotonic() + min(time.monotonic() - began, 0.2)
        if self._ticking is not None:
            (self._ticking.resume if self.busy() else self._ticking.pause)()

    def _tick(self) -> None:
        if self.busy():
            self.draw_soon()

    # --- header ----------------------------------------------------------------------------

    def watch_title(self, title: str) -> None:
        if self.is_mounted:
            self.query_one(PaneHeader).title = title or self.name_shown

    def watch_subtitle(self, subtitle: str) -> None:
        if self.is_mounted:
            self.query_one(PaneHeader).subtitle = subtitle

    # --- search and jumps ------------------------------------------------------------------

    def search(self, text: str) -> int:
        """Mark `text` everywhere and go to it; the number of entries that hold it."""
        return self.rows.search(text)

    def search_next(self) -> None:
        self.rows.search_step(1)

    def search_previous(self) -> None:
        self.rows.search_step(-1)

    def action_search_next(self) -> None:
        self.search_next()

    def action_search_previous(self) -> None:
        self.search_previous()

    def reveal(self, kind: str, target: str) -> bool:
        """Show what another pane's `Jump` asks for; False when it is not here."""
        return False
