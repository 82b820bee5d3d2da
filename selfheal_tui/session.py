"""One run from the task to its last event: follows the course, tells everything, cleans up.

Each event is redacted, stored, and then shown. Refuses to know how anything is shown, or which
adapter is behind a port.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

from selfheal_tui import __version__
from selfheal_tui.agent.meter import Meter
from selfheal_tui.agent.ports import Ask, Sandbox
from selfheal_tui.agent.steering import Said, Shell, Steering
from selfheal_tui.agent.stopwatch import Stopwatch
from selfheal_tui.agent.tools import AskUser
from selfheal_tui.core.discretion import Discretion
from selfheal_tui.core.events import (
    Committed,
    Event,
    LimitWasReached,
    PlanUpdated,
    Pushed,
    SessionEnded,
    SessionStarted,
    Warned,
    WorktreeUpdated,
)
from selfheal_tui.core.limits import Budget
from selfheal_tui.course.offering import short
from selfheal_tui.course.run import Course
from selfheal_tui.errors import LimitReached, SandboxError, SelfhealError
from selfheal_tui.parts import Order, Parts
from selfheal_tui.settings import Settings

_TICKS = {"done": "x", "doing": ">"}

A = TypeVar("A")
B = TypeVar("B")


class Session:
    """One run. `run` returns the last event, whatever happens; `stop` ends it early."""

    def __init__(
        self,
        *,
        order: Order,
        settings: Settings,
        parts: Parts,
        ask: Ask,
        ask_user: AskUser,
        show: Callable[[Event], None],
    ) -> None:
        # From the task come the branch's name, the message and what the model is told.
        order = replace(order, task=parts.redactor.redact(order.task))
        self._order = order
        self._settings = settings
        self._parts = parts
        self._show = show
        self._discretion = Discretion(parts.redactor)
        self._started = time.monotonic()
        self._watch = Stopwatch(settings.limits.max_time, self._out_of_time)
        self._steering = Steering(self._watch.paused)
        self._budget = Budget(settings.limits.max_steps, settings.limits.max_cost)
        self._course = Course(
            order=order,
            settings=settings,
            parts=parts,
            budget=self._budget,
            steering=self._steering,
            ask=self._unhurried(ask),
            ask_user=self._unhurried(ask_user),
            emit=self.emit,
        )
        self._meter = Meter(self._sandbox, self.emit)
        self._done: list[str] = []
        self._stopped_by: SelfhealError | None = None
        self._work: asyncio.Task[tuple[str, str]] | None = None
        self._preparing: asyncio.Future[None] | None = None

    async def run(self) -> SessionEnded:
        """Do the work; the last event, which was stored and shown too."""
        self.emit(
            SessionStarted(
                self._order.session,
                self._order.task,
                self._order.repository,
                __version__,
                resumed=self._order.kept is not None,
                branch=self._order.target.branch,
                current_branch=self._order.target.current,
            )
        )
        self._work = asyncio.ensure_future(self._follow())
        self._watch.start()
        self._meter.start()
        try:
            ended = await self._outcome()
        finally:
            self._watch.stop()
            await self._meter.stop()
            await self._clean_up()
        self.emit(ended)
        return ended

    def stop(self, reason: SelfhealError) -> None:
        """End the run early; `reason` becomes its outcome. The first reason counts."""
        self._stopped_by = self._stopped_by or reason
        if self._work:
            self._work.cancel()

    def say(self, text: str) -> None:
        """Steer: the text reaches the model with the next request."""
        self._steering.add(Said(text))

    def replan(self, items: Sequence[tuple[str, str]]) -> None:
        """Put the user's plan (text and state) in place of what there is, and tell the model."""
        self.emit(PlanUpdated(tuple(items)))
        lines = (f"- [{_TICKS.get(state, ' ')}] {text}" for text, state in items)
        self._steering.add(Said("\n".join(["The user changed the plan. It is now:", *lines])))

    def shell(self, command: str) -> None:
        """Run a command of the user in the sandbox, between two steps."""
        self._steering.add(Shell(command))

    def cancel_step(self) -> bool:
        """Cut the running step short; the model then waits for `say`. False where none runs that
        can be cut."""
        return self._steering.cut()

    def emit(self, event: Event) -> None:
        """Redact, store, show."""
        for clean in self._discretion.told(event):
            self._tell(clean)

    def _tell(self, clean: Event) -> None:
        self._parts.records.append(self._order.session, clean, time.time())
        match clean:
            case Committed(commit, _, ref, _):
                self._done.append(f"committed {commit[:12]} to {short(ref)}")
            case WorktreeUpdated():
                self._done.append("updated the working tree")
            case Pushed(_, remote, _, ref):
                self._done.append(f"pushed to {remote}/{short(ref)}")
        self._show(clean)

    async def _follow(self) -> tuple[str, str]:
        models = self._parts.models.roles()
        # The library takes seconds to load; everything up to the first request goes on beside it.
        self._preparing = asyncio.ensure_future(self._parts.models.prepare())
        return await self._course.run(models)

    def _sandbox(self) -> Sandbox:
        if self._course.workspace is None:
            raise SandboxError("no sandbox is open yet")
        return self._course.workspace.sandbox

    async def _outcome(self) -> SessionEnded:
        assert self._work is not None, "run() starts the work first"
        try:
            outcome, text = await self._work
            return self._ended(0, outcome, text)
        except asyncio.CancelledError:
            if self._stopped_by is None:
                raise
            return self._failed(self._stopped_by)
        except SelfhealError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - the last event must come, whatever happened
            self.emit(Warned("".join(traceback.format_exception(error))))
            return self._ended(70, "internal error", f"{type(error).__name__}: {error}")

    def _failed(self, error: SelfhealError) -> SessionEnded:
        if isinstance(error, LimitReached):
            self.emit(LimitWasReached("run", str(error)))
        words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__)
        return self._ended(error.exit_code, words.strip(), self._beside_what_was_done(error))

    def _beside_what_was_done(self, error: SelfhealError) -> str:
        """The last line of a run that was ended from outside says what had happened by then."""
        if error is not self._stopped_by or not self._done:
            return str(error)
        return f"{', '.join(self._done)}; then {error}"

    def _ended(self, exit_code: int, outcome: str, text: str) -> SessionEnded:
        seconds = round(time.monotonic() - self._started, 3)
        return SessionEnded(exit_code, outcome, text, seconds, self._budget.cost)

    def _out_of_time(self) -> None:
        seconds = self._settings.limits.max_time
        self.stop(LimitReached(f"the limit of {seconds:g} s is reached (--max-time)"))

    def _unhurried(self, ask: Callable[[A], Awaitable[B]]) -> Callable[[A], Awaitable[B]]:
        """The same question, with the run's clock at rest until the user answers."""

        async def asked(question: A) -> B:
            with self._watch.paused():
                return await ask(question)

        return asked

    async def _clean_up(self) -> None:
        """Close everything; what one of them raises does not keep the others open."""
        if self._preparing:
            self._preparing.cancel()
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._parts.models.close)
            closing.push_async_callback(self._parts.provision.close)
            if self._course.workspace:
                closing.push_async_callback(self._course.workspace.close)
