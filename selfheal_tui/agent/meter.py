"""Measures the memory of the open sandbox now and then, beside the work.

Says nothing while nothing changes; refuses to judge: a sandbox that is lost is the work's to tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from selfheal_tui.agent.ports import Emit, Sandbox
from selfheal_tui.core.events import SandboxMeasured
from selfheal_tui.errors import SandboxError

PERIOD = 2.0
"""Seconds between two measurements."""

LOOK = 0.25
"""Seconds between two looks for a sandbox while none is open: one that opens is measured soon."""

LEAST = 4 * 1024 * 1024
SHARE = 0.02
"""A change is told from this many bytes on, or from this share of the limit on."""

Wait = Callable[[float], Awaitable[object]]


class Meter:
    """Emits `SandboxMeasured` until it is stopped. `sandbox` gives the one that is open now, or
    raises SandboxError where none is; `wait` lets time pass."""

    def __init__(
        self, sandbox: Callable[[], Sandbox], emit: Emit, *, wait: Wait = asyncio.sleep
    ) -> None:
        self._sandbox = sandbox
        self._emit = emit
        self._wait = wait
        self._told: SandboxMeasured | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._running = asyncio.ensure_future(self._measure_on())

    async def stop(self) -> None:
        """Measure no more: nothing is emitted after this."""
        if self._running is None:
            return
        while not self._running.done():
            # More than once: what is waited for may come at the same moment, and count for more.
            self._running.cancel()
            await asyncio.wait({self._running}, timeout=LOOK)
        # What a front-end or the store did not take, it does not take from the work either, and
        # there it ends the run with its reason.
        await asyncio.gather(self._running, return_exceptions=True)

    async def measure(self) -> bool:
        """Measure once, and tell it when it is news; whether a sandbox is open."""
        try:
            found = await self._sandbox().memory()
        except SandboxError:
            # None is open, or it was lost: the next one begins anew.
            self._told = None
            return False
        if found is not None and self._is_news(*found):
            self._told = SandboxMeasured(*found)
            self._emit(self._told)
        return True

    async def _measure_on(self) -> None:
        while True:
            is_open = await self.measure()
            await self._wait(PERIOD if is_open else LOOK)

    def _is_news(self, memory: int, limit: int) -> bool:
        told = self._told
        if told is None or told.limit != limit:
            return True
        change = abs(memory - told.memory)
        return change > LEAST or (limit > 0 and change > SHARE * limit)
