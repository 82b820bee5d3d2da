"""What a tool call is about, in a few words for its folded line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from selfheal_tui.core.text import one_line

LONGEST = 400


def gist(name: str, arguments: str) -> str:
    """One printable line: the path, the command, the pattern; the arguments when unknown."""
    try:
        values = json.loads(arguments)
    except ValueError:
        return one_line(arguments, LONGEST)
    if not isinstance(values, dict):
        return one_line(arguments, LONGEST)
    say = _SAYS.get(name, _fields)
    return one_line(
        say({key: value for key, value in values.items() if value is not None}), LONGEST
    )


def argument_lines(arguments: str) -> list[tuple[str, str]]:
    """Name and text of each argument; one nameless text where they cannot be read."""
    try:
        values = json.loads(arguments)
    except ValueError:
        return [("", arguments)]
    if not isinstance(values, dict):
        return [("", arguments)]
    return [(str(name), _plain(value)) for name, value in values.items()]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fields(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_plain(value)}" for name, value in values.items())


def _read_file(values: dict[str, Any]) -> str:
    lines = "-".join(str(values[key]) for key in ("start", "end") if key in values)
    return f"{values.get('path', '')} {lines}"


def _search(values: dict[str, Any]) -> str:
    places = [str(values[key]) for key in ("path", "glob") if values.get(key)]
    return " in ".join([str(values.get("pattern", "")), *places])


def _plan(values: dict[str, Any]) -> str:
    items = values.get("items") or values.get("steps") or []
    return f"{len(items)} items" if isinstance(items, list) else _fields(values)


def _field(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda values: _plain(values.get(name, ""))


_SAYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "bash": _field("command"),
    "read_file": _read_file,
    "edit_file": _field("path"),
    "write_file": _field("path"),
    "search": _search,
    "update_plan": _plan,
    "submit_plan": _plan,
    "ask_user": _field("question"),
    "submit": _field("summary"),
    "submit_review": _field("verdict"),
}
