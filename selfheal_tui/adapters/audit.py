"""The audit log in the store's database, with its head in a file beside it.

The head is written before a record, as what comes next, and again after it: a log that lost its
last records, or gained some, does not end where its head says. Refuses to go on silently after a
break: it adds a record that says so.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from selfheal_tui.core.audit import (
    BEGUN,
    BROKEN,
    Break,
    Head,
    Heads,
    Record,
    canonical,
    chain,
    verify,
)
from selfheal_tui.core.audited import Entry, open_intents

HEAD_FILE = "audit.head"

_TABLE = """
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY,
    previous TEXT NOT NULL,
    at REAL NOT NULL,
    session TEXT NOT NULL,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    hash TEXT NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS audit_by_session ON audit(session, number)"

_COLUMNS = ("previous", "session", "kind", "fields", "hash")
_SELECT = "SELECT number, at, {}, {} FROM audit".format(
    " || ' ' || ".join(f"typeof({name})" for name in _COLUMNS),
    ", ".join(f"CAST({name} AS BLOB)" for name in _COLUMNS),
)
"""Text comes as bytes, beside its type: whoever changed a row may have left anything there."""


class AuditLog:
    """The log of one state folder. Methods that write, and `verify`, want to be called within a
    transaction that has the database to itself; they raise OSError and sqlite3.Error."""

    def __init__(self, database: sqlite3.Connection, folder: Path) -> None:
        self._database = database
        self._folder = folder
        # What is there already is not touched: an older store begins its log here.
        database.execute(_TABLE)
        database.execute(_INDEX)

    def add(self, session: str, entry: Entry, at: float) -> None:
        """Write a record; `confirm` is to follow once the transaction has ended."""
        found = self._head()
        kept, why = self._kept()
        records = []
        if kept is None or not kept.allow(found):
            records.append(self._first(found, kept, why, session, at))
        head = records[-1].head if records else found
        records.append(chain(head, at, session, entry.kind, canonical(entry.fields)))
        self._keep(Heads(found, records[-1].head))
        self._database.executemany(
            "INSERT INTO audit (number, previous, at, session, kind, fields, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            map(astuple, records),
        )

    def confirm(self) -> None:
        """Keep the log's head as what is surely there."""
        self._keep(Heads(self._head()))

    def records(self, prefix: str = "") -> Iterator[Record]:
        """The records in order; of the sessions whose id starts with `prefix`."""
        for row in self._database.execute(f"{_SELECT} ORDER BY number"):
            record = _record(row)
            if record.session.startswith(prefix):
                yield record

    def verify(self) -> Break | Head:
        """The first break of the log, or its end."""
        kept, why = self._kept()
        if why:
            return Break(self._head().length, why)
        return verify(self.records(), kept)

    def open_intents(self, session: str) -> tuple[str, ...]:
        """What this session began and told no outcome of."""
        rows = self._database.execute(
            "SELECT kind FROM audit WHERE session = ? ORDER BY number", (session,)
        )
        return open_intents(kind for (kind,) in rows)

    def _first(
        self, found: Head, kept: Heads | None, why: str | None, session: str, at: float
    ) -> Record:
        """The record before the one that is asked for: the log begins, or was broken."""
        if found == Head() and kept is None and why is None:
            (older,) = self._database.execute(
                "SELECT count(*) FROM sessions WHERE id != ?", (session,)
            ).fetchone()
            return chain(found, at, session, BEGUN, canonical({"sessions_before": older}))
        wanted = None if kept is None else (kept.next or kept.sure).length
        fields = {"found_records": found.length, "expected_records": wanted, "why": why or ""}
        return chain(found, at, session, BROKEN, canonical(fields))

    def _head(self) -> Head:
        row = self._database.execute(f"{_SELECT} ORDER BY number DESC LIMIT 1").fetchone()
        return _record(row).head if row else Head()

    def _kept(self) -> tuple[Heads | None, str | None]:
        """What the file holds, and why it cannot be read."""
        try:
            descriptor = os.open(self._folder / HEAD_FILE, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None, None
        except OSError as error:
            return None, f"the head of the audit log cannot be read: {error.strerror}"
        with os.fdopen(descriptor, "rb") as file:
            try:
                return Heads.from_json(file.read(4096).decode()), None
            except ValueError as error:
                return None, str(error)

    def _keep(self, heads: Heads) -> None:
        """Write the file as a whole, also should the power fail."""
        fresh = self._folder / f"{HEAD_FILE}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "w") as file:
            file.write(heads.to_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / HEAD_FILE)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _record(row: tuple[int, object, str, bytes, bytes, bytes, bytes, bytes]) -> Record:
    """A row as a record; of another type than it was written with, it can match no hash."""
    number, at, types, *texts = row
    if types != " ".join(["text"] * len(_COLUMNS)):
        texts[-1] = b"of another type"
    previous, session, kind, fields, digest = (
        text.decode("utf-8", "backslashreplace") for text in texts
    )
    return Record(
        number, previous, at if isinstance(at, float) else math.nan, session, kind, fields, digest
    )
