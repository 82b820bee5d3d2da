"""A small app that shows panes side by side, for tests of panes alone."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import Horizontal

from selfheal_tui.core.events import Event
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.palette import PALETTE
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.themes import load_themes

PANES_CSS = Path(__file__).parents[2] / "selfheal_tui" / "ui" / "panes.tcss"


class PaneApp(App[None]):
    """Folds `story` into `panes` once they are mounted. Remembers the jumps that they ask for."""

    CSS_PATH = PANES_CSS
    COMPONENT_CLASSES = PALETTE

    def __init__(
        self,
        panes: list[Pane],
        story: list[tuple[Event, float]],
        *,
        theme: str = "selfheal-dark",
    ) -> None:
        super().__init__()
        self.panes = panes
        self.jumps: list[tuple[str, str]] = []
        self._story = story
        for each in load_themes(themes_folder(), None):
            self.register_theme(each)
        self.theme = theme

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self.panes

    def on_mount(self) -> None:
        for pane in self.panes:
            pane.clock = lambda: 0.0
        for event, at in self._story:
            for pane in self.panes:
                pane.fold(event, at)

    def on_pane_jump(self, event: Pane.Jump) -> None:
        self.jumps.append((event.kind, event.target))
