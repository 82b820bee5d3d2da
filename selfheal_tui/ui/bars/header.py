"""The first line: what is worked on, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from selfheal_tui.core.text import one_line

if TYPE_CHECKING:
    from selfheal_tui.ui.summary import Summary

_LONGEST = 80
_LEAST_TASK = 20
"""Columns of the task that are worth more than the branch."""

_SHARE = 0.6
"""What the right side may take of the line."""


class Header(Horizontal):
    """Task, branch and model on the left; attempt, failing tests and cost on the right."""

    def __init__(self) -> None:
        super().__init__()
        self._summary: Summary | None = None

    def compose(self) -> ComposeResult:
        yield Static("selfheal", id="what", markup=False)

    async def fill(self) -> None:
        """Make room for the right side: the first frame has nothing to say there."""
        await self.mount(Static("", id="how-far", markup=False))

    def show(self, summary: Summary) -> None:
        """Say how the run stands, in the columns that there are."""
        self._summary = summary
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._summary is None:
            return
        columns = self.content_size.width
        right = how_far(self._summary, int(columns * _SHARE))
        self.query_one("#how-far", Static).update(right)
        room = columns - len(right) - 2
        self.query_one("#what", Static).update(what(self._summary, max(room, _LEAST_TASK)))


def what(summary: Summary, room: int = 3 * _LONGEST) -> str:
    """`task · branch · model` as one printable line. Where there is little room the task is cut,
    then the branch and the model's provider are left out: which model it is can always be read."""
    task = one_line(summary.task, _LONGEST)
    branch, model = one_line(summary.branch, _LONGEST), one_line(summary.model, _LONGEST)
    short_model = model.rpartition("/")[2]
    for beside in ((branch, model), (branch, short_model), (short_model,)):
        others = [part for part in beside if part]
        left = room - sum(len(part) + 3 for part in others)
        if left >= min(len(task), _LEAST_TASK):
            break
    parts = [one_line(task, max(left, 8)), *others]
    return " · ".join(part for part in parts if part) or "selfheal"


def how_far(summary: Summary, room: int = 200) -> str:
    """`attempt 2/3 · 3 failing -> 1 · $0.04`, as far as it is known, in `room` columns."""
    # Loaded with the first news, not with the first frame.
    from selfheal_tui.ui.bars.fitting import fitted

    forms: dict[str, list[str]] = {"attempt": [""], "failing": [""], "cost": [""]}
    if summary.attempt:
        counted = f"{summary.attempt}/{summary.attempts}"
        forms["attempt"] = [f"attempt {counted}", counted]
    if summary.before is not None:
        forms["failing"] = [
            f"{summary.before} failing -> {summary.now}",
            f"{summary.before} -> {summary.now}",
        ]
    if summary.cost:
        forms["cost"] = [f"${summary.cost:.2f}", ""]
    return fitted(forms, ("attempt", "failing", "cost"), room)
