"""A model that is never told a secret: every message passes the redactor before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from selfheal_tui.agent.ports import Message, Model, ModelNews, ModelRequest, Reply, ToolCall
from selfheal_tui.core.redact import Redactor


class DiscreetModel:
    """Redacts requests, the same way each time, so that a request's beginning stays the same."""

    def __init__(self, inner: Model, redactor: Redactor) -> None:
        self._inner = inner
        self._redactor = redactor

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def context_window(self) -> int | None:
        return self._inner.context_window

    async def complete(self, request: ModelRequest, hear: Callable[[ModelNews], None]) -> Reply:
        clean = tuple(self._message(message) for message in request.messages)
        return await self._inner.complete(replace(request, messages=clean), hear)

    def _message(self, message: Message) -> Message:
        calls = tuple(self._call(call) for call in message.calls)
        redact = self._redactor.redact
        # An id is the provider's word; it is changed the same way in the call and in its answer.
        return replace(
            message, text=redact(message.text), calls=calls, call_id=redact(message.call_id)
        )

    def _call(self, call: ToolCall) -> ToolCall:
        redact = self._redactor.redact
        return ToolCall(
            id=redact(call.id),
            name=redact(call.name),
            arguments=self._pairs(call.arguments),
            raw=redact(call.raw),
            error=redact(call.error),
        )

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self._redactor.redact(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return self._pairs(value)
        return value

    def _pairs(self, pairs: Mapping[str, object]) -> dict[str, object]:
        return {self._redactor.redact(name): self._value(item) for name, item in pairs.items()}
