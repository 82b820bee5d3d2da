"""The cases of a bench side by side, a few at a time, each outcome written before it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from selfheal_tui.cli.benchcase import CaseRun, Common
from selfheal_tui.core.bench.case import BenchCase
from selfheal_tui.core.bench.outcome import NO_VERDICT, CaseOutcome
from selfheal_tui.errors import ModelError, SandboxError, SelfhealError

IN_A_ROW = 3
"""So many cases in a row without a verdict end the bench: the next would fare no better."""

_SAME_FOR_ALL = {kind.exit_code: kind for kind in (SandboxError, ModelError, SelfhealError)}

Heard = Callable[[CaseOutcome], None]
"""Hears what came of each case. What it raises ends the bench."""


class CaseRuns:
    """Runs cases with at most `jobs` at a time. `stopped_by` says why it ended before its end."""

    def __init__(self, cases: Sequence[BenchCase], common: Common, jobs: int, heard: Heard) -> None:
        self._waiting = deque(cases)
        self._common = common
        self._jobs = jobs
        self._heard = heard
        self._running: set[CaseRun] = set()
        self._lacking = 0
        self._first_is_ready = asyncio.Event()
        self.stopped_by: SelfhealError | None = None

    async def run(self) -> None:
        """Run them all, or until `stop`. Raises what `heard` raises, after the others ended."""
        jobs = min(self._jobs, max(len(self._waiting), 1))
        workers = [asyncio.ensure_future(self._work(number)) for number in range(jobs)]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            if failed := [error for one in done if (error := one.exception())]:
                self.stop(SelfhealError(str(failed[0])))
            await asyncio.wait(workers)
        finally:
            for worker in workers:
                worker.cancel()
        for worker in workers:
            worker.result()

    def stop(self, reason: SelfhealError) -> None:
        """Begin no other case, and end those that run; the first reason counts."""
        self.stopped_by = self.stopped_by or reason
        self._waiting.clear()
        self._first_is_ready.set()
        for running in self._running:
            running.stop(reason)

    async def _work(self, number: int) -> None:
        if number:
            # The first case builds the image, if it must be; the others find it.
            await self._first_is_ready.wait()
        while self._waiting:
            running = CaseRun(self._waiting.popleft(), self._common, self._first_is_ready.set)
            self._running.add(running)
            try:
                outcome = await running.run()
            finally:
                self._running.discard(running)
                self._first_is_ready.set()
            if outcome is not None:
                self._heard(outcome)
                self._count(outcome)

    def _count(self, outcome: CaseOutcome) -> None:
        """End the bench where engine, model or disk fail again and again."""
        kind = _SAME_FOR_ALL.get(outcome.exit_code)
        if outcome.status != NO_VERDICT or kind is None:
            self._lacking = 0
            return
        self._lacking += 1
        if self._lacking >= IN_A_ROW and self._waiting:
            text = f"{IN_A_ROW} cases in a row came to no verdict; the last one: {outcome.text}"
            self.stop(kind(text))
