"""Tells a call that a model makes from one that it only repeats from what it was shown.

Files, logs and failures are untrusted: a call that stands in them is never the model's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from selfheal_tui.agent.ports import Message

QUOTED = (
    "this call stands word for word in what you were shown, so it was taken for a quotation and not"
    " run; where you mean it, write it in a way of your own (a comment in a command will do)"
)

_PLACE = re.compile(r"(?:[^\s:]{1,300}:)?[ \t]*\d{1,9}(?::|  |\t)")
"""What a listing or a search puts before a line."""

_MARKS = "+->| \t\r"
"""What a diff or a quotation puts before a line."""


class Shown:
    """What a model was shown in a conversation, but for its own words and the system prompt."""

    def __init__(self, messages: Iterable[Message]) -> None:
        shown = (message.text for message in messages if message.role in ("tool", "user"))
        self._texts = [_bare(text) for text in shown]

    def holds(self, raw: str) -> bool:
        """Whether a call as it was written stands in it, whatever its lines began with there."""
        bare = _bare(raw)
        return bool(bare) and any(bare in text for text in self._texts)


def _bare(text: str) -> str:
    lines = (_PLACE.sub("", line, count=1).strip(_MARKS) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
