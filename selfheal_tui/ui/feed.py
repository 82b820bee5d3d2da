"""News on their way to the interface: what comes is handed over in batches, keys in between.

Refuses to drop anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from selfheal_tui.ui.conductor import News

BATCH = 256
"""News that are handed over at once at most: keys come through between two batches."""


class Feed:
    """For one event loop, and one reader."""

    def __init__(self) -> None:
        self._waiting: list[News] = []
        self._came = asyncio.Event()
        self._closed = False

    def tell(self, *news: News) -> None:
        self._waiting.extend(news)
        self._came.set()

    def close(self) -> None:
        """Nothing comes any more; what waits is still handed over."""
        self._closed = True
        self._came.set()

    @property
    def empty(self) -> bool:
        """Whether everything was handed over."""
        return not self._waiting

    async def batches(self) -> AsyncIterator[Sequence[News]]:
        """Everything that came, in order; ends after `close`."""
        while self._waiting or not self._closed:
            await self._came.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting and not self._closed:
                self._came.clear()
            yield batch
            await asyncio.sleep(0)
