"""From a proposed tree to a commit and a push: request, approval, side effect, one by one.

Every side effect is told before it starts and after it ended. Refuses to act without a `Granted`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from selfheal_tui.agent.approvals import Approvals, Stale
from selfheal_tui.agent.ports import Emit, Repository, Snapshot
from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    CommitWish,
    Granted,
    PushRequest,
    RefusedHunk,
    Request,
    WorktreeRequest,
)
from selfheal_tui.core.events import (
    CommitStarted,
    Committed,
    Pushed,
    PushStarted,
    Warned,
    WorktreeUpdated,
    WorktreeUpdateStarted,
)
from selfheal_tui.core.text import printable
from selfheal_tui.errors import RepositoryRefused

T = TypeVar("T")

REMOTE_PATIENCE = 1.0
"""Seconds that a push has to come to its end when the run is stopped: leaving takes three."""


@dataclass(frozen=True)
class Target:
    """Where the commit goes: a new branch of this name (empty: made from the task), or, with
    `current`, the checked-out branch. `remote` empty: no push; `remote_branch` empty: the same
    name as here."""

    branch: str = ""
    current: bool = False
    remote: str = ""
    remote_branch: str = ""


@dataclass(frozen=True)
class Proposed:
    """What approval is asked for: the tree to commit, the same change on the user's uncommitted
    edits (what the files become where they follow), and the message."""

    commit_tree: str
    tree: str
    message: str


TakeOut = Callable[[Proposed, tuple[RefusedHunk, ...]], Awaitable[Proposed]]
"""Takes hunks out of what is proposed, checks the rest, and shows its proof card.

