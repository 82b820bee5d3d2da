"""Notices that a conversation goes in circles: first a nudge, then the end of the attempt."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

SAME = 3
ALTERNATING = 6
FAILED_EDITS = 4
SILENT = 2

_EDITS = ("edit_file", "write_file")


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
        self._calls.append((name, json.dumps(arguments, sort_keys=True, default=str)))
        self._silent = self._silent + 1 if not name else 0
        if name in _EDITS:
            self._failed_edits = 0 if ok else self._failed_edits + 1
        reason = self._circle()
        if not reason:
            return None
        self._calls.clear()
        self._failed_edits = self._silent = 0
        ends, self._nudged = self._nudged, True
        return Stuck(reason, ends)

    def _circle(self) -> str:
        calls = list(self._calls)
        if self._silent >= SILENT:
            return "you answered several times without calling a tool; call one"
        if self._failed_edits >= FAILED_EDITS:
            return "your last edits all failed; read the file again before you edit it"
        if len(calls) >= SAME and calls[-1][0] and len(set(calls[-SAME:])) == 1:
            return (
                f"you called {calls[-1][0]} {SAME} times with the same arguments; do something else"
            )
        if len(calls) == ALTERNATING and len(set(calls)) == 2 and calls[::2] == calls[:1] * 3:
            return "you go back and forth between two calls; do something else"
        return ""
