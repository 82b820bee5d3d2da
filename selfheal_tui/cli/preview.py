"""What is known of an earlier session, in a few lines. Reads few events, however many it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from selfheal_tui.adapters.store import SessionRow, Store
from selfheal_tui.core.events import (
    AttemptEnded,
    CheckChosen,
    CheckEnded,
    Committed,
    Event,
    ProposalMade,
    Pushed,
    SnapshotTaken,
    TreeChanged,
    TurnEnded,
    Undone,
    WorktreeUpdated,
)
from selfheal_tui.core.patch import file_counts
from selfheal_tui.core.text import one_line

_NAMED_FILES = 6
_DONE = (Committed, WorktreeUpdated, Pushed, Undone)

Pairs = Iterator[tuple[str, str]]


def preview(store: Store, row: SessionRow) -> Sequence[tuple[str, str]]:
    """Pairs of a name and a value; what never came to be is left out."""
    return [
        ("task", one_line(row.task, 400)),
        ("session", row.id),
        ("started", datetime.fromtimestamp(row.started).strftime("%Y-%m-%d %H:%M")),
        ("outcome", _outcome(row)),
        *_work(list(store.events(row.id, AttemptEnded, CheckChosen, CheckEnded))),
        *_files(store, row.id),
        *(pair for event, _ in store.events(row.id, *_DONE) for pair in _done(event)),
        *_branch(store, row.id),
        ("cost", f"{_cost(store, row):.4f} USD"),
    ]


def _outcome(row: SessionRow) -> str:
    if row.ended is None:
        return "not ended: it runs elsewhere, or was killed"
    return one_line(f"{row.outcome} (exit {row.exit_code}): {row.text}", 400)


def _work(record: Sequence[tuple[Event, float]]) -> Pairs:
    """Attempts, and how the check stood before and in the end."""
    outcomes: list[str] = []
    checks: list[CheckEnded] = []
    command = ""
    for event, _ in record:
        match event:
            case AttemptEnded():
                outcomes.append(event.outcome)
            case CheckChosen():
                command = f"{command} && {event.command}" if event.number > 1 else event.command
            case CheckEnded():
                checks.append(event)
            case _:
                pass  # Only these three were read.
    if outcomes:
        yield "attempts", f"{len(outcomes)}: {', '.join(outcomes)}"
    if checks:
        first, last = len(checks[0].failing), len(checks[-1].failing)
        state = "green" if checks[-1].green else "red"
        yield "checks", f"{len(checks)} runs, {first} failing -> {last}, {state} in the end"
    if command:
        yield "check", one_line(command, 200)


def _files(store: Store, session: str) -> Pairs:
    """Files of what was proposed, else of what was changed last."""
    proposed = store.last(session, ProposalMade)
    changed = store.last(session, TreeChanged) if proposed is None else None
    files: Sequence[tuple[str, int, int]] = ()
    if isinstance(proposed, ProposalMade):
        files = file_counts(proposed.patch)
    elif isinstance(changed, TreeChanged):
        files = changed.files
    if not files:
        return
    added, removed = sum(each[1] for each in files), sum(each[2] for each in files)
    names = ", ".join(path for path, _, _ in files[:_NAMED_FILES])
    more = f" and {len(files) - _NAMED_FILES} more" if len(files) > _NAMED_FILES else ""
    yield "files", one_line(f"{len(files)}, +{added} -{removed}: {names}{more}", 400)


def _done(event: Event) -> Pairs:
    match event:
        case Committed():
            yield "commit", f"{event.commit[:12]} on {_short(event.ref)}"
        case WorktreeUpdated():
            yield "written", f"{len(event.paths)} files of the working tree, nothing committed"
        case Pushed():
            yield (
                "pushed",
                one_line(f"{event.commit[:12]} to {event.remote}/{_short(event.ref)}", 200),
            )
        case Undone():
            yield "undone", f"{_short(event.ref)} is back at {event.new[:12]}"
        case _:
            pass  # Only these four were read.


def _branch(store: Store, session: str) -> Pairs:
    snapshot = store.last(session, SnapshotTaken)
    if isinstance(snapshot, SnapshotTaken):
        yield "from", f"{_short(snapshot.branch) or 'no branch'} at {snapshot.head[:12]}"


def _cost(store: Store, row: SessionRow) -> float:
    if row.ended is not None:
        return row.cost
    last = store.last(row.id, TurnEnded)
    return last.total_cost if isinstance(last, TurnEnded) else 0.0


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
