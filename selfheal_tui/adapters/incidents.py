"""Kept heals in SQLite, found again with FTS5 and BM25: a file of its own beside the sessions'.

Each operation opens the file and closes it again, so that sessions, threads and processes never
meet in it. Refuses to hold secrets: what comes here has passed the redactor.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from selfheal_tui.core.incident import Incident, Known, note_of
from selfheal_tui.core.signature import Signature, likeness, words_of
from selfheal_tui.core.text import printable
from selfheal_tui.errors import SelfhealError

VERSION = 1
FILE = "incidents.db"
MOST_KEPT = 1_000
"""Incidents that are kept; the oldest make room."""

_CANDIDATES = 50
"""The best by BM25, which are then compared one by one."""

_MOST_WORDS = 100
_FIELDS = "id, at, repository, commit_id, message, summary, files, patch, signature, text"

_SCHEMA = """
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    repository TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    message TEXT NOT NULL,
    summary TEXT NOT NULL,
    files TEXT NOT NULL,
    patch TEXT NOT NULL,
    signature TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT ''
);
CREATE VIRTUAL TABLE search USING fts5(words, tokenize="unicode61 tokenchars '_'");
"""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Likeness(Protocol):
    """How alike each of `known` is to `wanted`, from 0 (not at all: never recalled) to 1.

    It is handed what BM25 found, or everything, and its answer decides. May raise SelfhealError.
    """

    def __call__(self, wanted: Signature, known: Sequence[Signature]) -> Sequence[float]: ...


def by_words(wanted: Signature, known: Sequence[Signature]) -> Sequence[float]:
    """Likeness by what both name: words of the error, its type, modules, names and frames."""
    return [likeness(wanted, each) for each in known]


class IncidentStore:
    """All incidents of this user. With `everything`, each is compared with what is looked for, and
    not only those that BM25 finds.

    `warning` says what happened to a file that was damaged, or that nothing can be kept because
    this Python's SQLite has no FTS5. Every method raises SelfhealError where the file cannot be
    used; it may be called in any thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        like: Likeness = by_words,
        everything: bool = False,
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
    ) -> None:
        self._path = folder / FILE
        self._like = like
        self._everything = everything
        self._connect = connect
        self.warning = ""

    def remember(self, incident: Incident) -> int | None:
        """Keep it; its id, None where nothing can be kept. The same heal is kept once."""
        values = _values(incident)
        return self._do(lambda database: _keep(database, values, incident.signature))

    def similar(self, signature: Signature, limit: int) -> list[Known]:
        """The most alike ones first; no two whose notes say the same."""
        words = words_of(signature)[:_MOST_WORDS]
        if not words or limit < 1:
            return []
        query = " OR ".join(f'"{word}"' for word in words)
        candidates = self.all() if self._everything else self._found(query)
        alike = self._like(signature, [known.incident.signature for known in candidates])
        scored = [(s, known) for s, known in zip(alike, candidates, strict=True) if s > 0]
        # Sorting keeps the order of BM25 among equals.
        scored.sort(key=lambda pair: -pair[0])
        told: dict[str, Known] = {}
        for _, known in scored:
            told.setdefault(note_of(known).text, known)
        return list(told.values())[:limit]

    def _found(self, query: str) -> list[Known]:
        return self._do(lambda database: _matching(database, query)) or []

    def all(self) -> list[Known]:
        """Everything that is kept, the latest first."""
        return self._do(lambda database: _rows(database, "ORDER BY at DESC, id DESC")) or []

    def find(self, number: int) -> Known | None:
        found = self._do(lambda database: _rows(database, "WHERE id = ?", number))
        return found[0] if found else None

    def reword(self, number: int, text: str) -> bool:
        """Put the user's wording in place of the note; empty: made from the heal again."""

        def change(database: sqlite3.Connection) -> bool:
            statement = "UPDATE incidents SET text = ? WHERE id = ?"
            return database.execute(statement, (printable(text), number)).rowcount > 0

        return bool(self._do(change))

    def forget(self, number: int | None = None) -> int:
        """Delete one, or all of them for None; how many there were."""

        def delete(database: sqlite3.Connection) -> int:
            where, values = ("", ()) if number is None else (" WHERE rowid = ?", (number,))
            database.execute(f"DELETE FROM search{where}", values)
            return database.execute(f"DELETE FROM incidents{where}", values).rowcount

        return self._do(delete) or 0

    # --- the file --------------------------------------------------------------------------

    def _do(self, work: Work[T]) -> T | None:
        """The result of `work` in a transaction; None where FTS5 is missing."""
        try:
            return self._tried(work)
        except _NoSearch:
            self.warning = (
                "earlier heals are neither kept nor recalled: this Python's SQLite lacks FTS5"
            )
            return None
        except _Unusable as error:
            self._put_aside(error)
        try:
            return self._tried(work)
        except _Unusable as error:
            raise self._error(error) from error

    def _tried(self, work: Work[T]) -> T:
        with contextlib.closing(self._connected()) as database, self._telling_damage():
            self._prepare(database)
            return _in_transaction(database, work)

    def _connected(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_NOFOLLOW | os.O_RDWR, 0o600))
            return self._connect(self._path, timeout=10, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._error(error) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Make the tables of a new file; one process at a time."""
        if _version(database) == VERSION:
            return
        with self._alone():
            if _version(database) == VERSION:
                return
            if not _is_new(database):
                raise _Unusable("of another version")
            database.execute("PRAGMA journal_mode = WAL")
            _make(database)

    def _put_aside(self, error: _Unusable) -> None:
        """Keep the file under another name, unless another process did so meanwhile."""
        with self._alone():
            if self._is_usable():
                return
            kept = self._path.with_name(f"{FILE}.damaged-{time.time_ns()}")
            try:
                self._path.rename(kept)
                for end in ("-wal", "-shm"):
                    self._path.with_name(FILE + end).unlink(missing_ok=True)
            except OSError as problem:
                raise self._error(problem) from problem
        self.warning = f"the memory of earlier heals was {error}; it is kept as {kept.name}"

    def _is_usable(self) -> bool:
        with contextlib.closing(self._connected()) as database:
            try:
                with self._telling_damage():
                    return _is_new(database) or _is_sound(database)
            except _Unusable:
                return False

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else makes or moves the file meanwhile. The folder is what is locked: no lock file
        is left by whoever is killed."""
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._error(error) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _telling_damage(self) -> Iterator[None]:
        """Tells apart what the file is to blame for from what the moment is."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "no such module" in str(error):
                raise _NoSearch from error
            if str(error).startswith(("no such table", "no such column")):
                raise _Unusable("not ours") from error
            raise self._error(error) from error
        except sqlite3.DatabaseError as error:
            raise _Unusable("damaged") from error

    def _error(self, error: Exception) -> SelfhealError:
        return SelfhealError(f"cannot use {self._path}: {error}")


class _Unusable(Exception):
    """The file is not one that this version can use."""


class _NoSearch(Exception):
    """This Python's SQLite has no FTS5."""


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_new(database: sqlite3.Connection) -> bool:
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and not _version(database)


def _is_sound(database: sqlite3.Connection) -> bool:
    """Whether the file is ours and every page and row of it can be read."""
    (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
    _rows(database, "ORDER BY id")
    database.execute("INSERT INTO search(search) VALUES ('integrity-check')")
    return state == "ok" and _version(database) == VERSION


def _make(database: sqlite3.Connection) -> None:
    # One transaction: a kill between two statements must not leave half a schema.
    database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")


def _in_transaction(database: sqlite3.Connection, work: Work[T]) -> T:
    database.execute("BEGIN IMMEDIATE")
    try:
        done = work(database)
        database.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    return done


# --- rows ----------------------------------------------------------------------------------


def _values(incident: Incident) -> dict[str, Any]:
    """The columns of an incident. Everything is text that SQLite takes, whatever it was."""
    files = json.dumps([printable(path) for path in incident.files])
    repository, message = printable(incident.repository), printable(incident.message)
    signature = incident.signature.to_json()
    same = json.dumps([repository, message, files, signature])
    return {
        "key": hashlib.sha256(same.encode()).hexdigest(),
        "at": incident.at,
        "repository": repository,
        "commit_id": printable(incident.commit),
        "message": message,
        "summary": printable(incident.summary),
        "files": files,
        "patch": printable(incident.patch),
        "signature": signature,
    }


def _keep(database: sqlite3.Connection, values: dict[str, Any], signature: Signature) -> int:
    found = database.execute("SELECT id FROM incidents WHERE key = :key", values).fetchone()
    if found is not None:
        database.execute(
            "UPDATE incidents SET at = :at, commit_id = :commit_id, summary = :summary,"
            " patch = :patch WHERE key = :key",
            values,
        )
        return int(found[0])
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    database.execute(f"INSERT INTO incidents ({columns}) VALUES ({marks})", values)
    (number,) = database.execute("SELECT last_insert_rowid()").fetchone()
    words = " ".join(words_of(signature))
    database.execute("INSERT INTO search (rowid, words) VALUES (?, ?)", (number, words))
    _make_room(database)
    return int(number)


def _make_room(database: sqlite3.Connection) -> None:
    oldest = database.execute(
        "SELECT id FROM incidents ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?", (MOST_KEPT,)
    ).fetchall()
    database.executemany("DELETE FROM search WHERE rowid = ?", oldest)
    database.executemany("DELETE FROM incidents WHERE id = ?", oldest)


def _matching(database: sqlite3.Connection, query: str) -> list[Known]:
    return _rows(
        database,
        "JOIN (SELECT rowid AS row, bm25(search) AS rank FROM search WHERE search MATCH ?"
        " ORDER BY rank LIMIT ?) ON row = id ORDER BY rank, at DESC",
        query,
        _CANDIDATES,
    )


def _rows(database: sqlite3.Connection, what: str, *values: object) -> list[Known]:
    rows = database.execute(f"SELECT {_FIELDS} FROM incidents {what}", values)
    return [_known(*row) for row in rows]


def _known(number: int, at: float, *columns: Any) -> Known:
    repository, commit, message, summary, files, patch, signature, text = columns
    if not all(isinstance(column, str) for column in columns):
        raise _Unusable("damaged")
    try:
        incident = Incident(
            Signature.from_json(signature),
            message,
            summary,
            tuple(map(str, json.loads(files))),
            patch,
            repository,
            commit,
            float(at),
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise _Unusable("damaged") from error
    return Known(number, incident, text)
