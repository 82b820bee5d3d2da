"""The undo of a session's commit: which commit that is by the record, and the undo with its events.

They are appended to the session's own record. Refuses to touch a remote: what was pushed is said.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from selfheal_tui.adapters.store import Store
from selfheal_tui.agent.approvals import Approvals
from selfheal_tui.agent.ports import Ask
from selfheal_tui.agent.undo import undo_last
from selfheal_tui.cli.kept import find_session
from selfheal_tui.core.events import (
    ApprovalAsked,
    Committed,
    Event,
    Pushed,
    UndoFailed,
    Undone,
    UndoStarted,
    Warned,
)
from selfheal_tui.core.redact import Redactor, redacted
from selfheal_tui.errors import ApprovalRefused, SelfhealError, UsageError
from selfheal_tui.parts import OpenRepository, Parts, Records


@dataclass(frozen=True)
class Undoable:
    """A commit that was not taken back yet. `pushed` names where it went since, `approvals` counts
    what was asked in its session so far, `begun` is an undo of it that never told its end."""

    session: str
    made: Committed
    pushed: tuple[str, ...]
    approvals: int
    begun: UndoStarted | None = None

    @property
    def warning(self) -> str:
        """What the undo cannot take back; empty for nothing."""
        if not self.pushed:
            return ""
        places = ", ".join(self.pushed)
        return f"the commit was pushed to {places} and stays there: the undo is local only"


def find_undoable(store: Store, prefix: str, repository: str) -> Undoable:
    """The last commit of the session whose id starts with `prefix`, or for an empty one of the
    repository's latest session. Raises UsageError where there is none."""
    row = find_session(store, prefix, repository)
    if row.repository != repository:
        raise UsageError(f"session {row.id} belongs to {row.repository}; run it there")
    made: list[Committed] = []
    pushed: list[Pushed] = []
    approvals = 0
    begun: UndoStarted | None = None
    for event, _ in store.events(row.id):
        match event:
            case Committed():
                made.append(event)
            case Pushed():
                pushed.append(event)
            case ApprovalAsked():
                approvals += 1
            case UndoStarted():
                begun = event
            case UndoFailed():
                begun = None
            case Undone(commit):
                begun = None
                made = [earlier for earlier in made if earlier.commit != commit]
    if not made:
        raise UsageError(
            f"there is nothing to undo: session {row.id} has no commit that was not taken back"
            "; another one can be named, see `selfheal sessions`"
        )
    places = tuple(
        f"{push.remote}/{push.ref.removeprefix('refs/heads/')}"
        for push in pushed
        if push.commit == made[-1].commit
    )
    left_open = begun if begun and begun.commit == made[-1].commit else None
    return Undoable(row.id, made[-1], places, approvals, left_open)


async def undo(
    found: Undoable,
    *,
    open_repository: OpenRepository,
    records: Records,
    redactor: Redactor,
    ask: Ask,
    show: Callable[[Event], None],
) -> Undone:
    """Ask for the undo and do it; each event is redacted, stored, then shown.

    Raises ApprovalRefused for a no, RepositoryRefused where it cannot be.
    """

    def emit(event: Event) -> None:
        clean = redacted(event, redactor)
        records.append(found.session, clean, time.time())
        show(clean)

    repository, _, _ = await open_repository()
    approvals = Approvals(ask, emit, first=found.approvals + 1)
    return await undo_last(repository, approvals, emit, found.made, found.begun)


async def undo_and_say(
    found: Undoable,
    parts_for: Callable[[], Awaitable[Parts]],
    ask: Ask,
    show: Callable[[Event], None],
) -> None:
    """The undo at the interface: what is in the way is shown as a warning, not raised."""
    if found.warning:
        show(Warned(found.warning))
    try:
        parts = await parts_for()
        try:
            # A no is told by its own event.
            with suppress(ApprovalRefused):
                await undo(
                    found,
                    open_repository=parts.open_repository,
                    records=parts.records,
                    redactor=parts.redactor,
                    ask=ask,
                    show=show,
                )
        finally:
            await parts.provision.close()
            await parts.models.close()
    except SelfhealError as error:
        show(Warned(str(error)))
