"""`bench.toml`: what a folder that is a case says of itself. Refuses keys that it does not know."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from selfheal_tui.errors import UsageError

FILE = "bench.toml"
_KEYS = ("task", "check", "id", "attempts", "sandbox")


@dataclass(frozen=True)
class Manifest:
    """The content of a `bench.toml`; `id` is the folder's name where it says none."""

    task: str
    check: str
    id: str
    attempts: int | None = None
    sandbox: str = ""


def read_manifest(content: bytes, source: str, folder: str) -> Manifest:
    """Parse a `bench.toml` of the folder of this name; `source` names the file in messages.

    Raises UsageError with the line for what is not understood.
    """
    try:
        text = content.decode("utf-8")
        data = tomli.loads(text)
    except (UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{source}: {error}") from error
    places = _Places(text, source)
    for key in data:
        if key not in _KEYS:
            raise UsageError(f"{places.of(key)}: unknown key `{key}`{_nearest(key)}")
    return Manifest(
        task=_text(data, "task", places),
        check=_text(data, "check", places),
        id=_text(data, "id", places, folder),
        attempts=_attempts(data, places),
        sandbox=_sandbox(data, places),
    )


class _Places:
    """Where in the file a key stands."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source

    def of(self, key: str) -> str:
        beginning = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[\].=]""")
        for number, line in enumerate(self._lines, 1):
            if beginning.match(line):
                return f"{self._source}, line {number}"
        return self._source


def _text(data: Mapping[str, Any], key: str, places: _Places, default: str = "") -> str:
    value = data.get(key, default)
    if not isinstance(value, str) or not value.strip() or not _is_text(value):
        raise UsageError(f"{places.of(key)}: `{key}` must be text that is not empty")
    return value.strip()


def _is_text(value: str) -> bool:
    """Not so are NUL, and what stands for the bytes of a folder's name that are no characters."""
    return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def _attempts(data: Mapping[str, Any], places: _Places) -> int | None:
    value = data.get("attempts")
    if value is None or (type(value) is int and value >= 1):
        return value
    raise UsageError(f"{places.of('attempts')}: `attempts` must be a whole number from 1 on")


def _sandbox(data: Mapping[str, Any], places: _Places) -> str:
    if "sandbox" not in data:
        return ""
    name = _text(data, "sandbox", places)
    if name == "local":
        # Cases come from elsewhere: they do not decide to run on this machine without isolation.
        raise UsageError(
            f"{places.of('sandbox')}: a case cannot choose `local`; it is said with"
            " --sandbox local --yes"
        )
    return name


def _nearest(key: str) -> str:
    close = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; there are {', '.join(_KEYS)}"
