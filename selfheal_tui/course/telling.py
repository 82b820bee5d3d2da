"""What a run tells beside its work: warnings, notes for the proof card, the steps it takes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from selfheal_tui.agent.ports import Emit
from selfheal_tui.core.events import StepEnded, StepProgressed, StepStarted, Warned
from selfheal_tui.parts import Say


class Telling:
    """`notes` are what the proof card has to say; each was a warning before."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.notes: list[str] = []
        self._steps = 0

    def warn(self, text: str) -> None:
        self.emit(Warned(text))

    def note(self, text: str) -> None:
        """Warn, now and on the proof card."""
        self.warn(text)
        self.notes.append(text)

    @asynccontextmanager
    async def step(self, name: str, detail: str = "") -> AsyncIterator[Say]:
        self._steps += 1
        number, started, ok = f"s{self._steps}", time.monotonic(), False
        self.emit(StepStarted(number, name, detail))
        try:
            yield lambda text: self.emit(StepProgressed(number, text))
            ok = True
        finally:
            seconds = round(time.monotonic() - started, 3)
            self.emit(StepEnded(number, name, seconds, ok))
