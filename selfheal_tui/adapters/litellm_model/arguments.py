"""Reads the arguments of a tool call. Repairs only what can be meant in one way."""

from __future__ import annotations

import json
import re

_FENCE = re.compile(r"\s*```[a-z]*\s*\n(.*)\n\s*```\s*", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(?=\s*[}\]])', re.DOTALL)


def read_arguments(raw: str) -> dict[str, object]:
    """The JSON object in `raw`; nothing at all is an empty one. Raises ValueError with why not.

    Repaired are: line breaks within strings, a code fence around the whole, a comma before a
    closing bracket, and JSON that was encoded twice.
    """
    if not raw.strip():
        return {}
    value = _first_that_parses(raw)
    if isinstance(value, str):
        value = _first_that_parses(value)
    if not isinstance(value, dict):
        raise ValueError("they must be a JSON object")
    _refuse_half_characters(value)
    return value


def _first_that_parses(raw: str) -> object:
    try:
        return _loads(raw)
    except ValueError as error:
        repaired = _repaired(raw)
        if repaired == raw:
            raise
        try:
            return _loads(repaired)
        except ValueError:
            raise error from None


def _loads(raw: str) -> object:
    try:
        return json.loads(raw, strict=False)
    except json.JSONDecodeError as error:
        raise ValueError(f"they are not valid JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("they are nested too deeply") from error


def _repaired(raw: str) -> str:
    fenced = _FENCE.fullmatch(raw)
    inner = fenced.group(1) if fenced else raw
    return _STRING_OR_COMMA.sub(lambda found: found.group(1) or "", inner)


def _refuse_half_characters(value: dict[str, object]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("they hold half of a character (an unpaired surrogate)") from error
