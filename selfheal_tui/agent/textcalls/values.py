"""The arguments of a `tool` fence: `key: value` lines and `<<<` texts, typed by the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfheal_tui.core.arguments import read_json

Properties = Mapping[str, Mapping[str, object]]

WHOLE_FILES = frozenset({"content"})
"""Arguments that are a whole file: their last line ends like every other."""

MARKED = re.compile(r"(?:[ \t]*[A-Za-z_]\w*[ \t]*[:=])?[ \t]*(?P<mark><{3,})[ \t\r]*")
"""A line that opens a text of several lines, after its argument's name or alone."""

_ARGUMENT = re.compile(r"[ \t]*(?P<key>[A-Za-z_]\w*)[ \t]*[:=](?P<value>.*)", re.DOTALL)


def read_values(lines: Sequence[str], known: Properties) -> dict[str, object]:
    """The arguments in `lines`. Raises ValueError with a sentence for the model."""
    values = _Values(known)
    for line in lines:
        values.take(line)
    return {key: typed(key, text, known) for key, text in values.finish().items()}


def begins_argument(line: str, known: Properties) -> str:
    """The argument that this line begins; any name will do for a tool that is not known."""
    found = _ARGUMENT.fullmatch(line)
    return found["key"] if found and (not known or found["key"] in known) else ""


def typed(key: str, text: str, known: Properties) -> object:
    """A value as the tool's schema has it; the text itself where it does not fit."""
    kind = known.get(key, {}).get("type")
    if kind == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    if kind not in ("integer", "number", "array", "object"):
        return text
    try:
        return read_json(text)
    except ValueError:
        return text


class _Values:
    """Gathers `key: value` lines; a value may be a `<<<` block, or go on in the next lines."""

    def __init__(self, known: Properties) -> None:
        self._known = known
        self._values: dict[str, list[str]] = {}
        self._key = ""
        self._ending = ""
        self._blocks: set[str] = set()

    def take(self, line: str) -> None:
        if self._ending:
            self._within(line)
        elif key := begins_argument(line, self._known):
            self._begin(key, line)
        elif line.strip("<> \t\r") == "" and (mark := MARKED.fullmatch(line)):
            self._open(mark)
        elif self._key and self._key not in self._blocks:
            self._values[self._key].append(line)
        elif line.strip():
            raise ValueError(f"this line belongs to no argument: {line.strip()[:80]!r}")

    def finish(self) -> dict[str, str]:
        if self._ending:
            raise ValueError(f"the text of `{self._key}` is not closed with {self._ending}")
        return {key: self._joined(key, lines) for key, lines in self._values.items()}

    def _begin(self, key: str, line: str) -> None:
        if key in self._values:
            raise ValueError(f"`{key}` is given twice; put texts of several lines in <<< and >>>")
        self._key, self._values[key] = key, []
        if mark := MARKED.fullmatch(line):
            return self._open(mark)
        found = _ARGUMENT.fullmatch(line)
        self._values[key].append(found["value"].strip(" \t\r") if found else "")
        return None

    def _open(self, mark: re.Match[str]) -> None:
        if not self._key:
            raise ValueError("a <<< text must follow the name of its argument")
        if any(line.strip() for line in self._values[self._key]):
            raise ValueError(f"`{self._key}` has a value already, before its <<<")
        self._values[self._key] = []
        self._blocks.add(self._key)
        self._ending = ">" * len(mark["mark"])

    def _within(self, line: str) -> None:
        if line.strip() == self._ending:
            self._ending = ""
        else:
            self._values[self._key].append(line)

    def _joined(self, key: str, lines: list[str]) -> str:
        text = "\n".join(lines)
        if key not in self._blocks:
            text = _unquoted(text.rstrip("\n"))
        return f"{text}\n" if key in WHOLE_FILES and text else text


def _unquoted(text: str) -> str:
    """A value that is one JSON string as a whole is meant without its quotes."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return str(read_json(text))
    except ValueError:
        return text
