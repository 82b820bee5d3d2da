"""The audit log as somebody else reads it: rows and a file, hashed again by this module alone.

Refuses to use the product's own verification: it is what is to be checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APPROVERS = ("user", "--yes")
_ROWS = "SELECT number, previous, at, session, kind, fields, hash FROM audit ORDER BY number"
_START = {"length": 0, "hash": "0" * 64}


@dataclass
class Chain:
    """`records` are the log's records as (kind, fields) in order, `broken` why it is none."""

    records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    broken: str = ""

    def approved(self, about: str, **wanted: Any) -> bool:
        """Whether a record says that somebody who may approved just that."""
        return any(
            kind == "approval"
            and record["about"] == about
            and record["granted"] is True
            and record["by"] in APPROVERS
            and all(record.get(name) == value for name, value in wanted.items())
            for kind, record in self.records
        )

    def unapproved(self) -> Iterator[str]:
        """The deeds of the log that no approval before them covers."""
        so_far = Chain()
        for kind, record in self.records:
            wanted = _wanted(kind, record)
            if wanted and not so_far.approved(wanted[0], **wanted[1]):
                yield f"{kind} of {wanted[1]} without an approval by {' or '.join(APPROVERS)}"
            so_far.records.append((kind, record))


def _wanted(kind: str, record: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The approval that a record of this kind must come after."""
    match kind:
        case "commit begun" | "commit made":
            return "commit", {name: record[name] for name in ("tree", "ref")}
        case "push begun" | "push made":
            return "push", {name: record[name] for name in ("commit", "url", "ref")}
        case "update begun" | "update made":
            return "worktree", {name: record[name] for name in ("tree", "paths")}
        case "undo begun" | "undo made":
            return "undo", {name: record[name] for name in ("commit", "ref", "new")}
        case "set-up begun":
            return "setup", {"command": record["command"]}
    return None


def chain_of(state: Path, copy: Path) -> Chain | None:
    """The log of a state folder, read from `copy`, a copy of its database; None for no log,
    or for a database that is none (which its other readers tell)."""
    if not copy.exists():
        return None
    with contextlib.closing(sqlite3.connect(copy)) as database:
        try:
            rows = database.execute(_ROWS).fetchall()
        except sqlite3.DatabaseError:
            return None
    chain, head = Chain(), dict(_START)
    for number, previous, at, session, kind, fields, digest in rows:
        content = json.dumps([previous, number, at, session, kind, fields], separators=(",", ":"))
        sound = hashlib.sha256(content.encode()).hexdigest() == digest
        follows = (previous, number) == (head["hash"], head["length"] + 1)
        if not (sound and follows) or kind == "log broken":
            chain.broken = f"record {number} ({kind}) does not follow: {fields}"
            return chain
        head = {"length": number, "hash": digest}
        chain.records.append((kind, json.loads(fields)))
    chain.broken = _at_the_end(state / "audit.head", head)
    return chain


def _at_the_end(file: Path, head: dict[str, Any]) -> str:
    """Why a log that ends so is not the one that the file beside it tells of."""
    if not file.exists():
        return "its head is missing" if head != _START else ""
    kept = json.loads(file.read_text())
    if head in (kept["sure"], kept["next"]):
        return ""
    return f"it ends with {head}, and its head says {kept}"
