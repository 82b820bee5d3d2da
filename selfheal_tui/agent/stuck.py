"""Notices that a conversation goes in circles: first a nudge, then the end of the attempt."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from selfheal_tui.agent.ports import ToolCall

SAME = 3
ALTERNATING = 6
FAILED_EDITS = 4
SILENT = 2

_EDITS = ("edit_file", "write_file")


def decides(call: ToolCall) -> bool:
    """Whether a failure of `call` says that the work is not as the model thinks it is: an edit, or
    a call that could not be read. A command that fails may be just what was looked for."""
    return call.name in _EDITS or bool(call.error)


@dataclass(frozen=True)
class Stuck:
    """A sentence for the model; `ends` when it was nudged before and the attempt is over."""

    reason: str
    ends: bool


class Watch:
    """Sees every call of one conversation. An answer without a call is seen as the name ``."""

    def __init__(self) -> None:
        self._calls: deque[tuple[str, str]] = deque(maxlen=ALTERNATING)
        self._failed_edits = 0
        self._silent = 0
        self._nudged = False

    def see(self, name: str, arguments: Mapping[str, object], *, ok: bool) -> Stuck | None:
        """Take one call; a Stuck when a circle has closed."""
        self._note(name, arguments, ok=ok)
        reason = self._circle()
        if not reason:
            return None
        self._calls.clear()
        self._failed_edits = self._silent = 0
        ends, self._nudged = self._nudged, True
        return Stuck(reason, ends)

    def cut_off(self, reason: str) -> Stuck:
        """Take an answer that had to be cut off: the second of them ends the attempt."""
        ends, self._nudged = self._nudged, True
        return Stuck(reason, ends)

    def _note(self, name: str, arguments: Mapping[str, object], *, ok: bool) -> None:
        if not name:
            self._silent += 1
            return
        self._silent = 0
        self._calls.append((name, json.dumps(arguments, sort_keys=True, default=str)))
        if name in _EDITS:
            self._failed_edits = 0 if ok else self._failed_edits + 1

    def _circle(self) -> str:
        calls = list(self._calls)
        if self._silent >= SILENT:
            return f"You answered {SILENT} times without calling a tool; call one."
        if self._failed_edits >= FAILED_EDITS:
            return (
                f"Your last {FAILED_EDITS} edits failed; read the file again and copy the lines"
                " exactly, or write the whole file."
            )
        if len(calls) >= SAME and len(set(calls[-SAME:])) == 1:
            return (
                f"You called {calls[-1][0]} {SAME} times with the same arguments; its answer will"
                " not change. Do something else."
            )
        evens, odds = set(calls[::2]), set(calls[1::2])
        if len(calls) == ALTERNATING and len(evens) == len(odds) == 1:
            return "You go back and forth between the same two calls; do something else."
        return ""
