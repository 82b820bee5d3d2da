"""The log of approvals and side effects as a chain: each record's hash holds the one before it.

Pure values and arithmetic. The chain has no key: who can write all of it, and its head, can forge
it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

START = "0" * 64
"""Stands for the hash before the first record."""

BEGUN = "log begun"
"""The kind of the first record; `sessions_before` counts the sessions that are older."""

BROKEN = "log broken"
"""The kind of a record that was added where the log no longer was what its head says."""


@dataclass(frozen=True)
class Record:
    """One line of the log. `number` counts from 1, `at` is seconds since the epoch, `fields`
    canonical JSON (an object), `previous` and `hash` are SHA-256 in hex."""

    number: int
    previous: str
    at: float
    session: str
    kind: str
    fields: str
    hash: str

    @property
    def head(self) -> Head:
        """The end of a log that ends with this record."""
        return Head(self.number, self.hash)


@dataclass(frozen=True)
class Head:
    """The end of a log: how many records it has, and the hash of the last one."""

    length: int = 0
    hash: str = START


@dataclass(frozen=True)
class Heads:
    """What is kept of the head beside the log: `sure` was written; `next` is being written, and
    after a crash either of them is the log's end."""

    sure: Head
    next: Head | None = None

    def allow(self, head: Head) -> bool:
        """Whether a log may end there."""
        return head in (self.sure, self.next)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Heads:
        """What `to_json` wrote. Raises ValueError for anything else."""
        try:
            data = json.loads(text)
            after = data["next"]
            return cls(Head(**data["sure"]), Head(**after) if after else None)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError("the head of the audit log cannot be read") from error


@dataclass(frozen=True)
class Break:
    """The first place where the log is not what was written. `number` is the record's."""

    number: int
    text: str


def canonical(fields: Mapping[str, object]) -> str:
    """The one way in which these fields are written: ASCII, names in order, no blanks."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def chain(head: Head, at: float, session: str, kind: str, fields: str) -> Record:
    """The record that follows `head`; `fields` is canonical."""
    number = head.length + 1
    digest = _digest(number, head.hash, at, session, kind, fields)
    return Record(number, head.hash, at, session, kind, fields, digest)


def verify(records: Iterable[Record], heads: Heads | None) -> Break | Head:
    """The first break of the chain, or its end.

    `heads` is what is kept beside the log, None where nothing is: only an empty log has none.
    """
    head = Head()
    for record in records:
        if text := _why_broken(record, head):
            return Break(head.length + 1, text)
        head = record.head
    if heads is None and head.length:
        return Break(head.length, "its head, which is kept beside the log, is missing")
    if heads is not None and not heads.allow(head):
        return Break(*_at_the_end(head, heads))
    return head


def _why_broken(record: Record, head: Head) -> str:
    """Why `record` cannot follow `head`; empty where it does."""
    number = head.length + 1
    if record.number != number:
        return f"it is missing: record {record.number} comes in its place"
    if record.previous != head.hash:
        return "it does not follow the one before it: a record was inserted, changed or moved"
    content = (record.at, record.session, record.kind, record.fields)
    if record.hash != _digest(number, record.previous, *content):
        return "it was changed: its hash is not that of its content"
    if record.kind == BROKEN:
        return f"the log before it was not what its head said: {record.fields}"
    return ""


def _at_the_end(head: Head, heads: Heads) -> tuple[int, str]:
    wanted = heads.next or heads.sure
    if head.length < wanted.length:
        return head.length + 1, f"it is missing: the log had {wanted.length} records"
    if head.length > wanted.length:
        return (
            wanted.length + 1,
            "it was added by something else: the log's head knows nothing of it",
        )
    return head.length, "it is not the one that the log's head names"


def _digest(number: int, previous: str, at: float, session: str, kind: str, fields: str) -> str:
    content = json.dumps([previous, number, at, session, kind, fields], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
