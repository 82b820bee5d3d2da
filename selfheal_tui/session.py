"""One run from the task to its last event: opens what it needs, tells everything, cleans up.

Each event is redacted, stored, and then shown. Refuses to know how anything is shown, or which
adapter is behind a port.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from selfheal_tui import __version__
from selfheal_tui.agent.deliver import Approvals, Delivery, Ran, SentBack
from selfheal_tui.agent.heal import AlreadyGreen, Healed, Healing, Job, NotHealedYet
from selfheal_tui.agent.loop import Conversations
from selfheal_tui.agent.ports import Ask, Repository, SandboxFacts, Shadow, Snapshot
from selfheal_tui.agent.roles import Models, make_roles
from selfheal_tui.agent.steering import Said, Shell, Steering
from selfheal_tui.agent.stopwatch import Stopwatch
from selfheal_tui.agent.tools import AskUser
from selfheal_tui.agent.verify import Checker
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.detect import Check, detect_check
from selfheal_tui.core.events import (
    CheckChosen,
    Committed,
    Event,
    LimitWasReached,
    Pushed,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    StepEnded,
    StepProgressed,
    StepStarted,
    Warned,
)
from selfheal_tui.core.limits import Budget
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import (
    ApprovalRefused,
    LimitReached,
    NotHealed,
    SelfhealError,
    UsageError,
)
from selfheal_tui.parts import Order, Parts, Say
from selfheal_tui.settings import Settings

NOTES = ("AGENTS.md", "CLAUDE.md")
"""Files of the tree whose text is shown to the model as untrusted context."""

NOT_CONFIGURATION = (".env", "selfheal.toml", ".selfheal.toml", ".mcp.json")
"""Names in the tree that other tools would read as configuration; named in a warning."""

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
        self._order = order
        self._settings = settings
        self._parts = parts
        self._show = show
        self._started = time.monotonic()
        self._watch = Stopwatch(settings.limits.max_time, self._out_of_time)
        self._steering = Steering(self._watch.paused)
        self._ask = self._unhurried(ask)
        self._ask_user = self._unhurried(ask_user)
        self._budget = Budget(settings.limits.max_steps, settings.limits.max_cost)
        self._notes: list[str] = []
        self._done: list[str] = []
        self._steps = 0
        self._stopped_by: SelfhealError | None = None
        self._work: asyncio.Task[tuple[str, str]] | None = None
        self._workspace: Workspace | None = None
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
        self._work = asyncio.ensure_future(self._steps_of_the_run())
        self._watch.start()
        try:
            ended = await self._outcome()
        finally:
            self._watch.stop()
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

    def shell(self, command: str) -> None:
        """Run a command of the user in the sandbox, between two steps."""
        self._steering.add(Shell(command))

    def cancel_step(self) -> bool:
        """Cut the running step short; the model then waits for `say`. False where none runs that
        can be cut."""
        return self._steering.cut()

    def emit(self, event: Event) -> None:
        """Redact, store, show."""
        clean = _redacted(event, self._parts.redactor)
        self._parts.records.append(self._order.session, clean, time.time())
        match clean:
            case Committed(commit, _, ref, _):
                self._done.append(f"committed {commit[:12]} to {_short(ref)}")
            case Pushed(_, remote, _, ref):
                self._done.append(f"pushed to {remote}/{_short(ref)}")
        self._show(clean)

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
            self._warn("".join(traceback.format_exception(error)))
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
            if self._workspace:
                closing.push_async_callback(self._workspace.close)

    async def _steps_of_the_run(self) -> tuple[str, str]:
        models = self._parts.models.roles()
        # The library takes seconds to load; everything up to the first request goes on beside it.
        self._preparing = asyncio.ensure_future(self._parts.models.prepare())
        async with self._step("repository"):
            repository, shadow, warnings = await self._parts.open_repository()
        for warning in warnings:
            self._warn(warning)
        if self._order.target.remote:
            # A slip of the pen is told now, not after the work is paid for.
            await repository.check_remote(self._order.target.remote)
        kept = self._order.kept
        snapshot = kept.snapshot if kept else await self._snapshot(repository)
        files = await shadow.files(snapshot.tree)
        self._name_configuration(files)
        approvals = Approvals(self._ask, self.emit)
        delivery = Delivery(
            snapshot=snapshot,
            repository=repository,
            shadow=shadow,
            approvals=approvals,
            emit=self.emit,
        )
        if kept and kept.proposal:
            proposal = kept.proposal
            return await self._deliver(delivery, proposal.tree, kept.tree, proposal.message)
        check = self._check(files)
        await self._provide(files, approvals)
        workspace = await self._open_workspace(shadow, snapshot)
        healing = Healing(
            job=Job(
                self._order.task,
                self._settings.limits.attempts,
                _notes(files),
                kept.tree if kept else "",
            ),
            snapshot=snapshot,
            repository=repository,
            shadow=shadow,
            workspace=workspace,
            checker=self._checker(workspace, check) if check else None,
            conversations=Conversations(
                session=self._order.session,
                workspace=workspace,
                budget=self._budget,
                emit=self.emit,
                steering=self._steering,
            ),
            roles=make_roles(
                models,
                workspace,
                plan=self._settings.flow.plan,
                review=self._settings.flow.review,
                command_timeout=self._settings.sandbox.command_timeout,
                ask=self._ask_user,
                emit=self.emit,
            ),
            steering=self._steering,
            emit=self.emit,
        )
        outcome = await healing.run()
        while True:
            match outcome:
                case AlreadyGreen(result):
                    return "already green", f"`{result.command}` passes already: nothing to heal"
                case NotHealedYet() as not_healed:
                    raise NotHealed(not_healed.text)
                case Healed() as healed:
                    message = await self._propose(delivery, healed, workspace.sandbox.facts, models)
                    try:
                        return await self._deliver(
                            delivery, healed.commit_tree, healed.tree, message
                        )
                    except SentBack as refused:
                        if not healing.may_go_on:
                            raise
                        outcome = await healing.again(refused.reason)

    async def _snapshot(self, repository: Repository) -> Snapshot:
        async with self._step("snapshot"):
            snapshot = await repository.snapshot()
        self.emit(
            SnapshotTaken(
                snapshot.tree,
                snapshot.head,
                snapshot.head_tree,
                snapshot.branch,
                snapshot.files,
                snapshot.bytes,
                snapshot.dirty,
                snapshot.left_out,
            )
        )
        if not snapshot.files:
            self._warn("the repository holds no files yet")
        return snapshot

    def _check(self, files: Sequence[TreeFile]) -> Check | None:
        if self._order.no_check:
            self.emit(CheckChosen("", "none, as the user chose: nothing will be verified"))
            return None
        command = self._settings.check.command
        content = {file.path: file.content for file in files}
        check = (
            Check(command, "set by the user")
            if command
            else detect_check(content, content.__getitem__)
        )
        if check is None:
            raise UsageError(
                "no check command was found in this project; name one with --check CMD,"
                " or work without a verdict with --check none"
            )
        self.emit(CheckChosen(check.command, check.source))
        return check

    def _checker(self, workspace: Workspace, check: Check) -> Checker:
        return Checker(
            workspace,
            command=check.command,
            timeout=self._settings.check.timeout,
            emit=self.emit,
        )

    async def _provide(self, files: Sequence[TreeFile], approvals: Approvals) -> None:
        provision = self._parts.provision
        async with self._step("sandbox image") as say:
            await provision.prepare(files, say)
        for warning in provision.warnings:
            self._warn(warning)
            self._notes.append(warning)
        request = provision.setup_request()
        if request is None:
            return
        granted = await approvals.get(request)
        async with self._step("set-up", request.command) as say:
            await provision.setup(granted, say)

    async def _open_workspace(self, shadow: Shadow, snapshot: Snapshot) -> Workspace:
        self._workspace = Workspace(
            open_sandbox=self._parts.provision.open,
            shadow=shadow,
            base=snapshot.tree,
            place=self._parts.provision.place,
            emit=self.emit,
        )
        async with self._step("sandbox"):
            await self._workspace.open()
        return self._workspace

    async def _propose(
        self, delivery: Delivery, healed: Healed, facts: SandboxFacts, models: Models
    ) -> str:
        if self._budget.unpriced:
            self._notes.append("the model's price is not known: cost is not counted in full")
        ran = Ran(
            time.monotonic() - self._started,
            self._budget.cost,
            self._settings.limits.attempts,
            models.coder.name,
        )
        return await delivery.propose(
            healed, facts, ran, task=self._order.task, notes=tuple(self._notes)
        )

    async def _deliver(
        self, delivery: Delivery, commit_tree: str, tree: str, message: str
    ) -> tuple[str, str]:
        target, task = self._order.target, self._order.task
        made = await delivery.commit(commit_tree, tree, message, target, task=task)
        text = f"committed {made.commit[:12]} to {_short(made.ref)}"
        if not target.remote:
            return "committed", text
        pushed = await self._push(delivery, made, text)
        return "pushed", f"{text}, pushed to {pushed.remote}/{_short(pushed.ref)}"

    async def _push(self, delivery: Delivery, made: Committed, text: str) -> Pushed:
        try:
            return await delivery.push(made, self._order.target)
        except SelfhealError as error:
            # The commit stands; the last line must say so beside what failed. A no to the push
            # asks for no other attempt: what it would change is committed.
            kind = ApprovalRefused if isinstance(error, ApprovalRefused) else type(error)
            raise kind(f"{text}, but not pushed: {error}") from error

    def _warn(self, text: str) -> None:
        self.emit(Warned(text))

    def _name_configuration(self, files: Sequence[TreeFile]) -> None:
        found = [file.path for file in files if file.path in NOT_CONFIGURATION]
        if found:
            self._warn(f"not read as configuration: {', '.join(found)} (from the worktree)")

    @asynccontextmanager
    async def _step(self, name: str, detail: str = "") -> AsyncIterator[Say]:
        self._steps += 1
        number, started, ok = f"s{self._steps}", time.monotonic(), False
        self.emit(StepStarted(number, name, detail))
        try:
            yield lambda text: self.emit(StepProgressed(number, text))
            ok = True
        finally:
            seconds = round(time.monotonic() - started, 3)
            self.emit(StepEnded(number, name, seconds, ok))


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _notes(files: Sequence[TreeFile]) -> str:
    found = {file.path: file.content for file in files if file.path in NOTES}
    texts = [found[name].decode("utf-8", "replace") for name in NOTES if name in found]
    return "\n\n".join(texts)


def _redacted(event: Any, redactor: Redactor) -> Any:
    """The same value with every string redacted."""
    if isinstance(event, str):
        return redactor.redact(event)
    if isinstance(event, tuple):
        return tuple(_redacted(item, redactor) for item in event)
    if is_dataclass(event) and not isinstance(event, type):
        values = {f.name: _redacted(getattr(event, f.name), redactor) for f in fields(event)}
        return replace(event, **values)
    return event
