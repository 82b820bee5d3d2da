"""From a healed tree to a commit and a push: proof card, approval, side effect, one by one.

Every side effect is told before it starts and after it ended. Refuses to act without a `Granted`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from selfheal_tui.agent.heal import Healed
from selfheal_tui.agent.ports import Ask, Emit, Repository, SandboxFacts, Shadow, Snapshot
from selfheal_tui.core.approval import (
    CommitRequest,
    CommitWish,
    Granted,
    PushRequest,
    R,
    Request,
    answer,
    key_of,
    kind_of,
)
from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    CommitStarted,
    Committed,
    ProposalMade,
    Pushed,
    PushStarted,
    Warned,
)
from selfheal_tui.core.patch import FileDiff, read_patch
from selfheal_tui.core.pathkinds import warnings_for
from selfheal_tui.core.proof import Proof
from selfheal_tui.core.text import one_line, printable
from selfheal_tui.errors import ApprovalRefused, RepositoryRefused

MANY_DELETED = 20

T = TypeVar("T")


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
class Ran:
    """What the run used so far: seconds, USD, attempts allowed, the coder's model."""

    seconds: float
    cost: float
    attempts: int
    model: str


class SentBack(ApprovalRefused):
    """Somebody said no, and wants another attempt; `reason` is for the coder."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class Approvals:
    """Asks for consent and tells of it. Raises ApprovalRefused for a no."""

    def __init__(self, ask: Ask, emit: Emit) -> None:
        self._ask = ask
        self._emit = emit
        self._numbers = itertools.count(1)

    async def get(self, request: R) -> Granted[R]:
        """The consent to exactly `request`."""
        given = await self.get_or_wish(request)
        if isinstance(given, CommitWish):
            raise ApprovalRefused(f"the {_noun(request)} was not approved as it is")
        return given

    async def get_or_wish(self, request: R) -> Granted[R] | CommitWish:
        """The consent to `request`, or what the user wants in its place.

        Raises SentBack for a no that wants another attempt.
        """
        number, kind, key = f"a{next(self._numbers)}", kind_of(request), key_of(request)
        self._emit(ApprovalAsked(number, kind, key, json.dumps(asdict(request))))
        given = await self._ask(request)
        granted = answer(request, given)
        self._emit(ApprovalAnswered(number, kind, key, granted is not None, given.by, given.reason))
        if granted is not None:
            return granted
        if given.wish is not None:
            return given.wish
        text = f"the {_noun(request)} was not approved: {given.reason}"
        raise SentBack(text, given.reason) if given.again else ApprovalRefused(text)


def _noun(request: Request) -> str:
    return "set-up command" if kind_of(request) == "setup" else kind_of(request)


class Delivery:
    """Takes one healed tree to where it was asked to go."""

    def __init__(
        self,
        *,
        snapshot: Snapshot,
        repository: Repository,
        shadow: Shadow,
        approvals: Approvals,
        emit: Emit,
    ) -> None:
        self._snapshot = snapshot
        self._repository = repository
        self._shadow = shadow
        self._approvals = approvals
        self._emit = emit

    async def propose(
        self, healed: Healed, facts: SandboxFacts, ran: Ran, *, task: str, notes: tuple[str, ...]
    ) -> str:
        """Show the proof card of exactly the tree to commit; the commit message."""
        patch = await self._shadow.patch(self._snapshot.head_tree, healed.commit_tree)
        message = commit_message(healed.message, healed.summary, task)
        proof = proof_of(healed, self._snapshot.head_tree, facts, ran, read_patch(patch), notes)
        self._emit(ProposalMade(healed.commit_tree, healed.tree, proof.to_json(), patch, message))
        return message

    async def commit(
        self, commit_tree: str, tree: str, message: str, target: Target, *, task: str
    ) -> Committed:
        """Ask for the commit of `commit_tree`, and make it. `tree` is the same change on the
        user's uncommitted edits: what their files become where the current branch moves.
        What the user wants otherwise becomes a request of its own, which is asked for again."""
        branch = None if target.current else target.branch
        if branch == "":
            branch = await self._repository.unused_branch(task)
        wish = CommitWish(message, branch)
        request = await self._request(commit_tree, wish)
        while isinstance(given := await self._approvals.get_or_wish(request), CommitWish):
            request = await self._changed(commit_tree, given, request)
        granted = given
        self._emit(CommitStarted(request.tree, request.ref, request.parent))
        return await _to_the_end(self._make(granted, tree))

    async def _make(self, granted: Granted[CommitRequest], tree: str) -> Committed:
        commit = await self._repository.commit(granted, self._snapshot, tree)
        request = granted.request
        made = Committed(commit, request.tree, request.ref, request.update_worktree)
        self._emit(made)
        return made

    async def _request(self, tree: str, wish: CommitWish) -> CommitRequest:
        return await self._repository.commit_request(
            self._snapshot, tree, wish.message, branch=wish.branch
        )

    async def _changed(self, tree: str, wish: CommitWish, before: CommitRequest) -> CommitRequest:
        """The request that the user wants; the one before, where git does not allow theirs."""
        try:
            return await self._request(tree, replace(wish, message=printable(wish.message)))
        except RepositoryRefused as refused:
            self._emit(Warned(f"the commit stays as it was: {refused}"))
            return before

    async def push(self, made: Committed, target: Target) -> Pushed:
        """Ask for the push of exactly this commit, and make it."""
        branch = target.remote_branch or made.ref.removeprefix("refs/heads/")
        request = await self._repository.push_request(made.commit, target.remote, branch)
        granted = await self._approvals.get(request)
        self._emit(PushStarted(request.commit, request.url, request.ref))
        return await _to_the_end(self._send(granted))

    async def _send(self, granted: Granted[PushRequest]) -> Pushed:
        await self._repository.push(granted)
        request = granted.request
        pushed = Pushed(request.commit, request.remote, request.url, request.ref)
        self._emit(pushed)
        return pushed


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What is begun is ended, also when the run is stopped: the record must say what came of it."""
    making = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        while not making.done():
            # A second cancellation must not end the wait either.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([making])
        making.exception()
        raise


