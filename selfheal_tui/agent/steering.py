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
    """The user's side of a conversation. Single-threaded: one event loop, one running step.

    Conversations at the same time have a branch each: words reach them all, a command the first,
    and a cut cuts them all. What no branch took is left for the conversation that follows them.
    """

    def __init__(self, paused: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._paused = paused
        self._wishes: list[Wish] = []
        self._came = asyncio.Event()
        self._step: asyncio.Future[Any] | None = None
        self._cut = False
        self._cut_next = False
        self._held = False
        self._trunk: Steering | None = None
        self._branches: list[Steering] = []

    def branch(self) -> Steering:
        """The user's side of one of several conversations; it ends with `leave`."""
        branch = Steering(self._paused)
        branch._trunk = self
        self._branches.append(branch)
        for wish in self._wishes:
            self._hand_on(wish, branch)
        return branch

    def leave(self) -> None:
        """End this branch: nothing is said to it any more."""
        if self._trunk and self in self._trunk._branches:
            self._trunk._branches.remove(self)

    def add(self, wish: Wish) -> None:
        """Keep a wish until the conversation takes it."""
        self._wishes.append(wish)
        self._came.set()
        for branch in self._branches:
            self._hand_on(wish, branch)

    def take(self) -> list[Wish]:
        """The wishes since the last time, in order."""
        taken, self._wishes = self._wishes, []
        self._held = self._held and not any(isinstance(wish, Said) for wish in taken)
        self._came.clear()
        if self._trunk:
            self._trunk._forget(taken)
        return taken

    def _hand_on(self, wish: Wish, branch: Steering) -> None:
        # A command runs once, not once a branch.
        if isinstance(wish, Said) or branch is self._branches[0]:
            branch.add(wish)

    def _forget(self, taken: list[Wish]) -> None:
        self._wishes = [wish for wish in self._wishes if all(wish is not one for one in taken)]

    async def wait(self) -> None:
        """Until there is a wish; the run's clock stands still meanwhile."""
        with self._paused():
            await self._came.wait()

    def cut(self) -> bool:
        """Cut the running step short; False where none runs that can be cut."""
        if self._branches:
            cuts = [branch._cut_now_or_next() for branch in self._branches]
            return any(cuts)
        return self._cut_now()

    def _cut_now_or_next(self) -> bool:
        """Cut a branch: one that is between two steps is not to go on while the others wait."""
        if self._cut or self._cut_next:
            return False
        if self._cut_now():
            return True
        self._cut_next = not self._held
        return self._cut_next

    def _cut_now(self) -> bool:
        if self._step is None or self._step.done() or self._cut:
            return False
        self._cut = True
        self._step.cancel()
        return True

    async def step(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` as a step that can be cut. Raises StepCut when it was, after it has ended.

        A step within a step is the one that is cut."""
        if self._cut_next:
            self._cut_next = False
            self._held = True
            work.close()
            raise StepCut
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
            self._held = True
            raise StepCut
        return step.result()
