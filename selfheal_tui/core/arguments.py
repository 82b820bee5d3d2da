"""Reads the JSON of a tool call. Repairs only what can be meant in one way.

Takes any text, in linear time; raises nothing but ValueError, with a sentence for the model.
"""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r'(?P<double>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<single>'(?:[^'\\]|\\.)*'?)"
    r"|(?P<comma>,(?=\s*[}\]]))"
    r"|(?P<literal>\b(?:True|False|None)\b)",
    re.DOTALL,
)
_QUOTE = re.compile(r'\\(.)|"', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]', re.DOTALL)
_COMPLETE = re.compile(r'(?:["}\]]|\b(?:true|false|null))\Z')
_LITERALS = {"True": "true", "False": "false", "None": "null"}
_MOST_MISSING = 3
_SHOWN = 24


def read_arguments(raw: str, *, ended: bool = False) -> dict[str, object]:
    """The JSON object in `raw`; nothing at all is an empty one. Raises ValueError with why not.

    `ended` as in `read_json`.
    """
    if not raw.strip():
        return {}
    value = read_json(raw, ended=ended)
    if isinstance(value, str):
        value = read_json(value, ended=ended)
    if not isinstance(value, dict):
        raise ValueError("this must be a JSON object")
    return value


def read_json(raw: str, *, ended: bool = False) -> object:
    """The JSON value in `raw`. Raises ValueError with what is wrong and where.

    Repaired are line breaks within strings, a code fence around the whole, a comma before a
    closing bracket, strings in single quotes, and Python's True, False and None. Where the writer
    is known to have `ended` by itself, the closing braces of objects may also be missing after a
    complete value. A list, a string or a number that is not closed may lack content, and is
    refused; so is a key with two values.
    """
    value = _first_that_parses(raw, ended=ended)
    _refuse_half_characters(value)
    return value


def _first_that_parses(raw: str, *, ended: bool) -> object:
    try:
        return _loads(raw)
    except _TwoValues:
        raise
    except ValueError as error:
        repaired = _repaired(raw)
        for candidate in (repaired, _closed(repaired) if ended else repaired):
            try:
                return _loads(candidate)
            except _TwoValues:
                raise
            except ValueError:
                continue
        raise error from None


class _TwoValues(ValueError):
    """Valid JSON, but a key has two different values: nobody knows which is meant."""


def _loads(raw: str) -> object:
    try:
        return json.loads(raw, strict=False, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        near = raw[max(error.pos - _SHOWN, 0) : error.pos + _SHOWN]
        raise ValueError(f"this is not valid JSON: {error}, near {near!r}") from error
    except RecursionError as error:
        raise ValueError("this is nested too deeply") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made and made[key] != value:
            raise _TwoValues(f"the key {key[:80]!r} is given twice with different values")
        made[key] = value
    return made


def _repaired(raw: str) -> str:
    return _TOKEN.sub(_as_json, _unfenced(raw.strip()))


def _as_json(token: re.Match[str]) -> str:
    if token["single"] is not None:
        return _double_quoted(token["single"])
    if token["literal"] is not None:
        return _LITERALS[token["literal"]]
    return token["double"] or ""


def _double_quoted(text: str) -> str:
    """A string in single quotes as JSON has it; one that is not closed stays as it is."""
    if len(text) < 2 or not text.endswith("'"):
        return text

    def escaped(found: re.Match[str]) -> str:
        if found[0] == '"':
            return '\\"'
        return "'" if found[1] == "'" else found[0]

    return f'"{_QUOTE.sub(escaped, text[1:-1])}"'


def _closed(text: str) -> str:
    """`text` with the few closing braces that it lacks; as it is where a list lacks its end."""
    if not _COMPLETE.search(text):
        return text
    open_brackets: list[str] = []
    for token in _BRACKET.finditer(text):
        if token[0] in "{[":
            open_brackets.append(token[0])
        elif token[0] in "}]" and open_brackets:
            open_brackets.pop()
    missing = len(open_brackets)
    if missing > _MOST_MISSING or "[" in open_brackets:
        return text
    return text + "}" * missing


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