Raises RepositoryRefused where nothing is left, or the rest cannot be committed.
"""


class Delivery:
    """Takes one proposed tree to where the user wants it."""

    def __init__(
        self,
        *,
        snapshot: Snapshot,
        repository: Repository,
        approvals: Approvals,
        emit: Emit,
        take_out: TakeOut,
    ) -> None:
        self._snapshot = snapshot
        self._repository = repository
        self._approvals = approvals
        self._emit = emit
        self._take_out = take_out

    async def deliver(
        self, proposed: Proposed, target: Target, *, task: str
    ) -> Committed | WorktreeUpdated:
        """Ask for the commit, or for what the user wants in its place, and do it.

        What they want otherwise becomes a request of its own, which is asked for again; so does
        a request that no longer holds.
        """
        branch = None if target.current else target.branch
        if branch == "":
            branch = await self._repository.unused_branch(task)
        wish = CommitWish(proposed.message, branch)
        request = await self._request(proposed, wish)
        while True:
            try:
                came = await self._asked(request, proposed)
            except Stale:
                wish, request = await self._asked_anew(proposed, wish, task)
                continue
            except RepositoryRefused:
                # Another session took the name that was made from the task: any other will do.
                if target.branch or wish.branch is None or not await self._why_stale(request):
                    raise
                wish, request = await self._asked_anew(proposed, wish, task)
                continue
            if not isinstance(came, Answer):
                return came
            proposed, wish, request = await self._wanted(proposed, came, wish, request, task)

    async def push(self, made: Committed, target: Target) -> Pushed:
        """Ask for the push of exactly this commit, and make it."""
        branch = target.remote_branch or made.ref.removeprefix("refs/heads/")
        while True:
            request = await self._repository.push_request(made.commit, target.remote, branch)
            try:
                granted = await self._approvals.get(request, self._why_stale)
            except Stale:
                continue
            return await self._push(granted)

    # --- requests --------------------------------------------------------------------------

    async def _request(
        self, proposed: Proposed, wish: CommitWish
    ) -> CommitRequest | WorktreeRequest:
        if not wish.commit:
            return await self._repository.worktree_request(self._snapshot, proposed.tree)
        return await self._repository.commit_request(
            self._snapshot, proposed.commit_tree, wish.message, branch=wish.branch
        )

    async def _wanted(
        self,
        proposed: Proposed,
        given: Answer,
        wish: CommitWish,
        request: CommitRequest | WorktreeRequest,
        task: str,
    ) -> tuple[Proposed, CommitWish, CommitRequest | WorktreeRequest]:
        """What is asked for next; the same again, with a warning, where that cannot be done."""
        assert isinstance(given.wish, CommitWish), "only a plan is answered with another plan"
        wanted = replace(given.wish, message=printable(given.wish.message))
        if wanted.commit and wanted.branch == "":
            wanted = replace(wanted, branch=await self._repository.unused_branch(task))
        try:
            rest = await self._take_out(proposed, given.refused) if given.refused else proposed
            return rest, wanted, await self._request(rest, wanted)
        except RepositoryRefused as refused:
            self._emit(Warned(f"what is asked stays as it was: {refused}"))
            return proposed, wish, request

    async def _asked_anew(
        self, proposed: Proposed, wish: CommitWish, task: str
    ) -> tuple[CommitWish, CommitRequest | WorktreeRequest]:
        """The same wish on the repository as it is now, or else a new branch, which no edit of
        the user's can be in the way of."""
        try:
            return wish, await self._request(proposed, wish)
        except RepositoryRefused as refused:
            branch = await self._repository.unused_branch(task)
            self._emit(Warned(f"{refused}; the commit would go to {branch} now"))
            wish = CommitWish(wish.message, branch)
            return wish, await self._request(proposed, wish)

    async def _why_stale(self, request: Request) -> str:
        return await self._repository.stale(request, self._snapshot)

    # --- side effects ----------------------------------------------------------------------

    async def _asked(
        self, request: CommitRequest | WorktreeRequest, proposed: Proposed
    ) -> Committed | WorktreeUpdated | Answer:
        """Ask, and do it after a yes; the answer where it wants something else."""
        match request:
            case CommitRequest():
                commit = await self._approvals.get_or_wish(request, self._why_stale)
                return (
                    commit if isinstance(commit, Answer) else await self._commit(commit, proposed)
                )
            case WorktreeRequest():
                update = await self._approvals.get_or_wish(request, self._why_stale)
                return update if isinstance(update, Answer) else await self._update(update)

    async def _commit(self, granted: Granted[CommitRequest], proposed: Proposed) -> Committed:
        request = granted.request
        self._emit(CommitStarted(request.tree, request.ref, request.parent))

        async def make() -> Committed:
            commit = await self._repository.commit(granted, self._snapshot, proposed.tree)
            made = Committed(
                commit, request.tree, request.ref, request.update_worktree, request.message
            )
            self._emit(made)
            return made

        return await to_the_end(make())

    async def _update(self, granted: Granted[WorktreeRequest]) -> WorktreeUpdated:
        request = granted.request
        self._emit(WorktreeUpdateStarted(request.base, request.tree, request.paths))

        async def write() -> WorktreeUpdated:
            await self._repository.update_worktree(granted, self._snapshot)
            updated = WorktreeUpdated(request.tree, request.paths)
            self._emit(updated)
            return updated

        return await to_the_end(write())

    async def _push(self, granted: Granted[PushRequest]) -> Pushed:
        request = granted.request
        self._emit(PushStarted(request.commit, request.url, request.ref))

        async def send() -> Pushed:
            await self._repository.push(granted)
            pushed = Pushed(request.commit, request.remote, request.url, request.ref)
            self._emit(pushed)
            return pushed

        # The remote may be one that never answers.
        return await to_the_end(send(), patience=REMOTE_PATIENCE)


async def to_the_end(work: Coroutine[Any, Any, T], *, patience: float | None = None) -> T:
    """What is begun is ended, also when the run is stopped: the record must say what came of it.
    With `patience`, it is broken off that many seconds after the stop."""
    making = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        breaking_off = _later(patience, making)
        while not making.done():
            # A second cancellation must not end the wait either.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([making])
        if breaking_off:
            breaking_off.cancel()
        if not making.cancelled():
            making.exception()
        raise


def _later(seconds: float | None, making: asyncio.Future[Any]) -> asyncio.TimerHandle | None:
    if seconds is None:
        return None
    return asyncio.get_running_loop().call_later(seconds, making.cancel)
