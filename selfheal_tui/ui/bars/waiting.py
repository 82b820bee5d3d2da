"""What waits: steps of getting ready, messages not yet taken, an approval, a question."""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from selfheal_tui.core.redact import MARK
from selfheal_tui.core.text import one_line
from selfheal_tui.ui.conductor import Readied

_MARKS = {"working": "…", "failed": "✗", "waiting": "·"}


class WaitingLines(Vertical):
    """Hidden while nothing waits. The welcome tells the steps better, where it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._readied: dict[str, Readied] = {}
        self._queue: list[str] = []
        self._notice = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="getting-ready", markup=False)
        yield Static("", id="queue", markup=False)

    def on_mount(self) -> None:
        self._draw()

    def readied(self, step: Readied) -> None:
        """A step of getting ready went on."""
        self._readied[step.name] = step
        self._draw()

    def started(self) -> None:
        """A session began: getting ready is its own business now."""
        self._readied.clear()
        self._draw()

    def wait(self, text: str) -> None:
        """Keep a message in sight until it is taken."""
        self._queue.append(text)
        self._draw()

    def taken(self, text: str) -> None:
        """A message reached the conversation; secrets are marks in what is told of it."""
        told = re.compile(".+?".join(map(re.escape, text.split(MARK))), re.DOTALL)
        for waiting in self._queue:
            if waiting == text or told.fullmatch(waiting):
                self._queue.remove(waiting)
                self._draw()
                return

    def drop(self) -> list[str]:
        """Forget what waits, and return it."""
        queue, self._queue = self._queue, []
        self._draw()
        return queue

    def notice(self, text: str) -> None:
        """One standing sentence; empty to take it away."""
        self._notice = text
        self._draw()

    def lines(self) -> list[str]:
        """What is shown, one line each."""
        return [*self._step_lines(), *self._queue_lines()]

    def _step_lines(self) -> list[str]:
        open_steps = [step for step in self._readied.values() if step.state != "ready"]
        if not open_steps:
            return []
        return [
            "   ".join(_ready(step) for step in open_steps),
            *(f"  {one_line(step.detail, 400)}" for step in open_steps if step.state == "failed"),
        ]

    def _queue_lines(self) -> list[str]:
        lines = [f"waits: {one_line(text, 160)}" for text in self._queue]
        return [*lines, one_line(self._notice, 400)] if self._notice else lines

    def _draw(self) -> None:
        steps, queue = self._step_lines(), self._queue_lines()
        self.display = bool(steps or queue)
        self._fill("#getting-ready", steps)
        self._fill("#queue", queue)

    def _fill(self, name: str, lines: list[str]) -> None:
        part = self.query_one(name, Static)
        part.update("\n".join(lines))
        part.set_class(not lines, "-empty")


def _ready(step: Readied) -> str:
    detail = f" {one_line(step.detail, 60)}" if step.detail and step.state == "working" else ""
    return f"{_MARKS.get(step.state, '…')} {step.name}{detail}"
