"""Sessions and their events in SQLite: every event is written before anybody is shown it.

Events that are pieces of something longer (`events.STREAMED`) wait for the next whole one to
reach the disk; every other event is synced before `append` returns. Refuses to hold secrets:
what comes here has passed the redactor.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.core.events import (
    STREAMED,
    Event,
    SessionEnded,
    SessionStarted,
    from_json,
    to_json,
)
from selfheal_tui.errors import SelfhealError

VERSION = 1
_FILE = "sessions.db"
_SCHEMA = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    repository TEXT NOT NULL,
    task TEXT NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    exit_code INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    cost REAL NOT NULL DEFAULT 0
);
CREATE TABLE events (
    session TEXT NOT NULL REFERENCES sessions(id),
    number INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX sessions_by_start ON sessions(started);
"""


@dataclass(frozen=True)
class SessionRow:
    """One session as the list shows it. Times are seconds since the epoch; `ended` and
    `exit_code` are None while it runs, or when it was killed."""

    id: str
    repository: str
    task: str
    started: float
    ended: float | None
    exit_code: int | None
    outcome: str
    text: str
    cost: float


class Store:
    """All sessions of this user. `warning` says what happened to a database that was damaged."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self.warning = ""
        try:
            self._database = self._open()
        except _Unusable as error:
            kept = self._path.with_name(f"{_FILE}.damaged-{int(time.time())}")
            self._path.rename(kept)
            self.warning = f"the list of sessions was {error}; it is kept as {kept.name}"
            self._database = self._open()
        self._numbers: dict[str, int] = {}

    def append(self, session: str, event: Event, at: float) -> None:
        """Write an event. Raises SelfhealError when the disk does not take it."""
        try:
            self._write(session, event, at)
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._database.rollback()
            raise SelfhealError(f"cannot write the session to {self._path}: {error}") from error

    def sessions(self, repository: str | None = None, limit: int = 100) -> list[SessionRow]:
        """The latest sessions first; of one repository if it is given."""
        rows = self._database.execute(
            "SELECT id, repository, task, started, ended, exit_code, outcome, text, cost"
            " FROM sessions WHERE ?1 IS NULL OR repository = ?1"
            " ORDER BY started DESC, id DESC LIMIT ?2",
            (repository, limit),
        )
        return [SessionRow(*row) for row in rows]

    def find(self, prefix: str) -> list[SessionRow]:
        """Sessions whose id starts with `prefix`."""
        return [row for row in self.sessions(limit=100_000) if row.id.startswith(prefix)]

    def events(self, session: str) -> Iterator[tuple[Event, float]]:
        """The events of a session in order, each with its time."""
        rows = self._database.execute(
            "SELECT line FROM events WHERE session = ? ORDER BY number", (session,)
        )
        for (line,) in rows:
            yield from_json(line)

    def close(self) -> None:
        """Write what waits, and close."""
        with contextlib.suppress(sqlite3.Error):
            self._database.commit()
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_NOFOLLOW | os.O_RDWR, 0o600))
            database = sqlite3.connect(self._path, timeout=10)
        except (OSError, sqlite3.Error) as error:
            raise SelfhealError(f"cannot open {self._path}: {error}") from error
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            _prepare(database)
        except sqlite3.OperationalError as error:
            database.close()
            raise SelfhealError(f"cannot open {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            database.close()
            raise _Unusable("damaged") from error
        except _Unusable:
            database.close()
            raise
        return database

    def _write(self, session: str, event: Event, at: float) -> None:
        if isinstance(event, SessionStarted):
            self._database.execute(
                "INSERT INTO sessions (id, repository, task, started) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET ended = NULL, exit_code = NULL",
                (session, event.repository, event.task, at),
            )
        number = self._next_number(session)
        self._database.execute(
            "INSERT INTO events VALUES (?, ?, ?)", (session, number, to_json(event, at=at))
        )
        if isinstance(event, SessionEnded):
            self._database.execute(
                "UPDATE sessions SET ended = ?, exit_code = ?, outcome = ?, text = ?, cost = ?"
                " WHERE id = ?",
                (at, event.exit_code, event.outcome, event.text, event.cost, session),
            )
        self._numbers[session] = number
        if not isinstance(event, STREAMED):
            self._database.commit()

    def _next_number(self, session: str) -> int:
        if session in self._numbers:
            return self._numbers[session] + 1
        query = "SELECT coalesce(max(number), 0) FROM events WHERE session = ?"
        row = self._database.execute(query, (session,)).fetchone()
        return int(row[0]) + 1


class _Unusable(Exception):
    """The database file is not one that this version can use."""


def _prepare(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version:
        raise _Unusable(f"of another version ({version})")
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        raise _Unusable("not ours")
    # One transaction: a kill between two statements must not leave half a schema.
    database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
