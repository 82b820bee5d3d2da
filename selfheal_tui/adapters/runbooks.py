"""The user's own runbooks (`incidents.md`), searched on the fly by FTS5 and BM25 in memory.

Refuses to fail: a file that is missing, odd or no file at all holds nothing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path

from selfheal_tui.core.incident import Note, note
from selfheal_tui.core.runbook import Section, sections
from selfheal_tui.core.signature import ENOUGH_IN_COMMON, Signature, mentioned, words_of

FILE = "incidents.md"
MOST_READ = 256 * 1024
"""Bytes that are read of it; what follows is left out."""

_MOST_WORDS = 100


def read_runbook(path: Path) -> tuple[Section, ...]:
    """The sections of the file; none where there is no such file."""
    try:
        # A FIFO without a writer must not hang the run.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return ()
        content = os.read(number, MOST_READ)
    except OSError:
        return ()
    finally:
        os.close(number)
    return sections(content.decode("utf-8", "replace"))


def matching(found: Sequence[Section], signature: Signature, limit: int) -> list[Note]:
    """Notes of the sections that name enough of a symptom, the best by BM25 first.

    Empty where this Python's SQLite has no FTS5.
    """
    words = words_of(signature)[:_MOST_WORDS]
    telling = [s for s in found if mentioned(signature, _whole(s)) >= ENOUGH_IN_COMMON]
    if not words or not telling:
        return []
    try:
        order = _ranked([_whole(section) for section in telling], words)
    except sqlite3.Error:
        return []
    return [_note(telling[number]) for number in order[:limit]]


def _ranked(texts: Sequence[str], words: Sequence[str]) -> list[int]:
    """The positions of the texts that hold any of the words, the best first."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE VIRTUAL TABLE search USING fts5(text, tokenize=\"unicode61 tokenchars '_'\")"
        )
        rows = enumerate(texts)
        database.executemany("INSERT INTO search (rowid, text) VALUES (?, ?)", rows)
        query = " OR ".join(f'"{word}"' for word in words)
        found = database.execute(
            "SELECT rowid FROM search WHERE search MATCH ? ORDER BY bm25(search), rowid", (query,)
        )
        return [number for (number,) in found]


def _whole(section: Section) -> str:
    return f"{section.heading}\n{section.text}"


def _note(section: Section) -> Note:
    origin = "your own runbook"
    return note(f"{origin}, {section.heading}" if section.heading else origin, section.text)
