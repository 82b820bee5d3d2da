"""Calls as Mistral's models write them where a server does not read them: the marker
`[TOOL_CALLS]`, then a list of objects, or each call as a name and an object."""

from __future__ import annotations

import json
import re

from selfheal_tui.agent.textcalls.shapes import FoundCall, calls_of

MARKER = "[TOOL_CALLS]"

_NAMED = re.compile(
    r"\s*(?:\[TOOL_CALLS\])?\s*(?P<name>[A-Za-z_][\w.-]{0,63})"
    r"(?:\[CALL_ID\][\w-]{0,64})?(?:\[ARGS\])?\s*(?=\{)"
)
_LISTED = re.compile(r"\s*(?=\[\s*\{)")


def calls_after(text: str, start: int) -> tuple[list[FoundCall], int]:
    """The calls that follow a marker, which ends at `start`, and where they end. None is found
    where something else follows."""
    decoder = json.JSONDecoder(strict=False)
    if listed := _LISTED.match(text, start):
        return _listed(decoder, text, start, listed.end())
    found: list[FoundCall] = []
    at = start
    while named := _NAMED.match(text, at):
        end = _end_of_value(decoder, text, named.end())
        raw = text[at:end]
        wrapped = f'{{"name": {json.dumps(named["name"])}, "arguments": {text[named.end() : end]}}}'
        found.append(_one(wrapped, named["name"], raw))
        at = end
    return found, at


def _listed(
    decoder: json.JSONDecoder, text: str, start: int, begins: int
) -> tuple[list[FoundCall], int]:
    end = _end_of_value(decoder, text, begins)
    raw = text[start:end]
    try:
        made = [call for call in calls_of(text[begins:end]) if call]
    except ValueError as problem:
        made = [FoundCall("", error=f"the tool call cannot be read: {problem}")]
    return [FoundCall(call.name, call.arguments, raw, call.error) for call in made], end


def _one(wrapped: str, name: str, raw: str) -> FoundCall:
    try:
        (call,) = calls_of(wrapped)
    except ValueError as problem:
        return FoundCall(name, {}, raw, f"the call of {name} cannot be read: {problem}")
    if call is None:
        return FoundCall(name, {}, raw, f"the arguments of {name} must be an object")
    return FoundCall(name, call.arguments, raw, call.error)


def _end_of_value(decoder: json.JSONDecoder, text: str, start: int) -> int:
    """Where the JSON value ends; the end of the text where it cannot be read."""
    try:
        return decoder.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return len(text)
