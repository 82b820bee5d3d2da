"""Gathers one streamed answer and judges whether it can be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from selfheal_tui.adapters.litellm_model.calls import CallAssembly, CallPiece
from selfheal_tui.adapters.litellm_model.thinking import ThinkSplitter
from selfheal_tui.agent.ports import ModelNews, ReasoningDelta, TextDelta, ToolCall, Usage
from selfheal_tui.errors import ModelAnswerInvalid

Hear = Callable[[ModelNews], None]

MOST_CHARACTERS = 16 * 1024 * 1024
"""Of one answer: its text, thinking and arguments together."""


class AnswerAssembly:
    """Text, thinking and calls of one answer, as its chunks come in.

    `finish` is the last finish reason that a chunk carried; litellm makes one up when the server
    sent none, so the caller must say whether it was real.
    """

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls = CallAssembly()
        self._splitter = ThinkSplitter()
        self._length = 0
        self.finish = ""
        self.usage: Any = None

    def take(self, chunk: Any) -> None:
        """Take the next chunk, in litellm's shape. Raises ModelAnswerInvalid past a bound."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        choices = getattr(chunk, "choices", None) or ()
        for choice in choices[:1]:
            self.finish = getattr(choice, "finish_reason", None) or self.finish
            if getattr(choice, "delta", None) is not None:
                self._take_delta(choice.delta)

    def _take_delta(self, delta: Any) -> None:
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if isinstance(thought, str):
            self._count(thought)
            self._think(thought)
        content = getattr(delta, "content", None)
        if isinstance(content, str):
            self._count(content)
            self._say(*self._splitter.split(content))
        for part in getattr(delta, "tool_calls", None) or ():
            piece = _piece(part)
            self._count(piece.arguments)
            self._calls.add(piece)

    def _count(self, text: str) -> None:
        self._length += len(text)
        if self._length > MOST_CHARACTERS:
            raise ModelAnswerInvalid(f"the answer is longer than {MOST_CHARACTERS} characters")

    def _say(self, thought: str, text: str) -> None:
        self._think(thought)
        if text:
            self._texts.append(text)
            self._hear(TextDelta(text))

    def _think(self, thought: str) -> None:
        if thought:
            self._thoughts.append(thought)
            self._hear(ReasoningDelta(thought))

    def end(self, *, finish_was_given: bool, call_prefix: str) -> tuple[str, tuple[ToolCall, ...]]:
        """Text and calls. Raises `ModelAnswerInvalid` when this is no answer."""
        self._say(*self._splitter.rest())
        text, cut = _whole("".join(self._texts)), self.finish == "length"
        if not finish_was_given:
            raise ModelAnswerInvalid(self._why_unfinished())
        if not text.strip() and not self._calls:
            raise ModelAnswerInvalid(self._why_empty())
        return text, self._calls.finish(prefix=call_prefix, cut=cut)

    @property
    def reasoning(self) -> str:
        return _whole("".join(self._thoughts))

    def _why_unfinished(self) -> str:
        if self._texts or self._thoughts or self._calls:
            return "the answer ended without a finish reason: it was cut off"
        return (
            "the endpoint answered with something that is no completion "
            "(does its address end as the server wants it, mostly in /v1?)"
        )

    def _why_empty(self) -> str:
        if self.finish == "content_filter":
            return "the provider's content filter stopped the answer"
        if self._thoughts:
            return "the model thought, but answered nothing"
        return "the answer is empty"


def usage_of(usage: Any, cost: float | None) -> Usage:
    """Tokens as the provider counted them; all zero where it did not."""
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(details, "cached_tokens"),
        cost=cost,
    )


def _count(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) else 0


def _piece(piece: Any) -> CallPiece:
    function = getattr(piece, "function", None)
    arguments = getattr(function, "arguments", None) or ""
    index = getattr(piece, "index", None)
    return CallPiece(
        index=index if isinstance(index, int) else None,
        id=str(getattr(piece, "id", None) or ""),
        name=str(getattr(function, "name", None) or ""),
        arguments=json.dumps(arguments) if isinstance(arguments, Mapping) else str(arguments),
    )


def _whole(text: str) -> str:
    """`text` with characters put together that a server cut in half between two chunks."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
