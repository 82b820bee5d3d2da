"""The plan as text that can be edited: one item a line, its state before it, and back again."""

from __future__ import annotations

import re
from collections.abc import Sequence

Items = tuple[tuple[str, str], ...]
"""Pairs of text and state (todo, doing, done)."""

_MARKS = {"done": "[x] ", "doing": "[>] ", "todo": "[ ] "}
_STATES = {"x": "done", ">": "doing", "": "todo"}
_ITEM = re.compile(r"(?:[-*+]\s+)?\[\s*([xX>]?)\s*\]\s*(.*)")


def as_text(items: Sequence[tuple[str, str]]) -> str:
    """A line for each item."""
    return "\n".join(
        _MARKS.get(state, _MARKS["todo"]) + " ".join(text.split()) for text, state in items
    )


def read_items(text: str) -> Items:
    """The items of what was typed. A line without a mark is still to be done; one without words
    is no item."""
    items = (_item(line.strip()) for line in text.split("\n"))
    return tuple(item for item in items if item[0])


def _item(line: str) -> tuple[str, str]:
    found = _ITEM.fullmatch(line)
    if found is None:
        return " ".join(line.split()), "todo"
    return " ".join(found[2].split()), _STATES[found[1].lower()]
