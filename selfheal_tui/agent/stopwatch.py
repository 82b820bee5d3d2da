"""The limit of time: it counts while the agent works, and stands still while it waits for the
user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Calls `ring` once after `seconds` of work; 0 means never. Needs a running loop."""

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self._left = seconds
        self._limited = seconds > 0
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._pauses = 0

    def start(self) -> None:
        """Begin, or go on, to count."""
        if self._limited and self._handle is None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(max(self._left, 0), self._ring)

    def stop(self) -> None:
        """Count no more; may be called twice."""
        if self._handle is None:
            return
        self._left = self._handle.when() - asyncio.get_running_loop().time()
        self._handle.cancel()
        self._handle = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While the user is asked."""
        self._pauses += 1
        self.stop()
        try:
            yield
        finally:
            self._pauses -= 1
            if not self._pauses:
                self.start()
