"""Taking up a session: what its events say of where it stood."""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.adapters.store import SessionRow, Store
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.cli.recorded import Deeds
from selfheal_tui.core.events import (
    CheckChosen,
    PartsMerged,
    PartStarted,
    ProposalMade,
    SessionStarted,
    SnapshotTaken,
    TreeChanged,
    WorktreeUpdated,
)
from selfheal_tui.errors import UsageError
from selfheal_tui.parts import Kept, Order
from selfheal_tui.settings import Settings


def take_up(store: Store, order: Order, prefix: str) -> Order:
    """The order of a run that goes on with an earlier session: the latest one of the repository
    for an empty `prefix`. Raises UsageError when there is nothing to go on with."""
    row = find_session(store, prefix, order.repository)
    if row.repository != order.repository:
        raise UsageError(f"session {row.id} belongs to {row.repository}; run it there")
    kept = _kept(store, row)
    _refuse_what_is_done(row, order, kept)
    if kept and order.task:
        # New words ask for new work: what was proposed before them is where it starts.
        kept = replace(kept, proposal=None, begun=None)
    return replace(
        order,
        session=row.id,
        task=order.task or row.task,
        target=_target(store, row, order.target),
        kept=kept,
    )


def _refuse_what_is_done(row: SessionRow, order: Order, kept: Kept | None) -> None:
    """A commit that stands leaves its push to be made, or the word that a killed run owed."""
    if kept is None or kept.made is None:
        return
    was_told = row.exit_code is not None
    if order.task or (was_told and (kept.pushed or not order.target.remote)):
        more = "" if kept.pushed else "; --push REMOTE pushes it"
        raise UsageError(
            f"session {row.id} is done: {kept.made.commit} is on {kept.made.ref}{more}"
        )


def with_kept_check(settings: Settings, order: Order, *, given: bool) -> tuple[Settings, Order]:
    """The settings and order of a run that goes on: the check is the one it went by, unless
    another one is `given` now."""
    check = order.kept.check if order.kept else None
    if given or check is None:
        return settings, order
    checks = order.kept.checks if order.kept and len(order.kept.checks) > 1 else ()
    command = "" if checks else check
    settings = replace(settings, check=replace(settings.check, command=command, commands=checks))
    return settings, replace(order, no_check=not check)


def _target(store: Store, row: SessionRow, now: Target) -> Target:
    """Where the first run was asked to commit, unless it is said now. A push is never kept."""
    if now.branch or now.current:
        return now
    for event, _ in store.events(row.id):
        match event:
            case SessionStarted():
                return replace(now, branch=event.branch, current=event.current_branch)
    return now


def find_session(store: Store, prefix: str, repository: str | None) -> SessionRow:
    """The one session whose id starts with `prefix`; the latest one for an empty prefix."""
    if not prefix:
        latest = store.sessions(repository, limit=1)
        if not latest:
            raise UsageError("there is no session yet")
        return latest[0]
    found = store.find(prefix)
    if not found:
        raise UsageError(f"there is no session {prefix}; see `selfheal sessions`")
    if len(found) > 1:
        ids = ", ".join(row.id for row in found[:5])
        raise UsageError(f"{prefix} could be any of {ids}")
    return found[0]


def _kept(store: Store, row: SessionRow) -> Kept | None:
    """None where the session never came to a snapshot: it starts anew."""
    snapshot, tree, proposal, lost = None, "", None, 0
    checks: tuple[str, ...] = ()
    deeds = Deeds()
    for event, _ in store.events(row.id):
        deeds.see(event)
        match event:
            case SnapshotTaken():
                snapshot, tree, proposal, lost = _snapshot(event), event.tree, None, 0
            case TreeChanged():
                tree, proposal, lost = event.tree, None, 0
            case PartStarted():
                lost += 1
            case PartsMerged() if event.tree == tree:
                lost = 0
            case ProposalMade():
                tree, proposal = event.worktree, event
            case CheckChosen():
                checks = (*(checks if event.number > 1 else ()), event.command)
            case WorktreeUpdated():
                raise UsageError(f"session {row.id} is done: its change is in your working tree")
    check = checks[0] if checks else None
    if snapshot is None:
        return None
    done = deeds.begun, deeds.made, deeds.pushed
    return Kept(snapshot, tree, proposal, check, checks, lost, *done)


def _snapshot(event: SnapshotTaken) -> Snapshot:
    return Snapshot(
        event.tree,
        event.head,
        event.head_tree,
        event.branch,
        event.files,
        event.bytes,
        event.dirty,
        event.left_out,
    )
