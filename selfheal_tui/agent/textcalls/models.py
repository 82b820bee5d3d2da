"""Models that call tools in plain text, for endpoints without native tool calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from selfheal_tui.agent.ports import Model, ModelNews, ModelRequest, Reply, ToolCall
from selfheal_tui.agent.textcalls.quotes import QUOTED, Shown
from selfheal_tui.agent.textcalls.reader import Found, read_calls, read_stray_calls
from selfheal_tui.agent.textcalls.render import as_texts
from selfheal_tui.agent.textcalls.shapes import FoundCall
from selfheal_tui.errors import ToolsUnsupported

Hear = Callable[[ModelNews], None]


class TextToolsModel:
    """`inner`, with tools described in the system prompt and calls read from its text."""

    def __init__(self, inner: Model) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def context_window(self) -> int | None:
        return self._inner.context_window

    async def complete(self, request: ModelRequest, hear: Hear) -> Reply:
        if not request.tools:
            return await self._inner.complete(request, hear)
        asked = ModelRequest(as_texts(request.messages, request.tools), (), request.session)
        reply = await self._inner.complete(asked, hear)
        return _with_calls(reply, read_calls(reply.text, request.tools), request)


class AutoToolsModel:
    """`inner` with native tool calls as long as it takes them, then in text for good.

    `mode` is `auto`, `native` or `text`. `takes_tools` says what is known beforehand: False goes
    to text at once. Calls that a model left in its text instead of making them are read, too.
    """

    def __init__(
        self,
        inner: Model,
        mode: str = "auto",
        *,
        takes_tools: Callable[[], bool | None] = lambda: None,
    ) -> None:
        if mode not in ("auto", "native", "text"):
            raise ValueError(f"no such way to call tools: {mode!r}")
        self._inner = inner
        self._in_text = TextToolsModel(inner)
        self._mode = mode
        self._takes_tools = takes_tools

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def context_window(self) -> int | None:
        return self._inner.context_window

    async def complete(self, request: ModelRequest, hear: Hear) -> Reply:
        if not request.tools or self._mode == "native":
            return await self._inner.complete(request, hear)
        if self._mode == "auto" and self._takes_tools() is False:
            self._mode = "text"
        if self._mode == "text":
            return await self._in_text.complete(request, hear)
        try:
            reply = await self._inner.complete(request, hear)
        except ToolsUnsupported:
            self._mode = "text"
            return await self._in_text.complete(request, hear)
        if reply.calls:
            return reply
        return _with_calls(reply, read_stray_calls(reply.text, request.tools), request)


def _with_calls(reply: Reply, found: Found, request: ModelRequest) -> Reply:
    if not found.calls:
        return reply
    before = sum(len(message.calls) for message in request.messages)
    cut = reply.finish == "length"
    shown = Shown(request.messages)
    made = tuple(
        _tool_call(
            replace(call, error=QUOTED) if shown.holds(call.raw) else call,
            f"text_{number}",
            cut=cut,
        )
        for number, call in enumerate(found.calls, before + 1)
    )
    return replace(reply, text=found.prose, calls=made, finish="tool_calls")


def _tool_call(call: FoundCall, call_id: str, *, cut: bool) -> ToolCall:
    error = call.error
    if cut and not call.closed:
        error = (
            f"the answer was cut at the length limit in the middle of {call.name or 'a call'}; "
            "make the call smaller, or split it"
        )
    return ToolCall(call_id, call.name, {} if error else call.arguments, call.raw, error)
