"""What was approved and what is claimed, as the sessions of a state folder recorded it."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


@dataclass
class Record:
    """`granted` are the approved requests by kind, `events` all events, `exits` the exit code of
    each session (None: it was killed or still runs) by id, `broken` why it cannot be read."""

    granted: dict[str, list[Fields]] = field(default_factory=dict)
    events: list[Fields] = field(default_factory=list)
    exits: dict[str, int | None] = field(default_factory=dict)
    broken: str = ""

    def of(self, name: str) -> list[Fields]:
        """The events of this name, in order."""
        return [event for event in self.events if event["event"] == name]

    def approved(self, kind: str) -> list[Fields]:
        """The requests of this kind (`commit`, `push`, `worktree`, `undo`) that got a yes."""
        return self.granted.get(kind, [])

    def grant(self, kind: str, request: Fields) -> None:
        """A request that a test approved without a session."""
        self.granted.setdefault(kind, []).append(request)


def recorded(state: Path, scratch: Path) -> Record:
    """The record of all sessions, read from a copy: the look itself must change nothing."""
    if not (state / "sessions.db").exists():
        return Record()
    copies = scratch / "database"
    copies.mkdir(exist_ok=True)
    for file in state.glob("sessions.db*"):
        shutil.copyfile(file, copies / file.name)
    try:
        with contextlib.closing(sqlite3.connect(copies / "sessions.db")) as database:
            return _read(database)
    except (sqlite3.Error, ValueError) as error:
        return Record(broken=f"the database of sessions cannot be read: {error}")


def _read(database: sqlite3.Connection) -> Record:
    (sound,) = database.execute("PRAGMA integrity_check").fetchone()
    record = Record(broken="" if sound == "ok" else f"the database of sessions: {sound}")
    record.exits = dict(database.execute("SELECT id, exit_code FROM sessions ORDER BY started"))
    lines = database.execute(
        "SELECT line FROM events JOIN sessions ON id = session ORDER BY started, session, number"
    )
    record.events = [json.loads(line) for (line,) in lines]
    _consents(record, record.events)
    return record


def _consents(record: Record, events: Iterable[Fields]) -> None:
    asked: dict[str, Fields] = {}
    for event in events:
        if event["event"] == "ApprovalAsked":
            asked[event["key"]] = event
        if event["event"] == "ApprovalAnswered" and event["granted"]:
            record.grant(event["kind"], json.loads(asked[event["key"]]["request"]))
