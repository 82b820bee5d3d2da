"""Who codes an attempt: one coder; or, for a plan in parts, one a part at the same time, once.

What the parts left is merged and becomes one candidate; what does not come together, or was not
done, is one coder's. Refuses to keep a half of it: the tree is taken over whole, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.agent import prompts
from selfheal_tui.agent.brief import conflicts_brief, merged_brief, with_plan
from selfheal_tui.agent.dividing import Part
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp, Role
from selfheal_tui.agent.part import Left, PartRun, Place
from selfheal_tui.agent.planning import Plan
from selfheal_tui.agent.ports import Emit, Repository, Shadow
from selfheal_tui.agent.roles import part_coder
from selfheal_tui.agent.steering import Steering
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.events import (
    Event,
    MessageSent,
    PartsMerged,
    SandboxOpened,
    TreeChanged,
    Warned,
)
from selfheal_tui.core.merge import Conflict, left_marks
from selfheal_tui.errors import LimitReached

MARKS_LEFT = (
    "Conflict marks (`<<<<<<<`, `|||||||`, `>>>>>>>`) are left in {paths}. Take them out, with the"
    " text that is wanted in their place, and submit again."
)


@dataclass(frozen=True)
class _Merged:
    tree: str
    conflicts: tuple[Conflict, ...]


class Coding:
    """The coder's work of one run. `workspace` is the session's own."""

    def __init__(
        self,
        *,
        coder: Role,
        workspace: Workspace,
        conversations: Conversations,
        repository: Repository,
        shadow: Shadow,
        steering: Steering,
        command_timeout: float,
        emit: Emit,
    ) -> None:
        self._coder = coder
        self._workspace = workspace
        self._conversations = conversations
        self._repository = repository
        self._shadow = shadow
        self._steering = steering
        self._command_timeout = command_timeout
        self._emit = emit
        self._parts: tuple[Part, ...] = ()
        self._brief = ""

    def briefed(self, brief: str, plan: Plan) -> str:
        """The coder's first words, for the plan; its parts are kept for the first attempt."""
        self._parts = plan.parts
        self._brief = with_plan(brief, plan.steps, plan.files, plan.notes)
        return self._brief

    async def code(self, history: History) -> Finished | GaveUp:
        """Work on the workspace's tree until it is submitted. Raises LimitReached.

        An earlier run's edits are no ground for parts: the plan does not know them.
        """
        parts, self._parts = self._parts, ()
        if not parts or self._workspace.tree != self._workspace.base:
            return await self._conversations.converse(self._coder, history)
        heard = _Heard(self._emit)
        left = await self._all(parts, heard)
        merged = await self._merged(left)
        await self._taken_over(left, merged)
        undone = [_undone(one, self._workspace.base) for one in left if not one.done]
        done = [f"{_name(one)}: {one.summary}" for one in left if one.done]
        history.user(merged_brief(done, undone, heard.words))
        if not (undone or merged.conflicts):
            return _finished(left)
        if merged.conflicts:
            history.user(conflicts_brief(merged.conflicts))
        ended = await self._conversations.converse(self._coder, history)
        return await self._without_marks(ended, merged, history)

    # --- the parts -------------------------------------------------------------------------

    async def _all(self, parts: Sequence[Part], heard: _Heard) -> list[Left]:
        """What every part left, in their order. However it ends, no part goes on after it."""
        runs = [self._run_of(part, Place(n, len(parts)), heard) for n, part in enumerate(parts, 1)]
        tasks = [
            asyncio.ensure_future(run.run(History(prompts.load("coder")), self._brief))
            for run in runs
        ]
        try:
            # Not awaited themselves: each is cancelled once, and then ends what it does in peace.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            await _cancelled(tasks)
            await self._kept([run.left for run in runs if run.left])
            raise
        finally:
            await _cancelled(tasks)
        broken = [task for task in tasks if not task.cancelled() and task.exception()]
        left = [task.result() for task in broken or tasks]
        errors = [one.error for one in left if one.error and one.outcome == "failed"]
        if len(errors) == len(left):
            raise errors[0]
        return left

    def _run_of(self, part: Part, place: Place, heard: _Heard) -> PartRun:
        mark, emit = f"p{place.number}.", heard.by(place.number)
        steering = self._steering.branch()
        workspace = self._workspace.beside(mark, emit)
        role = part_coder(
            place.number, self._coder.model, workspace, command_timeout=self._command_timeout
        )
        conversations = self._conversations.beside(mark, workspace, steering, emit)
        return PartRun(
            part,
            place,
            role=role,
            workspace=workspace,
            conversations=conversations,
            steering=steering,
            emit=emit,
        )

    # --- what they left --------------------------------------------------------------------

    async def _merged(self, left: Sequence[Left]) -> _Merged:
        base = tree = self._workspace.base
        numbers: list[int] = []
        conflicts: list[Conflict] = []
        for one in left:
            if one.tree == base:
                continue
            merge = await self._repository.merge_trees(base, tree, one.tree)
            tree, numbers = merge.tree, [*numbers, one.place.number]
            conflicts += merge.conflicts
        paths = tuple(dict.fromkeys(conflict.path for conflict in conflicts))
        self._emit(PartsMerged(tree, tuple(numbers), paths))
        return _Merged(tree, tuple(conflicts))

    async def _kept(self, left: Sequence[Left]) -> None:
        """What the parts left when the run is ended from outside, for the one that takes it up.
        Where they clash nothing is kept: nobody is there to sort it out."""
        merged = await self._merged(left)
        if not merged.conflicts:
            await self._workspace.leave(merged.tree)

    async def _taken_over(self, left: Sequence[Left], merged: _Merged) -> None:
        """Make the workspace's tree the merged one. Raises the limit that a part has reached; what
        is open then is nobody's to sort out any more, and nothing is taken over."""
        limit = next((one.error for one in left if isinstance(one.error, LimitReached)), None)
        if not (limit and merged.conflicts):
            await self._workspace.restore(merged.tree)
        if limit:
            raise limit

    async def _without_marks(
        self, ended: Finished | GaveUp, merged: _Merged, history: History
    ) -> Finished | GaveUp:
        """The end of the one coder's work, with no conflict mark in any file that clashed."""
        marked = await self._marked(merged)
        if marked and isinstance(ended, Finished):
            history.user(MARKS_LEFT.format(paths=", ".join(marked)))
            ended = await self._conversations.converse(self._coder, history)
            marked = await self._marked(merged)
        if marked:
            self._emit(Warned(f"conflict marks were left in {', '.join(marked)}: gone back"))
            await self._workspace.restore(merged.tree)
        return ended

    async def _marked(self, merged: _Merged) -> list[str]:
        clashed = {conflict.path for conflict in merged.conflicts}
        if not clashed:
            return []
        tree = await self._workspace.sync_or_drop()
        before = {file.path: file.content for file in await self._shadow.files(merged.tree)}
        files = await self._shadow.files(tree)
        return [
            file.path
            for file in files
            if file.path in clashed
            and left_marks((_text(before.get(file.path, b"")),), _text(file.content))
        ]


