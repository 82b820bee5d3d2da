"""What a tool is, the tools of one role, and what running a call does. Names are a contract.

A tool's failure is an answer to the model, never an exception; only a lost sandbox and limits
pass through. Refuses to run a call whose arguments do not fit the tool's schema.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal_tui.agent.nearmiss import unknown
from selfheal_tui.agent.ports import ToolCall, ToolSpec


@dataclass(frozen=True)
class ToolResult:
    """What a call came to. `final` holds the arguments of a call that ends the conversation;
    `cut` says that the user ended it early."""

    text: str
    ok: bool = True
    final: Mapping[str, Any] | None = None
    cut: bool = False


Run = Callable[[Mapping[str, Any]], Awaitable[ToolResult]]


@dataclass(frozen=True)
class Tool:
    """A tool on offer: what the model is told, what happens, and whether files may change."""

    spec: ToolSpec
    run: Run
    writes: bool = False


class Toolbox:
    """The tools of one role."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self._tools.values())

    def writes(self, name: str) -> bool:
        return name in self._tools and self._tools[name].writes

    async def run(self, call: ToolCall) -> ToolResult:
        """Run a call, or say what is wrong with it."""
        if call.error:
            return ToolResult(call.error, ok=False)
        tool = self._tools.get(call.name)
        if tool is None:
            what = f"there is no tool `{call.name}`"
            return ToolResult(unknown(what, call.name, self._tools), ok=False)
        if wrong := misfit(call.arguments, tool.spec.parameters):
            return ToolResult(f"`{call.name}` was not run: {wrong}", ok=False)
        return await tool.run(call.arguments)


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def misfit(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What is wrong with `arguments` by a tool's (flat) schema; empty when they fit."""
    properties = schema["properties"]
    for name in arguments:
        if name not in properties:
            return unknown(f"`{name}` is not an argument", name, properties)
    for name in schema["required"]:
        if name not in arguments:
            return f"`{name}` is missing"
    for name, value in arguments.items():
        kind = properties[name]["type"]
        wrong_bool = isinstance(value, bool) and kind != "boolean"
        if wrong_bool or not isinstance(value, _TYPES[kind]):
            return f"`{name}` must be a {kind}"
        allowed = properties[name].get("enum")
        if allowed and value not in allowed:
            return f"`{name}` must be one of {', '.join(allowed)}"
    return ""


def final(name: str, description: str, **parameters: str) -> Tool:
    """A tool that ends the conversation with its arguments."""

    async def run(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("done", final=arguments)

    return Tool(spec(name, description, **parameters), run)


def spec(name: str, description: str, **parameters: str) -> ToolSpec:
    """Parameters are given as type names; `?` marks optional, `a|b` an enumeration."""
    properties: dict[str, object] = {}
    for key, kind in parameters.items():
        plain = kind.rstrip("?")
        if "|" in plain:
            properties[key] = {"type": "string", "enum": plain.split("|")}
        elif plain == "array":
            properties[key] = {"type": "array", "items": {}}
        else:
            properties[key] = {"type": plain}
    required = [key for key, kind in parameters.items() if not kind.endswith("?")]
    return ToolSpec(
        name,
        description,
        {"type": "object", "properties": properties, "required": required},
    )


def arguments_text(call: ToolCall) -> str:
    """A call's arguments as one line of JSON, or as the model wrote them."""
    return call.raw if call.error else json.dumps(call.arguments, ensure_ascii=False)
