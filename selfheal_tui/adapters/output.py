"""What is kept of a command's output: its beginning and its end, and how much there was."""

from __future__ import annotations

HEAD = 64 * 1024
TAIL = 192 * 1024


class KeptOutput:
    """Takes any amount of output and keeps `head` and `tail` bytes of it. The end is never cut."""

    def __init__(self, head: int = HEAD, tail: int = TAIL) -> None:
        self._most_head = head
        self._most_tail = tail
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def add(self, piece: bytes) -> None:
        self.total += len(piece)
        room = self._most_head - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        # Cut now and then only: each cut moves what stays.
        if len(self._tail) > 2 * self._most_tail:
            self._cut()

    def bytes(self) -> bytes:
        """What was kept, with a note where something is missing."""
        self._cut()
        missing = self.total - len(self._head) - len(self._tail)
        note = b"\n[... %d bytes left out ...]\n" % missing if missing else b""
        return bytes(self._head) + note + bytes(self._tail)

    def _cut(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._most_tail)]
