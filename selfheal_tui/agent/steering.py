"""What the user does while the agent works: words, commands, and cutting a step short.

Everything takes effect between two steps, so that nothing of the agent is half done. Refuses to
decide anything for the agent: the conversation asks what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    """The user's words, for the model."""

    text: str


@dataclass(frozen=True)
class Shell:
    """A command of the user, for the sandbox."""

    command: str


Wish = Said | Shell


class StepCut(Exception):
    """The user cut the running step short. Never leaves the agent."""


class Steering:
    """The user's side of a conversation. Single-threaded: one event loop, one running step."""

    def __init__(self, paused: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._paused = paused
        self._wishes: list[Wish] = []
        self._came = asyncio.Event()
        self._step: asyncio.Future[Any] | None = None
        self._cut = False

    def add(self, wish: Wish) -> None:
        """Keep a wish until the conversation takes it."""
        self._wishes.append(wish)
        self._came.set()

    def take(self) -> list[Wish]:
        """The wishes since the last time, in order."""
        taken, self._wishes = self._wishes, []
        self._came.clear()
        return taken

    async def wait(self) -> None:
        """Until there is a wish; the run's clock stands still meanwhile."""
        with self._paused():
            await self._came.wait()

    def cut(self) -> bool:
        """Cut the running step short; False where none runs that can be cut."""
        if self._step is None or self._step.done() or self._cut:
            return False
        self._cut = True
        self._step.cancel()
        return True

    async def step(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` as a step that can be cut. Raises StepCut when it was, after it has ended.

        A step within a step is the one that is cut."""
        step, around = asyncio.ensure_future(work), self._step
        self._step, self._cut = step, False
        try:
            # Not awaited itself: so the end of the run and a cut can be told apart.
            await asyncio.wait({step})
        except asyncio.CancelledError:
            step.cancel()
            await asyncio.wait({step})
            raise
        finally:
            cut, self._step, self._cut = self._cut, around, False
        if cut and step.cancelled():
            raise StepCut
        return step.result()
