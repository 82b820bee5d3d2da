"""One part of a plan: a coder, a history and a sandbox of its own, beside the others.

What fails in it is its own affair, and told; only the end of the run goes on to the others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from selfheal_tui.agent.brief import part_brief
from selfheal_tui.agent.dividing import Part
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp, Role
from selfheal_tui.agent.ports import Emit
from selfheal_tui.agent.steering import Steering
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.events import PartEnded, PartStarted
from selfheal_tui.errors import LimitReached, ModelError, SandboxError, SelfhealError


@dataclass(frozen=True)
class Place:
    """Where a part stands among the others: its number, from 1, and how many there are."""

    number: int
    of: int


@dataclass(frozen=True)
class Left:
    """What a part left. `tree` is the one it began with where nothing of it is taken; `error` is
    set where one ended it."""

    part: Part
    place: Place
    outcome: str
    tree: str
    summary: str = ""
    message: str = ""
    reason: str = ""
    error: SelfhealError | None = None

    @property
    def done(self) -> bool:
        return self.outcome == "submitted"


RUN_ENDED = "the run ended before it"


class PartRun:
    """Runs a part to its end. `workspace` is not open yet. `left` is there once it ended, also
    where the run ended it."""

    def __init__(
        self,
        part: Part,
        place: Place,
        *,
        role: Role,
        workspace: Workspace,
        conversations: Conversations,
        steering: Steering,
        emit: Emit,
    ) -> None:
        self._part = part
        self._place = place
        self._role = role
        self._workspace = workspace
        self._conversations = conversations
        self._steering = steering
        self._emit = emit
        self.left: Left | None = None

    async def run(self, history: History, brief: str) -> Left:
        """Work on it; `brief` is what every coder is told. Never raises what a part alone
        suffers from."""
        part, place = self._part, self._place
        self._emit(PartStarted(place.number, place.of, part.title, part.files))
        history.user(part_brief(brief, part, place.number, place.of))
        try:
            left = await self._worked(history)
        finally:
            self._steering.leave()
            await self._workspace.close()
        return left

    async def _worked(self, history: History) -> Left:
        outcome = "failed"
        ended: Finished | GaveUp | None = None
        error: SelfhealError | None = None
        try:
            await self._workspace.open()
            ended = await self._conversations.converse(self._role, history)
            outcome = "submitted" if isinstance(ended, Finished) else "stopped"
        except LimitReached as limit:
            outcome, error = "limit", limit
        except (SandboxError, ModelError) as failed:
            error = failed
        except asyncio.CancelledError:
            await self._told("stopped", None, None, RUN_ENDED)
            raise
        reason = str(error) if error else ended.reason if isinstance(ended, GaveUp) else ""
        return await self._told(outcome, ended, error, reason)

    async def _told(
        self,
        outcome: str,
        ended: Finished | GaveUp | None,
        error: SelfhealError | None,
        reason: str,
    ) -> Left:
        changed = await self._workspace.changed()
        arguments = ended.arguments if isinstance(ended, Finished) else {}
        # Unfinished work counts only where the part was meant to work.
        strayed = [path for path in changed if not self._part.names(path)]
        taken = bool(changed) and (outcome == "submitted" or not strayed)
        summary = str(arguments.get("summary", ""))
        tree, number = self._workspace.tree, self._place.number
        self.left = Left(
            self._part,
            self._place,
            outcome,
            tree if taken else self._workspace.base,
            summary,
            str(arguments.get("commit_message", "")),
            reason,
            error,
        )
        self._emit(PartEnded(number, outcome, tree, changed, taken, reason, summary))
        return self.left
