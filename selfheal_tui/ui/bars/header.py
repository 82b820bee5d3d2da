"""The first line: what is worked on, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from selfheal_tui.core.text import one_line

if TYPE_CHECKING:
    from selfheal_tui.ui.summary import Summary

_TASK = 80


class Header(Horizontal):
    """Task, branch and model on the left; attempt, failing tests and cost on the right."""

    def compose(self) -> ComposeResult:
        yield Static("selfheal", id="what", markup=False)
        yield Static("", id="how-far", markup=False)

    def show(self, summary: Summary) -> None:
        self.query_one("#what", Static).update(what(summary))
        self.query_one("#how-far", Static).update(how_far(summary))


def what(summary: Summary) -> str:
    """`task · branch · model`, as one printable line."""
    parts = [one_line(summary.task, _TASK), summary.branch, summary.model]
    return " · ".join(one_line(part, _TASK) for part in parts if part) or "selfheal"


def how_far(summary: Summary) -> str:
    """`attempt 2/3 · 3 failing -> 1 · $0.04`, as far as it is known."""
    parts = []
    if summary.attempt:
        parts.append(f"attempt {summary.attempt}/{summary.attempts}")
    if summary.before is not None:
        parts.append(f"{summary.before} failing -> {summary.now}")
    if summary.cost:
        parts.append(f"${summary.cost:.2f}")
    return " · ".join(parts)
