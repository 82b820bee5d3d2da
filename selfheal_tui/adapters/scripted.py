"""A model that plays a script: for the demo and for tests. Asks nobody and costs nothing.

Refuses to invent: a script that is used up is an error that says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.agent.ports import (
    ModelNews,
    ModelRequest,
    ReasoningDelta,
    Reply,
    TextDelta,
    ToolCall,
    Usage,
)
from selfheal_tui.errors import ModelError, SettingsError


@dataclass(frozen=True)
class Turn:
    """One scripted answer: text, thinking and calls; or, when `error` is set, that instead."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=lambda: Usage(cost=0.0))
    error: ModelError | None = None


Step = Turn | Callable[[ModelRequest], Turn]
Script = Sequence[Step] | Mapping[str, Sequence[Step]]

_ROLE_BY_TOOL = {"submit_plan": "planner", "submit_review": "reviewer"}


def say(text: str, *, reasoning: str = "") -> Turn:
    """A turn of text alone."""
    return Turn(text, reasoning)


def call(name: str, /, **arguments: object) -> Turn:
    """A turn of one tool call."""
    return calling((name, arguments))


def calling(*calls: tuple[str, Mapping[str, object]], text: str = "", reasoning: str = "") -> Turn:
    """A turn of several tool calls, each a name and its arguments."""
    made = tuple(ToolCall("", name, dict(arguments)) for name, arguments in calls)
    return Turn(text, reasoning, made)


def fail(error: ModelError) -> Turn:
    """A turn that raises."""
    return Turn(error=error)


class ScriptedModel:
    """Plays `script` in order: one list, or lists by role (told by the tools on offer).

    A step may be a function of the request, so that it can look at what reached the model.
    `requests` keeps what was asked. `pause` is the seconds between streamed pieces.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted",
        context_window: int | None = 128_000,
        pause: float = 0.0,
        piece: int = 24,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.requests: list[ModelRequest] = []
        self._name = name
        self._context_window = context_window
        self._script = script
        self._played: dict[str, int] = {}
        self._calls = 0
        self._pause = pause
        self._piece = piece
        self._sleep = sleep

    @classmethod
    def from_json(cls, path: Path, *, name: str = "scripted", pause: float = 0.0) -> ScriptedModel:
        """A model from a file. Raises `SettingsError` on what is not a script.

        The file holds a list of turns, or an object of such lists by role. A turn is
        `{"text": "", "reasoning": "", "calls": [{"name": "...", "arguments": {}}]}`.
        """
        return cls(script_from_json(path.read_text(encoding="utf-8")), name=name, pause=pause)

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_window(self) -> int | None:
        return self._context_window

    async def complete(self, request: ModelRequest, hear: Callable[[ModelNews], None]) -> Reply:
        self.requests.append(request)
        step = self._next(_role_of(request))
        turn = step(request) if callable(step) else step
        if turn.error is not None:
            raise turn.error
        await self._stream(turn, hear)
        return Reply(
            text=turn.text,
            calls=tuple(self._with_id(call) for call in turn.calls),
            usage=turn.usage,
            model=self._name,
            finish="tool_calls" if turn.calls else "stop",
            reasoning=turn.reasoning,
        )

    def _next(self, role: str) -> Step:
        key = role if isinstance(self._script, Mapping) else ""
        steps = self._script.get(key, ()) if isinstance(self._script, Mapping) else self._script
        index = self._played.get(key, 0)
        if index >= len(steps):
            whose = f"the {role}'s script" if key else "the script"
            raise ModelError(f"{self._name}: {whose} is used up after {index} turns")
        self._played[key] = index + 1
        return steps[index]

    async def _stream(self, turn: Turn, hear: Callable[[ModelNews], None]) -> None:
        for kind, text in ((ReasoningDelta, turn.reasoning), (TextDelta, turn.text)):
            for piece in _pieces(text, self._piece):
                hear(kind(piece))
                await self._sleep(self._pause)

    def _with_id(self, call: ToolCall) -> ToolCall:
        self._calls += 1
        return ToolCall(
            id=call.id or f"scripted_{self._calls}",
            name=call.name,
            arguments=call.arguments,
            raw=call.raw or json.dumps(call.arguments),
            error=call.error,
        )


def script_from_json(text: str) -> Script:
    """A script from JSON. Raises `SettingsError` on what is none."""
    try:
        data = json.loads(text)
        if isinstance(data, dict):
            return {role: [_turn_from(item) for item in turns] for role, turns in data.items()}
        return [_turn_from(item) for item in data]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"this is not a script of model turns: {error}") from error


def _turn_from(item: Mapping[str, object]) -> Turn:
    if unknown := item.keys() - {"text", "reasoning", "calls"}:
        raise ValueError(f"a turn has no field {min(unknown)!r}")
    calls = item.get("calls", ())
    if not isinstance(calls, list | tuple):
        raise TypeError("the calls of a turn are a list")
    made = tuple(ToolCall("", call["name"], dict(call.get("arguments", {}))) for call in calls)
    return Turn(str(item.get("text", "")), str(item.get("reasoning", "")), made)


def _role_of(request: ModelRequest) -> str:
    roles = (_ROLE_BY_TOOL.get(tool.name) for tool in request.tools)
    return next((role for role in roles if role), "coder")


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
