"""A conversation with native tool calls, as one of plain texts. The same always makes the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from selfheal_tui.agent import prompts
from selfheal_tui.agent.ports import Message, ToolCall, ToolSpec
from selfheal_tui.agent.textcalls.values import WHOLE_FILES


def as_texts(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> tuple[Message, ...]:
    """The conversation: calls as blocks, results as the user's words, tools in the system prompt.

    Neighbours of the same role become one message: many chat templates insist on turns.
    """
    names = {call.id: call.name for message in messages for call in message.calls}
    texts = [_as_text(message, names) for message in messages]
    system = [message.text for message in texts if message.role == "system"]
    first = Message("system", "\n\n".join([*system, described(tools)]))
    return (first, *_in_turns([message for message in texts if message.role != "system"]))


def described(tools: Sequence[ToolSpec]) -> str:
    """The part of the system prompt that teaches the blocks and names the tools."""
    return "\n".join([prompts.load("text_tools"), *(_described(tool) for tool in tools)])


def render(call: ToolCall) -> str:
    """A call as the block that the reader reads; an unreadable one as it was written."""
    if call.error:
        return call.raw or f"```tool {call.name}\n```"
    lines = [_argument(key, value) for key, value in call.arguments.items()]
    return "\n".join([f"```tool {call.name}", *lines, "```"])


def _as_text(message: Message, names: Mapping[str, str]) -> Message:
    if message.role == "tool":
        name = names.get(message.call_id) or "the call"
        return Message("user", f"Result of {name}:\n{message.text}")
    parts = [message.text, *(render(call) for call in message.calls)]
    return Message(message.role, "\n\n".join(part for part in parts if part))


def _in_turns(messages: Sequence[Message]) -> list[Message]:
    turns: list[Message] = []
    for message in messages:
        if turns and turns[-1].role == message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n\n{message.text}")
        else:
            turns.append(message)
    return turns


def _argument(key: str, value: object) -> str:
    if not isinstance(value, str):
        return f"{key}: {json.dumps(value)}"
    plain = value and "\n" not in value and value == value.strip() and value[0] not in '"<'
    return f"{key}: {value}" if plain else _marked(key, value)


def _marked(key: str, value: str) -> str:
    """The value between marks that are longer than any such line within it."""
    inner = value.removesuffix("\n") if key in WHOLE_FILES else value
    bare = [line.strip() for line in inner.split("\n")]
    size = max([2, *(len(line) for line in bare if line and not line.strip(">"))]) + 1
    return f"{key}: {'<' * size}\n{inner}\n{'>' * size}"


def _described(tool: ToolSpec) -> str:
    properties = tool.parameters.get("properties")
    required = tool.parameters.get("required")
    needed = required if isinstance(required, list | tuple) else ()
    given = properties.items() if isinstance(properties, Mapping) else ()
    arguments = [f"{key}{'' if key in needed else '?'}{_kind(schema)}" for key, schema in given]
    return f"- {tool.name}({', '.join(arguments)}): {tool.description}"


def _kind(schema: object) -> str:
    if not isinstance(schema, Mapping):
        return ""
    if "enum" in schema:
        return ": " + "|".join(map(str, schema["enum"]))
    kind = schema.get("type", "string")
    return "" if kind == "string" else f": {kind}"
