"""Taking a commit of a session back: request, approval, side effect, told one by one.

Refuses to act without a `Granted`, and to touch a remote.
"""

from __future__ import annotations

from selfheal_tui.agent.approvals import Approvals, Stale
from selfheal_tui.agent.deliver import to_the_end
from selfheal_tui.agent.ports import Emit, Repository
from selfheal_tui.core.approval import Granted, Request, UndoRequest
from selfheal_tui.core.events import Committed, UndoFailed, Undone, UndoStarted
from selfheal_tui.errors import SelfhealError


async def undo_last(
    repository: Repository,
    approvals: Approvals,
    emit: Emit,
    made: Committed,
    begun: UndoStarted | None = None,
) -> Undone:
    """Ask for the undo of what `made` tells of, and do it, to the end even when cancelled.

    `begun` is an undo of it that never told its end: where it was done all the same, that is told
    now, and nobody is asked again.

    Raises RepositoryRefused where it cannot be, ApprovalRefused for a no.
    """
    if begun and await repository.is_undone(begun.commit, begun.ref, begun.new):
        done = Undone(begun.commit, begun.ref, begun.new)
        emit(done)
        return done
    granted = await _consent(repository, approvals, made)
    request = granted.request
    emit(UndoStarted(request.commit, request.ref, request.new))

    async def take_back() -> Undone:
        try:
            undone = await repository.undo(granted)
        except SelfhealError as error:
            emit(UndoFailed(request.commit, request.ref, str(error)))
            raise
        emit(undone)
        return undone

    return await to_the_end(take_back())


async def _consent(
    repository: Repository, approvals: Approvals, made: Committed
) -> Granted[UndoRequest]:
    async def why_stale(request: Request) -> str:
        return await repository.stale(request, None)

    while True:
        request = await repository.undo_request(
            made.commit, made.ref, update_worktree=made.worktree_updated
        )
        try:
            return await approvals.get(request, why_stale)
        except Stale:
            # What it is by now is asked for, or refused with its name.
            continue
