"""Reads the JSON of a tool call. Repairs only what can be meant in one way.

Takes any text, in linear time; raises nothing but ValueError, with a sentence for the model.
"""

from __future__ import annotations

import json
import re

_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(?=\s*[}\]])', re.DOTALL)


def read_arguments(raw: str) -> dict[str, object]:
    """The JSON object in `raw`; nothing at all is an empty one. Raises ValueError with why not."""
    if not raw.strip():
        return {}
    value = read_json(raw)
    if isinstance(value, str):
        value = read_json(value)
    if not isinstance(value, dict):
        raise ValueError("this must be a JSON object")
    return value


def read_json(raw: str) -> object:
    """The JSON value in `raw`. Raises ValueError with why it cannot be read.

    Repaired are line breaks within strings, a code fence around the whole, and a comma before a
    closing bracket.
    """
    value = _first_that_parses(raw)
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
        raise ValueError(f"this is not valid JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("this is nested too deeply") from error


def _repaired(raw: str) -> str:
    return _STRING_OR_COMMA.sub(lambda found: found.group(1) or "", _unfenced(raw.strip()))


def _unfenced(text: str) -> str:
    if not (text.startswith("```") and text.endswith("```") and "\n" in text):
        return text
    return text[text.index("\n") + 1 : -3]


def _refuse_half_characters(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("this holds half of a character (an unpaired surrogate)") from error
    except RecursionError as error:
        raise ValueError("this is nested too deeply") from error
