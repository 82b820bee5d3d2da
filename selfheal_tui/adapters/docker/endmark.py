"""Finds where a command's output ends: a random nonce that the command cannot know."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_LINE = 256


@dataclass(frozen=True)
class Ended:
    """What the runner says of a command: its exit code, the cgroup's count of out-of-memory kills
    before and after, and how many of its processes would not go."""

    exit_code: int
    kills_before: int
    kills_after: int
    strays: int


GARBLED = Ended(137, 0, 0, 1)
"""Stands for an end that cannot be read: as if the command had been killed, with strays left."""


class EndMark:
    """Splits a stream into output and end. `ended` is set once the end was seen."""

    def __init__(self, nonce: bytes) -> None:
        self._nonce = nonce
        self._held = b""
        self.ended: Ended | None = None

    def feed(self, piece: bytes) -> bytes:
        """What of the stream so far is output for certain, and was not returned before.

        Only what could be the beginning of the nonce is held back.
        """
        if self.ended:
            return b""
        data = self._held + piece
        at = data.find(self._nonce)
        if at < 0:
            sure = len(data) - self._overlap(data)
            self._held = data[sure:]
            return data[:sure]
        self._held = data[at:]
        line, newline, _ = self._held[len(self._nonce) :].partition(b"\n")
        if newline or len(line) > _LONGEST_LINE:
            self.ended = _parse(line)
        return data[:at]

    def rest(self) -> bytes:
        """What was held back, when the stream ended without the nonce."""
        return b"" if self.ended else self._held

    def _overlap(self, data: bytes) -> int:
        for size in range(min(len(self._nonce) - 1, len(data)), 0, -1):
            if data.endswith(self._nonce[:size]):
                return size
        return 0


def _parse(line: bytes) -> Ended:
    fields = line.split()
    if len(fields) != 4 or not all(field.isdigit() for field in fields):
        return GARBLED
    return Ended(*map(int, fields))
