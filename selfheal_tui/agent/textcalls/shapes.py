"""Tool calls in JSON, in any of the shapes that models write them in."""

from __future__ import annotations

from dataclasses import dataclass, field

from selfheal_tui.core.arguments import read_json

_NAMES = ("name", "tool", "tool_name", "function", "action")
_ARGUMENTS = ("arguments", "args", "parameters", "params", "input", "action_input")


@dataclass(frozen=True)
class FoundCall:
    """A call as it stands in a text. `closed` is false when the text ends within it."""

    name: str
    arguments: dict[str, object] = field(default_factory=dict)
    raw: str = ""
    error: str = ""
    closed: bool = True


def calls_of(text: str, *, ended: bool = False) -> list[FoundCall | None]:
    """The calls in a JSON value or list; None for an item that is none. Raises ValueError.

    `ended` says that something after `text` closed it, so that only braces can be missing.
    """
    value = read_json(text, ended=ended)
    return [_call_of(item) for item in (value if isinstance(value, list) else [value])]


def _call_of(value: object) -> FoundCall | None:
    """The call that a JSON value describes, in any of the usual shapes."""
    if not isinstance(value, dict):
        return None
    key = next((key for key in _NAMES if key in value), "")
    named = value.get(key)
    if isinstance(named, dict):
        return _call_of(named)
    if not isinstance(named, str) or not named:
        return None
    given = next((value[key] for key in _ARGUMENTS if key in value), None)
    if given is None:
        given = {other: item for other, item in value.items() if other not in (key, "id", "type")}
    return _with_arguments(named, given)


def _with_arguments(name: str, given: object) -> FoundCall:
    if isinstance(given, str):
        try:
            given = read_json(given)
        except ValueError as problem:
            return FoundCall(name, error=f"the arguments of {name} cannot be read: {problem}")
    if not isinstance(given, dict):
        return FoundCall(name, error=f"the arguments of {name} must be an object")
    return FoundCall(name, given)
