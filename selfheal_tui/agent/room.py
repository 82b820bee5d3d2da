"""Keeps one conversation within its model's context window.

Between two compactions nothing that was sent changes, so that a provider's cache hits. Refuses to
send what surely does not fit: that is `ContextOverflow`, as from the provider itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.agent.compaction import shorter
from selfheal_tui.agent.history import History
from selfheal_tui.agent.ports import Emit, Message, Model, ToolSpec, Usage
from selfheal_tui.core.events import HistoryCompacted
from selfheal_tui.errors import ContextOverflow

FIRST_RATE = 1 / 3
"""Tokens a byte, until the provider has counted a request: more than most text has."""

LOWEST_RATE, HIGHEST_RATE = 1 / 5, 1.0

AIM = 0.6
"""What a compaction leaves, as a share of what starts one: the next one is many turns away."""

OTHER_TURN = 16
"""Bytes that a message takes beside its text."""


@dataclass(frozen=True)
class Fill:
    """How full a context may get. `share` of the window starts a compaction; `window` is the
    tokens of a model whose window is not known."""

    share: float = 0.8
    window: int = 32_000


class Room:
    """The room that one role's conversation has. `tools` are part of every request."""

    def __init__(
        self,
        *,
        role: str,
        model: Model,
        tools: Sequence[ToolSpec],
        history: History,
        fill: Fill,
        emit: Emit,
    ) -> None:
        self._role = role
        self._model = model
        self._history = history
        self._emit = emit
        self._start = (model.context_window or fill.window) * fill.share
        self._tools = sum(len(json.dumps(tool.parameters)) + 200 for tool in tools)
        self._rate: float | None = None
        self._refused = False

    def is_of(self, history: History) -> bool:
        """Whether it is the room of this conversation: what was learned of it still counts."""
        return self._history is history

    def make(self) -> None:
        """Compact the history where the next request would leave too little room. Raises
        ContextOverflow where even that does not make it fit a window that is known."""
        if self._tokens(self._history.messages) > self._start:
            self._compact(self._start * AIM)
        window = self._model.context_window
        # A guess refuses nothing: a request that was never counted may take less than it seems.
        rate = LOWEST_RATE if self._rate is None else self._rate
        least = round(self._bytes(self._history.messages) * rate)
        if window and least > window:
            raise ContextOverflow(
                f"the conversation with the {self._role} takes about {least} tokens even after it"
                f" was shortened; {self._model.name} takes {window}: choose a model with a larger"
                " context, or a smaller task"
            )

    def took(self, usage: Usage, sent: Sequence[Message]) -> None:
        """Learn from what the provider counted for the request of the messages `sent`."""
        self._refused = False
        if usage.input_tokens:
            rate = usage.input_tokens / self._bytes(sent)
            self._rate = min(max(rate, LOWEST_RATE), HIGHEST_RATE)

    def refused(self, overflow: ContextOverflow) -> None:
        """The provider found the request too long: compact once, so that it may be sent again.

        Raises `overflow` where that was done already, or nothing is left to leave out.
        """
        before = self._tokens(self._history.messages)
        if self._refused:
            raise overflow
        self._refused = True
        # The window is smaller than was thought.
        self._start = min(self._start, before * 0.8)
        self._compact(self._start * AIM)
        if self._tokens(self._history.messages) >= before:
            raise overflow

    def _compact(self, aim: float) -> None:
        messages = self._history.messages
        before = self._tokens(messages)
        made = shorter(messages, lambda kept: self._tokens(kept) <= aim)
        if self._tokens(made) >= before:
            return
        self._history.compact(made)
        after = self._tokens(self._history.messages)
        self._emit(HistoryCompacted(self._role, before, after))

    def _tokens(self, messages: Sequence[Message]) -> int:
        return round(self._bytes(messages) * (FIRST_RATE if self._rate is None else self._rate))

    def _bytes(self, messages: Sequence[Message]) -> int:
        return self._tools + sum(map(_bytes, messages))


def _bytes(message: Message) -> int:
    calls = sum(
        len(call.name) + max(len(call.raw.encode(errors="replace")), _length(call.arguments))
        for call in message.calls
    )
    return OTHER_TURN + len(message.text.encode(errors="replace")) + calls


def _length(arguments: dict[str, object]) -> int:
    return len(json.dumps(arguments, default=str))
