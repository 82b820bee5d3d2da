"""Tells a text from thinking that a server left in it: calls within thinking are never made."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selfheal_tui.agent.textcalls.shapes import FoundCall

_TAG = re.compile(r"<(?P<close>/?)think>")


def without_thinking(text: str, calls: Iterable[FoundCall]) -> str:
    """`text` without thinking, in linear time: from `<think>`, or the beginning where a server ate
    that tag, to `</think>`. A tag within a closed call of `calls` is that call's content."""
    kept: list[str] = []
    at, opened = 0, -1
    for tag in _TAG.finditer(_masked(text, calls)):
        if not tag["close"]:
            opened = tag.start() if opened < 0 else opened
            continue
        if opened >= 0:
            kept.append(text[at:opened])
        else:
            kept.clear()
        at, opened = tag.end(), -1
    return "".join(kept) + text[at : opened if opened >= 0 else len(text)]


def _masked(text: str, calls: Iterable[FoundCall]) -> str:
    """`text` with closed calls blanked out; as long as it was."""
    pieces: list[str] = []
    at = 0
    for call in calls:
        start = text.find(call.raw, at) if call.closed and call.raw else -1
        if start >= 0:
            pieces += [text[at:start], " " * len(call.raw)]
            at = start + len(call.raw)
    return "".join(pieces) + text[at:]
