"""One conversation of one role with its model: request, tools, request, until its final tool.

Refuses to judge: whether the work is good is the check's business. Every collaborator is an
argument; what happens is told to `emit`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import assert_never

from selfheal_tui.agent.history import History
from selfheal_tui.agent.ports import (
    Emit,
    FellBack,
    Model,
    ModelNews,
    ModelRequest,
    ReasoningDelta,
    Reply,
    Retrying,
    TextDelta,
    ToolCall,
)
from selfheal_tui.agent.room import Fill, Room
from selfheal_tui.agent.runaway import TOLD
from selfheal_tui.agent.steering import Said, Shell, Steering, StepCut
from selfheal_tui.agent.stuck import Stuck, Watch, decides
from selfheal_tui.agent.toolbox import Toolbox, ToolResult, arguments_text
from selfheal_tui.agent.tools import told
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.events import (
    MessageSent,
    ModelSwitched,
    Nudged,
    ReasoningStreamed,
    TextStreamed,
    ToolCalled,
    ToolReturned,
    TurnEnded,
    TurnRetried,
    TurnStarted,
    Warned,
)
from selfheal_tui.core.limits import Budget
from selfheal_tui.errors import ContextOverflow, SandboxLost, TreeRejected

CUT = "The user interrupted you here, and says what to do now:"
NOT_RUN = "not run: the user interrupted"

SHELL_TIMEOUT = 600.0
"""Seconds that a command of the user may take."""

NO_CALL = "You called no tool. Go on with a tool call; when you are done, call the final tool."

LENGTH_CUT = "Your answer was cut at the length limit before any tool call; write less, and call."

NOT_SUBMITTED = (
    "Not submitted: another call of the same answer failed, see its result. Mend that, or call the"
    " final tool again when it does not matter."
)


@dataclass(frozen=True)
class Finished:
    """The role called its final tool with these arguments."""

    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class GaveUp:
    """The loop ended the conversation; the reason is a sentence."""

    reason: str


@dataclass(frozen=True)
class Role:
    """Who speaks: a name, a model and tools of its own."""

    name: str
    model: Model
    toolbox: Toolbox


class Conversations:
    """Runs conversations over one workspace and one budget, numbering turns across the session.

    `mark` begins the ids of its turns, where there are others at the same time.
    """

    def __init__(
        self,
        *,
        session: str,
        workspace: Workspace,
        budget: Budget,
        emit: Emit,
        steering: Steering,
        mark: str = "",
        fill: Fill | None = None,
    ) -> None:
        self._mark = mark
        self._session = session
        self._workspace = workspace
        self._budget = budget
        self._emit = emit
        self._steering = steering
        self._fill = fill or Fill()
        self._turns = itertools.count(1)
        self._rooms: dict[str, Room] = {}

    def beside(
        self, mark: str, workspace: Workspace, steering: Steering, emit: Emit
    ) -> Conversations:
        """Conversations at the same time as these, on the same budget."""
        return Conversations(
            session=self._session,
            workspace=workspace,
            budget=self._budget,
            emit=emit,
            steering=steering,
            mark=mark,
            fill=self._fill,
        )

    async def converse(self, role: Role, history: History) -> Finished | GaveUp:
        """Talk until the role's final tool is called, or it is stuck. Raises LimitReached."""
        watch, room = Watch(), self._room(role, history)
        while True:
            await self._steer(history)
            room.make()
            turn = f"{self._mark}t{next(self._turns)}"
            try:
                reply = await self._turn(turn, role, history)
            except StepCut:
                await self.hold(history)
                continue
            except ContextOverflow as overflow:
                room.refused(overflow)
                continue
            room.took(reply.usage, history.messages)
            reply = history.assistant(reply)
            ended = await self._answer(turn, role, history, reply, watch)
            if ended is not None:
                return ended

    def _room(self, role: Role, history: History) -> Room:
        """The room of this conversation; one that goes on has learned what its tokens are."""
        kept = self._rooms.get(role.name)
        if kept and kept.is_of(history):
            return kept
        self._rooms[role.name] = made = Room(
            role=role.name,
            model=role.model,
            tools=role.toolbox.specs,
            history=history,
            fill=self._fill,
            emit=self._emit,
        )
        return made

    async def _steer(self, history: History) -> bool:
        """Take what the user said and wants to be run, between two steps; whether they spoke."""
        said = False
        for wish in self._steering.take():
            match wish:
                case Said(text):
                    self._emit(MessageSent(text))
                    history.user(text)
                    said = True
                case Shell(command):
                    history.user(await self._shell(command))
                case _:
                    assert_never(wish)
        return said

    async def hold(self, history: History) -> None:
        """After a cut: tell the model, and wait until the user said what now."""
        history.user(CUT)
        while not await self._steer(history):
            await self._steering.wait()

    async def _shell(self, command: str) -> str:
        """Run a command of the user; what the model is told of it."""
        try:
            _, result = await self._steering.step(
                self._workspace.run(command, purpose="user", timeout=SHELL_TIMEOUT)
            )
            await self._workspace.sync()
        except StepCut:
            return f"The user ran `{command}` in the sandbox, and ended it early."
        except TreeRejected as rejected:
            return f"The user ran `{command}` in the sandbox: {rejected}"
        except SandboxLost as lost:
            await self._workspace.replace_lost(lost)
            return f"The user ran `{command}`, and the sandbox ended; a fresh one was opened."
        return f"The user ran `{command}` in the sandbox:\n{told(result, SHELL_TIMEOUT)}"

    async def _turn(self, turn: str, role: Role, history: History) -> Reply:
        request = ModelRequest(history.messages, role.toolbox.specs, self._session)
        self._emit(TurnStarted(turn, role.name, role.model.name, self._budget.step()))
        finish = "error"
        try:
            asking = role.model.complete(request, lambda news: self._hear(turn, news))
            reply = await self._steering.step(asking)
            finish = ""
        except (asyncio.CancelledError, StepCut):
            finish = "cancelled"
            raise
        finally:
            if finish:
                self._emit(TurnEnded(turn, role.name, role.model.name, finish))
        self._spend(role, reply)
        self._emit(self._ended(turn, role, reply))
        return reply

    def _spend(self, role: Role, reply: Reply) -> None:
        known = not self._budget.unpriced
        self._budget.spend(reply.usage.cost)
        if known and self._budget.unpriced and self._budget.max_cost:
            self._emit(Warned(f"the price of {reply.model} is not known: --max-cost cannot hold"))

    def _ended(self, turn: str, role: Role, reply: Reply) -> TurnEnded:
        usage, window = reply.usage, role.model.context_window
        return TurnEnded(
            turn,
            role.name,
            reply.model,
            reply.finish,
            reply.text,
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.cost,
            self._budget.cost,
            round(usage.input_tokens / window, 4) if window else None,
        )

    def _hear(self, turn: str, news: ModelNews) -> None:
        match news:
            case TextDelta(text):
                self._emit(TextStreamed(turn, text))
            case ReasoningDelta(text):
                self._emit(ReasoningStreamed(turn, text))
            case Retrying(reason, delay, attempt, model):
                self._emit(TurnRetried(turn, reason, delay, attempt, model))
            case FellBack(failed, model, reason):
                self._emit(ModelSwitched(turn, failed, model, reason))
            case _:
                assert_never(news)

    async def _answer(
        self, turn: str, role: Role, history: History, reply: Reply, watch: Watch
    ) -> Finished | GaveUp | None:
        finished, stuck, cut, failed = None, None, False, False
        for number, call in enumerate(reply.calls, 1):
            if cut:
                # Each call needs an answer, or the provider refuses the history.
                history.tool(call.id, NOT_RUN)
                continue
            result = await self._call(f"{turn}.{number}", role, call)
            cut = result.cut
            history.tool(call.id, result.text)
            if result.final is not None:
                # What else the same answer asked for still ran, and is part of the tree.
                finished = Finished(result.final)
            else:
                stuck = watch.see(call.name, call.arguments, ok=result.ok) or stuck
                failed = failed or (not result.ok and decides(call))
        if cut:
            await self.hold(history)
            return None
        if finished and not failed:
            return finished
        if finished:
            history.user(NOT_SUBMITTED)
        elif reply.finish in TOLD:
            stuck = watch.cut_off(TOLD[reply.finish])
        elif not reply.calls:
            history.user(LENGTH_CUT if reply.finish == "length" else NO_CALL)
            stuck = watch.see("", {}, ok=False)
        return self._nudge(role, history, stuck)

    def _nudge(self, role: Role, history: History, stuck: Stuck | None) -> GaveUp | None:
        if stuck is None:
            return None
        self._emit(Nudged(role.name, stuck.reason))
        if stuck.ends:
            return GaveUp(stuck.reason)
        history.user(stuck.reason)
        return None

    async def _call(self, number: str, role: Role, call: ToolCall) -> ToolResult:
        self._emit(ToolCalled(number, role.name, call.name, arguments_text(call)))
        try:
            result = await self._uncut(role, call)
            if role.toolbox.writes(call.name) or result.final is not None:
                result = await self._synced(result)
        except SandboxLost as lost:
            await self._workspace.replace_lost(lost)
            result = ToolResult(
                f"the sandbox ended ({lost}); a fresh one holds the files as they were before"
                " this call, and nothing else",
                ok=False,
            )
        self._emit(ToolReturned(number, call.name, result.ok, result.text))
        return result

    async def _uncut(self, role: Role, call: ToolCall) -> ToolResult:
        """Run a call as a step that the user can cut short."""
        try:
            return await self._steering.step(role.toolbox.run(call))
        except StepCut:
            return ToolResult("the user interrupted this call", ok=False, cut=True)

    async def _synced(self, result: ToolResult) -> ToolResult:
        try:
            await self._workspace.sync()
        except TreeRejected as rejected:
            note = f"{result.text}\n[remove this, it cannot be part of the change: {rejected}]"
            return replace(result, text=note, ok=False, final=None)
        return result
