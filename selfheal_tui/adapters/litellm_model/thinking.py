"""Tells thinking from text where a server leaves `<think>` tags in the text itself."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Splits streamed text. Only a tag at the very beginning of the answer opens thinking."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def split(self, piece: str) -> tuple[str, str]:
        """Thinking and text that are certain by now; the rest is held back."""
        if self._state == "text":
            return "", piece
        if self._state == "after":
            return "", self._after(piece)
        self._held += piece
        if self._state == "start" and not self._started():
            return "", ""
        if self._state == "thinking":
            return self._thinking()
        return "", self._release()

    def rest(self) -> tuple[str, str]:
        """What was still held back when the answer ended."""
        held = self._release()
        return (held, "") if self._state == "thinking" else ("", held)

    def _started(self) -> bool:
        """Whether the beginning is long enough to know; sets the state then."""
        begun = self._held.lstrip()
        if len(begun) < len(_OPEN) and _OPEN.startswith(begun):
            return False
        self._state = "thinking" if begun.startswith(_OPEN) else "text"
        if self._state == "thinking":
            self._held = begun[len(_OPEN) :]
        return True

    def _thinking(self) -> tuple[str, str]:
        thought, closed, after = self._held.partition(_CLOSE)
        if closed:
            self._held, self._state = "", "after"
            return thought, self._after(after)
        keep = _overlap(self._held, _CLOSE)
        certain = self._held[: len(self._held) - keep]
        self._held = self._held[len(certain) :]
        return certain, ""

    def _after(self, piece: str) -> str:
        """The text that follows thinking begins with its first line that is not empty."""
        text = piece.lstrip("\n")
        self._state = "text" if text else "after"
        return text

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may begin `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)
