"""The panes of the screen, each with what it shows of the events."""

from __future__ import annotations

from selfheal_tui.ui.panes.diff import DiffPane
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.panes.reasoning import ReasoningPane
from selfheal_tui.ui.panes.sandbox import SandboxPane


def all_panes() -> list[Pane]:
    """A fresh one of each, from left to right."""
    return [ReasoningPane(), DiffPane(), SandboxPane()]
