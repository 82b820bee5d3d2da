"""Two limits on a stream: the whole of it, and silence within it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from selfheal_tui.errors import ModelRetryable

T = TypeVar("T")

CLOSING_SECONDS = 1.0
"""How long a cancelled stream may take to close its connection."""


@dataclass
class Pulse:
    """When the stream began and when something last came of it."""

    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.last = self.clock()

    def beat(self) -> None:
        """Something came."""
        self.last = self.clock()


async def watched(
    read: Coroutine[object, object, T], pulse: Pulse, *, deadline: float, stall: float
) -> T:
    """What `read` returns. Raises `ModelRetryable` past a limit; always ends `read` first."""
    reader = asyncio.ensure_future(read)
    try:
        while not reader.done():
            now = pulse.clock()
            left = min(pulse.began + deadline, pulse.last + stall) - now
            if left <= 0:
                raise _too_slow(pulse, now, deadline, stall)
            await asyncio.wait({reader}, timeout=left)
        return reader.result()
    finally:
        await _end(reader)


async def _end(reader: asyncio.Future[T]) -> None:
    if reader.done():
        return
    reader.cancel()
    await asyncio.wait({reader}, timeout=CLOSING_SECONDS)
    if reader.done() and not reader.cancelled():
        reader.exception()  # Looked at, so that the loop does not complain about it.


def _too_slow(pulse: Pulse, now: float, deadline: float, stall: float) -> ModelRetryable:
    if now - pulse.began >= deadline:
        return ModelRetryable(f"the answer was not complete after {deadline:g} s")
    return ModelRetryable(f"nothing came for {stall:g} s in the middle of the answer")
