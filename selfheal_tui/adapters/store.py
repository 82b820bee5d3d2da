"""Sessions and their events in SQLite: every event is written before anybody is shown it.

Events that are pieces of something longer (`events.STREAMED`) wait in memory for the next whole
one; every other event is synced before `append` returns. A session belongs to one process at a
time. What is to be accounted for goes into the audit log in the same transaction. Refuses to hold
secrets: what comes here has passed the redactor.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal_tui.adapters.audit import AuditLog
from selfheal_tui.core.audit import Break, Head, Record
from selfheal_tui.core.audited import Before, Entry, entry_of, hunks_since_commit, is_audited
from selfheal_tui.core.eventkinds import fits, is_time
from selfheal_tui.core.events import (
    STREAMED,
    ApprovalAsked,
    Committed,
    Event,
    HunksRefused,
    ProposalMade,
    SessionEnded,
    SessionStarted,
    from_json,
    to_json,
)
from selfheal_tui.errors import SelfhealError, UsageError

VERSION = 1
_FILE = "sessions.db"
_PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

_MOST_WAITING = 500
"""Pieces that wait in memory at most."""

_NAMED = """instr(substr(line, 1, 80), '"event":"' || ? || '"') > 0"""
"""Whether a line is an event of this name: it stands at the line's start, before any text."""

_SURROGATES = re.compile("[\ud800-\udfff]")

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

_CLAIM_SECONDS = 1.0


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
    """All sessions of this user. `warning` says what happened to a database that was damaged.

    Not `audited` are sessions whose approvals and commits concern nothing of the user's.
    """

    def __init__(self, folder: Path, *, audited: bool = True) -> None:
        self._path = folder / _FILE
        self._audited = audited
        self.warning = ""
        try:
            self._database = self._open()
        except _Unusable as error:
            kept = self._path.with_name(f"{_FILE}.damaged-{int(time.time())}")
            self._path.rename(kept)
            self.warning = f"the list of sessions was {error}; it is kept as {kept.name}"
            self._database = self._open()
        self._audit = self._open_audit()
        self._waiting: list[tuple[str, str]] = []
        self._claims: dict[str, int] = {}

    def append(self, session: str, event: Event, at: float) -> None:
        """Write an event. Raises SelfhealError when the disk does not take it, and UsageError for
        the start of a session that another process runs."""
        if isinstance(event, SessionStarted):
            self._claim(session)
        line = (session, to_json(event, at=at))
        if isinstance(event, STREAMED) and len(self._waiting) < _MOST_WAITING:
            # Not even a transaction is begun: it would lock out the other sessions.
            self._waiting.append(line)
            return
        entry = self._entry(session, event)
        with self._writing():
            self._write([*self._waiting, line], session, event, at)
            if entry:
                self._audit.add(session, entry, at)
        self._waiting = []
        if entry:
            with self._writing():
                self._audit.confirm()
        if isinstance(event, SessionEnded):
            self._release(session)

    def sessions(self, repository: str | None = None, limit: int = 100) -> list[SessionRow]:
        """The latest sessions first; of one repository if it is given."""
        rows = self._database.execute(
            "SELECT id, repository, task, started, ended, exit_code, outcome, text, cost"
            " FROM sessions WHERE ?1 IS NULL OR repository = ?1"
            " ORDER BY started DESC, id DESC LIMIT ?2",
            (_bound(repository), limit),
        )
        return [_row(row) for row in rows]

    def find(self, prefix: str) -> list[SessionRow]:
        """Sessions whose id starts with `prefix`."""
        return [row for row in self.sessions(limit=100_000) if row.id.startswith(prefix)]

    def events(self, session: str, *kinds: type) -> Iterator[tuple[Event, float]]:
        """The events of a session in order, each with its time; of these `kinds` if any is named,
        which costs little however many others there are."""
        self._write_waiting()
        wanted = " OR ".join([_NAMED] * len(kinds)) or "1"
        rows = self._database.execute(
            f"SELECT line FROM events WHERE session = ? AND ({wanted}) ORDER BY number",
            (session, *(kind.__name__ for kind in kinds)),
        )
        for (line,) in rows:
            yield self._event(session, line)

    def last(self, session: str, kind: type) -> Event | None:
        """The last event of this kind in a session; None where there is none."""
        self._write_waiting()
        row = self._database.execute(
            f"SELECT line FROM events WHERE session = ? AND {_NAMED} ORDER BY number DESC LIMIT 1",
            (session, kind.__name__),
        ).fetchone()
        return self._event(session, row[0])[0] if row else None

    def _event(self, session: str, line: str) -> tuple[Event, float]:
        try:
            return from_json(line)
        except ValueError as error:
            raise SelfhealError(f"the record of session {session} is damaged: {error}") from error

    def audit(self, prefix: str = "") -> list[Record]:
        """The records of the audit log in order; of sessions whose id starts with `prefix`."""
        try:
            return list(self._audit.records(prefix))
        except sqlite3.Error as error:
            raise SelfhealError(f"cannot read the audit log in {self._path}: {error}") from error

    def verify_audit(self) -> Break | Head:
        """Where the audit log was changed first, or its end."""
        with self._writing():
            return self._audit.verify()

    def close(self) -> None:
        """Write what waits, and close."""
        with contextlib.suppress(SelfhealError):
            self._write_waiting()
        self._database.close()
        for session in list(self._claims):
            self._release(session)

    def _open(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_NOFOLLOW | os.O_RDWR, 0o600))
            database = sqlite3.connect(self._path, timeout=_PATIENCE)
        except (OSError, sqlite3.Error) as error:
            raise SelfhealError(f"cannot open {self._path}: {error}") from error
        try:
            _use_wal(database)
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

    def _open_audit(self) -> AuditLog:
        try:
            return AuditLog(self._database, self._path.parent)
        except sqlite3.Error as error:
            self._database.close()
            raise SelfhealError(f"cannot open {self._path}: {error}") from error

    def _entry(self, session: str, event: Event) -> Entry | None:
        """What the audit log is to keep of an event."""
        if not (self._audited and is_audited(event)):
            return None
        asked = self.last(session, ApprovalAsked)
        proposal = self.last(session, ProposalMade)
        told = (event for event, _ in self.events(session, HunksRefused, Committed))
        before = Before(
            asked if isinstance(asked, ApprovalAsked) else None,
            proposal if isinstance(proposal, ProposalMade) else None,
            hunks_since_commit(told),
            self._audit.open_intents(session),
        )
        return entry_of(event, before)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction: all of it or nothing. Nobody else writes from its first statement on, so
        that what it reads is what it goes by."""
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield
        except (sqlite3.Error, OSError) as error:
            raise SelfhealError(f"cannot write the session to {self._path}: {error}") from error

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        with self._writing():
            self._insert(self._waiting)
        self._waiting = []

    def _write(self, waiting: list[tuple[str, str]], session: str, event: Event, at: float) -> None:
        if isinstance(event, SessionStarted):
            self._database.execute(
                "INSERT INTO sessions (id, repository, task, started) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET ended = NULL, exit_code = NULL",
                (session, _bound(event.repository), _bound(event.task), at),
            )
        self._insert(waiting)
        if isinstance(event, SessionEnded):
            self._database.execute(
                "UPDATE sessions SET ended = ?, exit_code = ?, outcome = ?, text = ?, cost = ?"
                " WHERE id = ?",
                (
                    at,
                    event.exit_code,
                    _bound(event.outcome),
                    _bound(event.text),
                    event.cost,
                    session,
                ),
            )

    def _insert(self, lines: list[tuple[str, str]]) -> None:
        self._database.executemany(
            "INSERT INTO events SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM events"
            " WHERE session = ?1",
            lines,
        )

    def _claim(self, session: str) -> None:
        """Make the session this process's own; the system ends the claim when the process dies."""
        if session in self._claims:
            return
        folder = self._path.parent / "sessions" / session
        try:
            for made in (folder.parent, folder):
                made.mkdir(mode=0o700, exist_ok=True)
            claim = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise SelfhealError(f"cannot open {folder}: {error.strerror}") from error
        if not _claimed(claim):
            os.close(claim)
            raise UsageError(f"session {session} is running in another selfheal")
        self._claims[session] = claim

    def _release(self, session: str) -> None:
        if session in self._claims:
            os.close(self._claims.pop(session))