def commit_message(proposed: str, summary: str, task: str) -> str:
    """A commit message from the model's words, made printable; from the task where it has none."""
    text = printable(proposed).strip() or f"{one_line(task, 68)}\n\n{printable(summary)}".strip()
    return text + "\n"


def proof_of(
    healed: Healed,
    base: str,
    facts: SandboxFacts,
    ran: Ran,
    files: tuple[FileDiff, ...],
    notes: tuple[str, ...],
) -> Proof:
    """The proof card of a healed tree."""
    check = healed.check
    return Proof(
        tree=healed.commit_tree,
        base=base,
        verified=check is not None and check.green,
        command=check.command if check else "",
        exit_code=check.exit_code if check else None,
        check_seconds=round(check.seconds, 3) if check else 0.0,
        before=tuple(sorted(healed.baseline.failing)) if healed.baseline else (),
        after=tuple(sorted(check.failing)) if check else (),
        flaky=tuple(sorted(healed.flaky)),
        sandbox=f"{facts.kind}, profile {facts.profile}: {facts.isolation}",
        image=f"{facts.image} {facts.image_id}".strip(),
        network=facts.network,
        attempt=healed.attempt,
        attempts=ran.attempts,
        seconds=round(ran.seconds, 3),
        cost=ran.cost,
        model=ran.model,
        files=tuple((file.path, file.added, file.removed) for file in files),
        warnings=(*notes, *_warnings(healed, files)),
        review=_review_words(healed),
    )


def _warnings(healed: Healed, files: tuple[FileDiff, ...]) -> tuple[str, ...]:
    warnings: list[str] = []
    if healed.check is None:
        warnings.append("not verified: no check was run")
    warnings += warnings_for(files)
    deleted = sum(file.kind == "deleted" for file in files)
    if deleted > MANY_DELETED:
        warnings.append(f"{deleted} files are deleted")
    if healed.review:
        warnings += [f"reviewer: {risk}" for risk in healed.review.risks]
        if healed.review.verdict != "approve":
            warnings.append(
                f"the reviewer did not approve: {one_line(healed.review.comments, 300)}"
            )
    return tuple(warnings)


def _review_words(healed: Healed) -> str:
    if healed.review is None:
        return "not reviewed"
    return f"{healed.review.verdict}: {one_line(healed.review.comments, 300)}".rstrip(": ")
