"""`selfheal audit [ID]`: what was approved, by whom, and what was done about it.

Refuses to mend anything: a log that was changed stays as it is found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from selfheal_tui.adapters.store import Store
from selfheal_tui.cli.compose import Place
from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.audit import BEGUN, Break, Head, Record
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.redact import Redactor, redacted
from selfheal_tui.core.text import on_one_line, printable
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import resolve


def main(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="selfheal audit",
        description="Show the log of approvals, set-ups, commits, pushes and undos, or verify that"
        " nobody changed it.",
    )
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="a session, or its start")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--verify", action="store_true", help="check the whole log: exit 1 where it was changed"
    )
    options = parser.parse_args(arguments)
    if options.verify and options.id:
        raise UsageError("--verify goes over the whole log: name no session")
    place = Place.from_process(None)
    store = place.store()
    try:
        if store.warning:
            print(printable(f"selfheal: {store.warning}"), file=sys.stderr)
        if options.verify:
            return _verify(store, as_json=options.json)
        return _show(store, _redactor(place), options.id, as_json=options.json)
    finally:
        store.close()


def _redactor(place: Place) -> Redactor:
    """What became a secret after it was recorded is not shown either."""
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    return Redactor.from_environment(place.environment, settings.privacy.redact)


def _show(store: Store, redactor: Redactor, prefix: str, *, as_json: bool) -> int:
    records = store.audit(prefix)
    if prefix and not records:
        raise UsageError(f"the audit log has no record of a session whose id starts with {prefix}")
    for record in records:
        fields = _redacted(_fields(record), redactor)
        if as_json:
            print(plain_json({**asdict(record), "fields": fields}))
        else:
            print("\n".join(map(on_one_line, _lines(record, fields))))
    if not records and not as_json:
        print("no records")
    return 0


def _verify(store: Store, *, as_json: bool) -> int:
    found = store.verify_audit()
    ok = isinstance(found, Head)
    if as_json:
        print(plain_json({"ok": ok, **asdict(found)}))
        return 0 if ok else 1
    match found:
        case Break(number, text):
            print(on_one_line(f"the audit log was changed: record {number}: {text}"))
        case Head(length, digest):
            print(f"the audit log is whole: {length} records, the last one is {digest}")
            _say_where_it_begins(store)
    return 0 if ok else 1


def _say_where_it_begins(store: Store) -> None:
    first = next((record for record in store.audit() if record.kind == BEGUN), None)
    older = _fields(first).get("sessions_before") if first else 0
    if older:
        print(f"sessions that are older than the log, and have no records there: {older}")


def _lines(record: Record, fields: dict[str, Any]) -> list[str]:
    head = f"{record.number:>5}  {_when(record.at)}  {record.session}  {record.kind}"
    return [head, *(f"       {name:<15} {_value(value)}" for name, value in fields.items())]


def _when(at: float) -> str:
    try:
        return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{'(no time)':<19}"  # Somebody changed it; --verify says so.


def _value(value: Any) -> str:
    """A value on one line: text as it is, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\n", " ") or "-"


def _fields(record: Record) -> dict[str, Any]:
    try:
        fields = json.loads(record.fields)
    except ValueError:
        return {"unreadable": record.fields}
    return fields if isinstance(fields, dict) else {"unreadable": record.fields}


def _redacted(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        return {name: _redacted(item, redactor) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, redactor) for item in value]
    return redacted(value, redactor)
