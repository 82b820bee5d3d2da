"""A request as OpenAI's messages and tools. The same history always makes the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from selfheal_tui.agent.ports import Message, ToolCall, ToolSpec

Wire = dict[str, Any]

_SURROGATES = re.compile("[\ud800-\udfff]")
_CACHE_MARK = {"type": "ephemeral"}
_MARKED_PROVIDERS = ("anthropic", "bedrock", "vertex_ai", "openrouter")


def messages_of(messages: Sequence[Message]) -> list[Wire]:
    """The conversation, in order."""
    return [_message(message) for message in messages]


def tools_of(tools: Sequence[ToolSpec]) -> list[Wire]:
    """The tools on offer, as functions."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def takes_cache_marks(model: str) -> bool:
    """Whether the provider caches only what is marked (Claude's do; others cache by themselves)."""
    provider, slash, _ = model.partition("/")
    return "claude" in model.lower() and (not slash or provider in _MARKED_PROVIDERS)


def with_cache_marks(messages: list[Wire]) -> list[Wire]:
    """Marks on the system prompt and on the last message: all before a mark is cached."""
    marked = {index for index, message in enumerate(messages) if message["role"] == "system"}
    marked.add(len(messages) - 1)
    return [
        _marked(message) if index in marked else message for index, message in enumerate(messages)
    ]


def _marked(message: Wire) -> Wire:
    if not message["content"]:
        return message
    if message["role"] == "tool":
        return message | {"cache_control": _CACHE_MARK}
    part = {"type": "text", "text": message["content"], "cache_control": _CACHE_MARK}
    return message | {"content": [part]}


def _message(message: Message) -> Wire:
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": _sent(message.call_id),
            "content": _sent(message.text),
        }
    wire: Wire = {"role": message.role, "content": _sent(message.text) or None}
    if message.calls:
        wire["tool_calls"] = [_call(call) for call in message.calls]
    return wire


def _sent(text: str) -> str:
    """`text` with a mark for each byte that is not UTF-8: a file's name may hold some, and no
    request could be sent with it."""
    return _SURROGATES.sub("\ufffd", text)


def _call(call: ToolCall) -> Wire:
    return {
        "id": _sent(call.id),
        "type": "function",
        "function": {"name": _sent(call.name) or "unnamed", "arguments": _sent(_arguments(call))},
    }


def _arguments(call: ToolCall) -> str:
    """What the model wrote, where it is JSON: some providers parse it and refuse anything else."""
    try:
        if isinstance(json.loads(call.raw), dict):
            return call.raw
    except (ValueError, RecursionError):
        pass
    return json.dumps(call.arguments)
