"""Ends an answer that will come to nothing: thinking without end, or the same words over and over.

Refuses to judge what is said; it looks at how much, and at whether it repeats letter by letter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal_tui.agent.ports import (
    FellBack,
    Model,
    ModelNews,
    ModelRequest,
    ReasoningDelta,
    Reply,
    Retrying,
    TextDelta,
    Usage,
)

Hear = Callable[[ModelNews], None]

ENDLESS_THINKING = "endless-thinking"
REPETITION = "repetition"

TOLD = {
    ENDLESS_THINKING: (
        "You thought so long that your answer was cut off, and you called no tool. Think briefly"
        " and call a tool now."
    ),
    REPETITION: (
        "You wrote the same words over and over, so your answer was cut off and nothing of it was"
        " run. Call one tool now, and write nothing else."
    ),
}
"""What the model is told, by the finish of a reply that was cut off here."""


@dataclass(frozen=True)
class Patience:
    """How long an answer may go on. `characters` and `seconds` are those of thinking before any
    text; an answer repeats itself when its last `window` characters are `times` times the same."""

    characters: int = 200_000
    seconds: float = 400.0
    window: int = 6000
    times: int = 8


class BoundedModel:
    """`inner`, whose runaway answers are cancelled and become replies without a call.

    Such a reply's `finish` is a key of `TOLD`, its usage is not known (None, zero tokens).
    """

    def __init__(
        self,
        inner: Model,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._patience = patience or Patience()
        self._clock = clock

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def context_window(self) -> int | None:
        return self._inner.context_window

    async def complete(self, request: ModelRequest, hear: Hear) -> Reply:
        watch = RunawayWatch(self._patience, self._clock)
        ran_away: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def listen(news: ModelNews) -> None:
            hear(news)
            found = watch.see(news)
            if found and not ran_away.done():
                ran_away.set_result(found)

        asking = asyncio.ensure_future(self._inner.complete(request, listen))
        try:
            waited: set[asyncio.Future[Any]] = {asking, ran_away}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
        finally:
            await _end(asking)
        return self._cut_off(ran_away.result())

    def _cut_off(self, finish: str) -> Reply:
        # What was written is not kept: it would only invite the model to go on like that. And
        # no provider takes an empty message of the assistant.
        return Reply(f"(cut off: {finish.replace('-', ' ')})", (), Usage(), self.name, finish)


async def _end(asking: asyncio.Future[Reply]) -> None:
    if asking.done():
        return
    asking.cancel()
    await asyncio.wait({asking})
    if not asking.cancelled():
        asking.exception()  # Looked at, so that the loop does not complain about it.


class RunawayWatch:
    """Sees one answer as it streams. Takes time linear in what it sees."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience = patience
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._thought = 0
        self._since: float | None = None
        self._answers = False
        self._tail = ""
        self._unseen = 0

    def see(self, news: ModelNews) -> str:
        """Why the answer is to be cut off, a key of `TOLD`; empty while it is not."""
        match news:
            case Retrying() | FellBack():
                self._begin()
                return ""
            case ReasoningDelta(text):
                return self._repeats(text) or self._thinks(text)
            case TextDelta(text):
                self._answers = self._answers or bool(text.strip())
                return self._repeats(text)

    def _thinks(self, text: str) -> str:
        now = self._clock()
        self._since = now if self._since is None else self._since
        self._thought += len(text)
        much = self._thought > self._patience.characters
        long = now - self._since > self._patience.seconds
        return ENDLESS_THINKING if (much or long) and not self._answers else ""

    def _repeats(self, text: str) -> str:
        window = self._patience.window
        self._tail = (self._tail + text)[-window:]
        self._unseen += len(text)
        if len(self._tail) < window or self._unseen < window // 4:
            return ""
        self._unseen = 0
        return REPETITION if period_of(self._tail) * self._patience.times <= window else ""


def period_of(text: str) -> int:
    """The smallest number of characters after which `text` repeats itself to its end."""
    borders = [0] * len(text)
    size = 0
    for at in range(1, len(text)):
        while size and text[at] != text[size]:
            size = borders[size - 1]
        size += text[at] == text[size]
        borders[at] = size
    return len(text) - size
