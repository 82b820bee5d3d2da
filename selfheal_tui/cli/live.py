"""The terminal interface's conductor over real sessions: one after the other, each with parts of
its own. What the first one needs is got ready before there is a task.

Refuses to draw anything: it tells news, and does what it is asked.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from selfheal_tui.cli.earlier import Earlier
from selfheal_tui.cli.readying import Bench, Readying
from selfheal_tui.errors import (
    Interrupted,
    ModelError,
    RepositoryRefused,
    SandboxError,
    SelfhealError,
    UsageError,
)
from selfheal_tui.settings import Settings
from selfheal_tui.ui.conductor import (
    Asked,
    Happened,
    News,
    NotStarted,
    Questioned,
    SessionLine,
    Withdrawn,
)
from selfheal_tui.ui.feed import Feed

if TYPE_CHECKING:
    from selfheal_tui.cli.undoing import Undoable
    from selfheal_tui.core.approval import Answer, Request
    from selfheal_tui.core.events import Event
    from selfheal_tui.parts import Order, Parts
    from selfheal_tui.session import Session

NOTHING_BEGUN = (
    UsageError.exit_code,
    SandboxError.exit_code,
    ModelError.exit_code,
    RepositoryRefused.exit_code,
)
"""Ends of a session that a model never answered in: what is in the way can be mended."""


class LiveConductor:
    """Fits `ui.conductor.Conductor`. Everything happens on one event loop."""

    replayed = False

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self._bench = bench
        self._earlier = Earlier(bench.place, bench.records)
        self._feed = Feed()
        self._readying = Readying(bench, settings, self._feed.tell)
        self._running: asyncio.Future[None] | None = None
        self._session: Session | None = None
        self._said: list[str] = []
        self._answer: asyncio.Future[Answer] | None = None
        self._asked_key = ""
        self._reply: asyncio.Future[str] | None = None
        self._answered = False
        self._code = 0

    # --- news ------------------------------------------------------------------------------

    def news(self) -> AsyncIterator[Sequence[News]]:
        """Everything that came, in batches; ends after `close`."""
        return self._feed.batches()

    def _show(self, event: Event) -> None:
        from selfheal_tui.core.events import ApprovalWithdrawn, TurnEnded

        self._answered |= isinstance(event, TurnEnded) and event.output_tokens > 0
        self._feed.tell(Happened(event, time.time()))
        if isinstance(event, ApprovalWithdrawn):
            self._feed.tell(Withdrawn(event.reason))

    # --- getting ready ---------------------------------------------------------------------

    def open(self) -> None:
        """Load the model library, look at the engine and build the image, all beside the input."""
        self._readying.begin()

    # --- sessions --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._running is not None and not self._running.done()

    def start(self, task: str) -> None:
        """Begin a session as soon as all is ready."""
        self._begin(self._order(self._readying.id, task))

    def resume(self, session: str) -> None:
        """Take up an earlier session. Raises UsageError where it cannot be."""
        from selfheal_tui.cli.kept import take_up, with_kept_check

        if self.running:
            raise UsageError("something runs already: end it first")
        order = take_up(self._bench.records, self._order(self._readying.id, ""), session)
        before = self._readying.settings
        given = bool(before.check.chosen)
        self._readying.settings, order = with_kept_check(before, order, given=given)
        self._begin(order)

    def _order(self, session: str, task: str) -> Order:
        from selfheal_tui.parts import Order

        return Order(
            session=session,
            task=task,
            repository=str(self._bench.place.repository),
            target=self._bench.target(),
            no_check=self._bench.no_check(self._readying.settings),
            partial=True,
        )

    def _begin(self, order: Order) -> None:
        self._readying.retry()
        self._running = asyncio.ensure_future(self._run(order))

    async def _run(self, order: Order) -> None:
        await self._readying.ended()
        if self._readying.lacking and not _needs_repository_only(order):
            self._give_back(order.task, self._readying.lacking[0])
            return
        try:
            parts = await self._readying.parts_of(order.session)
        except SelfhealError as error:
            self._give_back(order.task, str(error))
            return
        from selfheal_tui.session import Session

        self._session = Session(
            order=order,
            settings=self._readying.settings,
            parts=parts,
            ask=self._ask,
            ask_user=self._ask_user,
            show=self._show,
        )
        for text in self._said:
            self._session.say(text)
        self._said.clear()
        self._answered = False
        self._earlier.shown = order.session
        try:
            ended = await self._session.run()
            self._code = ended.exit_code
        finally:
            self._session, self._readying.id = None, self._bench.new_id()
        if ended.exit_code in NOTHING_BEGUN and not self._answered:
            self._give_back(order.task, ended.text)

    def _give_back(self, task: str, reason: str) -> None:
        """The task, and what was said after it, is the user's to send again."""
        self._said.clear()
        self._feed.tell(NotStarted(task, reason))

    # --- what the user wants of the running session ----------------------------------------

    def say(self, text: str) -> None:
        """Steer; what is said before the session has begun is kept for it."""
        if self._session:
            self._session.say(text)
        else:
            self._said.append(text)

    def cancel_step(self) -> bool:
        return self._session is not None and self._session.cancel_step()

    def replan(self, items: Sequence[tuple[str, str]]) -> str:
        """Put another plan in place. Why not, or empty."""
        if self._session is None:
            return "no session runs: there is no plan to change"
        self._session.replan(items)
        return ""

    def undo(self) -> str:
        """Ask for the undo of the commit of the last session. Why not, or empty."""
        if self.running:
            return "something runs, or waits for you: undo when it has ended"
        from selfheal_tui.cli.undoing import find_undoable

        try:
            found = find_undoable(self._bench.records, "", str(self._bench.place.repository))
        except UsageError as error:
            return str(error)
        self._running = asyncio.ensure_future(self._undo(found))
        return ""

    async def _undo(self, found: Undoable) -> None:
        from selfheal_tui.cli.undoing import undo_and_say

        async def parts() -> Parts:
            return await self._bench.parts_for(self._readying.settings, found.session)

        await undo_and_say(found, parts, self._ask, self._show)
        if self._said:
            self._give_back("\n".join(self._said), "it was sent while an undo waited for you")

    def shell(self, command: str) -> str:
        """Run a command between two steps. Why not, or empty."""
        if self._session is None:
            return "there is no sandbox yet: it opens with the first task"
        self._session.shell(command)
        return ""

    async def _ask(self, request: Request) -> Answer:
        from selfheal_tui.core.approval import key_of

        self._answer = asyncio.get_running_loop().create_future()
        self._asked_key = key_of(request)
        self._feed.tell(Asked(request))
        return await self._answer

    def answer(self, given: Answer) -> None:
        """Answer what is asked. An answer to a request that was withdrawn meanwhile is none to
        the one that took its place."""
        if self._answer and not self._answer.done() and given.key == self._asked_key:
            self._answer.set_result(given)

    async def _ask_user(self, question: str) -> str:
        self._reply = asyncio.get_running_loop().create_future()
        self._feed.tell(Questioned(question))
        return await self._reply

    def reply(self, text: str) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_result(text)

    def stop(self, signal_number: int) -> None:
        """End the session that runs, or is about to."""
        if signal_number != signal.SIGINT:
            self._code = 128 + signal_number
        if self._session:
            self._session.stop(Interrupted(signal_number))
        elif self._running and not self._running.done():
            # What was asked is not done, whatever an earlier session came to.
            self._code = 128 + signal_number
            self._running.cancel()

    async def close(self) -> int:
        """End everything; the exit code of the last session, 0 where none ran."""
        if self._session:
            self._session.stop(Interrupted(signal.SIGINT))
        if self._running:
            if self._session is None:
                self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._readying.close()
        self._feed.close()
        return self._code

    # --- what may be known and chosen ------------------------------------------------------

    def files(self) -> Sequence[str]:
        return self._readying.files

    def settings(self) -> Sequence[tuple[str, str]]:
        from selfheal_tui.cli.choosing import told

        return told(self._readying.settings)

    def choose(self, name: str, value: str) -> str:
        """Set `model`, `check` or `network` for the next session."""
        from selfheal_tui.cli.choosing import chosen, said

        try:
            self._readying.settings = chosen(self._readying.settings, name, value)
        except UsageError as error:
            return str(error)
        if not self.running:
            self._readying.make_anew()
            return f"{name}: {said(name, value)}"
        later = "with the next task; what runs keeps what it began with"
        return f"{name} will be {said(name, value)}, {later}"

    def sessions(self) -> Sequence[SessionLine]:
        """Earlier sessions of this repository, latest first."""
        return self._earlier.lines()

    def preview(self, session: str) -> Sequence[tuple[str, str]]:
        return self._earlier.preview(session)

    def look(self, session: str) -> None:
        """Show an earlier session's record. Raises UsageError while one runs."""
        self._refuse_while_running()
        for happened in self._earlier.record(session):
            self._feed.tell(happened)

    def export(self, path: str) -> str:
        return self._earlier.export(self._readying.settings, path)

    def _refuse_while_running(self) -> None:
        if self.running:
            raise UsageError("a session runs, or waits for you: this can be done when it has ended")


def _needs_repository_only(order: Order) -> bool:
    """Whether a kept proposal waits for its approval: no model and no sandbox is asked for that."""
    return order.kept is not None and order.kept.proposal is not None