def _bound(text: str | None) -> str | bytes | None:
    """Text as SQLite takes it: what holds surrogates (names that are not UTF-8) as bytes."""
    if text is None or not _SURROGATES.search(text):
        return text
    return text.encode("utf-8", "surrogatepass")


def _row(values: Sequence[Any]) -> SessionRow:
    """A row as it was written; what somebody else left in its place becomes text, or no time."""
    id_, repository, task, started, ended, exit_code, outcome, text, cost = values
    return SessionRow(
        _text(id_),
        _text(repository),
        _text(task),
        started if is_time(started) else 0.0,
        ended if is_time(ended) else None,
        exit_code if isinstance(exit_code, int) else None,
        _text(outcome),
        _text(text),
        cost if fits(cost, float) else 0.0,
    )


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "backslashreplace")


class _Unusable(Exception):
    """The database file is not one that this version can use."""


def _use_wal(database: sqlite3.Connection) -> None:
    """SQLite does not wait for a lock here, as it does elsewhere: another first start holds it."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
        time.sleep(0.02)


def _prepare(database: sqlite3.Connection) -> None:
    if _version(database) == VERSION:
        return
    # One transaction, and looked at again within it: a kill between two statements must not leave
    # half a schema, and another program that starts at the same time must not see half of one.
    with database:
        database.execute("BEGIN IMMEDIATE")
        version = _version(database)
        if version == VERSION:
            return
        if version:
            raise _Unusable(f"of another version ({version})")
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            raise _Unusable("not ours")
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _claimed(claim: int) -> bool:
    """Whether the lock is ours now. A program that a killed run had just begun to start may hold
    its own for some milliseconds more."""
    deadline = time.monotonic() + _CLAIM_SECONDS
    while True:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_CLAIM_SECONDS / 50)
        else:
            return True