class _Heard:
    """What the front-ends are told of parts at the same time: the user's words once, and no tree
    and no sandbox of a part as if it were the session's."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._counts: dict[int, int] = {}
        self.words: list[str] = []

    def by(self, number: int) -> Emit:
        def emit(event: Event) -> None:
            match event:
                case TreeChanged() | SandboxOpened():
                    return
                case MessageSent(text):
                    self._say(number, event, text)
                case _:
                    self._emit(event)

        return emit

    def _say(self, number: int, event: MessageSent, text: str) -> None:
        """Every part hears the same words in the same order: the first to hear them tells."""
        self._counts[number] = self._counts.get(number, 0) + 1
        if self._counts[number] > len(self.words):
            self.words.append(text)
            self._emit(event)


async def _cancelled(tasks: Sequence[asyncio.Task[Left]]) -> None:
    for task in tasks:
        task.cancel()
    await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Task[Left]]) -> None:
    """Until all have ended, also where this is cancelled once more meanwhile."""
    cut: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as again:
            cut = again
    if cut:
        raise cut


def _finished(left: Sequence[Left]) -> Finished:
    """The end of parts that were all submitted, as if one coder had done them."""
    bodies = [one.message.strip() for one in left if one.message.strip()]
    subject = "; ".join(body.split("\n", 1)[0] for body in bodies)
    summary = "\n".join(f"{one.part.title}: {one.summary}" for one in left)
    # One part's own subject does not speak for the others: a long one is the task's to give.
    message = f"{subject}\n\n{summary}" if 0 < len(subject) <= 70 else ""
    return Finished({"summary": summary, "commit_message": message})


def _name(left: Left) -> str:
    return f"part {left.place.number}, {left.part.title}"


def _undone(left: Left, base: str) -> str:
    there = "nothing of it is in the files" if left.tree == base else "its edits are in the files"
    steps = "; ".join(left.part.steps)
    return f"{_name(left)} ({left.outcome}: {left.reason}; {there}). Its steps: {steps}"


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
