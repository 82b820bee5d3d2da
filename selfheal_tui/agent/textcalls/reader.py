"""Finds tool calls in a model's text. Takes any text, in linear time, and never raises.

The form that is taught is the `tool` fence (`prompts/text_tools.md`); the habits of other models
are taken too: JSON in a fence, `<tool_call>` tags, JSON alone. What is begun as a call and cannot
be read carries an error and no arguments. A fence in another language is a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Any

from selfheal_tui.agent.ports import ToolSpec
from selfheal_tui.agent.textcalls.mistral import MARKER, calls_after
from selfheal_tui.agent.textcalls.shapes import FoundCall, calls_of
from selfheal_tui.agent.textcalls.thoughts import without_thinking
from selfheal_tui.agent.textcalls.values import (
    MARKED,
    Properties,
    begins_argument,
    read_values,
    typed,
)

_OPENING = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$|<tool_call>|<function=|\[TOOL_CALLS\]",
    re.MULTILINE,
)
_TOOL_INFO = re.compile(r"(?:tool|tool_call|tool_use)(?:[ \t:]+(?P<name>[\w.-]+))?")
_PLAIN_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t\r]*$", re.MULTILINE)
_NAME_LINE = re.compile(r"(?:(?:name|tool)[ \t]*[:=][ \t]*)?(?P<name>[A-Za-z_][\w-]*)")
_FUNCTION = re.compile(r"\s*<function=(?P<name>[\w.-]+)\s*>")
_PARAMETER = re.compile(r"<parameter=(?P<key>[\w.-]+)\s*>")
_LEAD = re.compile(r"\s*(?:\[TOOL_CALLS\]|<\|python_tag\|>)?\s*")
_LIKE_JSON = re.compile(r"\{\s*[\"'}]|\[\s*[{\]]")  # And not like `{ ls; }` or `[ -f x ]`.
_MADE_UP = re.compile(r"^Result of ", re.MULTILINE)

_LANGUAGE = re.compile(r"[A-Za-z]")

_AROUND_CALLS = frozenset({"", "json", "tool", "tool_call", "tool_calls", "tool_use", "xml"})
"""What models write on fences that they put around calls in tags or in JSON."""

_LIKE_COMMAND_LANGUAGES = frozenset({"bash", "search"})
"""Tools whose name alone does not make a fence a call: it may be an example of that language."""


@dataclass(frozen=True)
class Found:
    """The text without its calls, and the calls in order."""

    prose: str
    calls: tuple[FoundCall, ...] = ()


def read_calls(text: str, tools: Sequence[ToolSpec]) -> Found:
    """Every call of `text`, in any form."""
    return _read(text, tools, with_fences=True)


def read_stray_calls(text: str, tools: Sequence[ToolSpec]) -> Found:
    """Calls that a model with native tool calls left in its text: tags and JSON alone."""
    return _read(text, tools, with_fences=False)


def _read(text: str, tools: Sequence[ToolSpec], *, with_fences: bool) -> Found:
    found = _Reader(text, tools, with_fences=with_fences).read()
    if not found.calls or ("</think>" not in text and "<think>" not in text):
        return found
    said = without_thinking(text, found.calls)
    return found if said == text else _Reader(said, tools, with_fences=with_fences).read()


@dataclass(frozen=True)
class _Block:
    """What an opening came to: where to read on, and its calls (none: it stays prose)."""

    end: int
    calls: tuple[FoundCall, ...] = ()


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str, tools: Sequence[ToolSpec], *, with_fences: bool) -> None:
        self._text = text
        self._tools = {tool.name: tool for tool in tools}
        self._with_fences = with_fences
        # By the fence's character: the shortest of which it is known that nothing closes it.
        self._never_closed: dict[str, int] = {}

    def read(self) -> Found:
        lead = _LEAD.match(self._text)
        alone = self._known_calls(self._text[lead.end() if lead else 0 :].strip())
        if alone:
            return Found("", alone)
        prose: list[str] = []
        calls: list[FoundCall] = []
        kept = at = 0
        while opening := _OPENING.search(self._text, at):
            block = self._block(opening)
            at = max(block.end, opening.end())
            if block.calls:
                prose.append(self._text[kept : opening.start()])
                kept = at
                self._text = self._text if calls else self._without_made_up_results(kept)
                calls += block.calls
        prose.append(self._text[kept:])
        return Found("".join(prose).strip(), tuple(calls))

    def _without_made_up_results(self, after: int) -> str:
        """A model that goes on after its call with a result of its own dreams from there on."""
        made_up = _MADE_UP.search(self._text, after)
        return self._text[: made_up.start()] if made_up else self._text

    def _block(self, opening: re.Match[str]) -> _Block:
        if opening["fence"] is None:
            return self._marked(opening) if opening[0] == MARKER else self._tagged(opening)
        info = opening["info"].strip()
        if not self._with_fences:
            return self._quotation(opening, info)
        tool = _TOOL_INFO.fullmatch(info)
        if tool:
            return self._tool_fence(opening, tool["name"] or "")
        if info in self._tools and info not in _LIKE_COMMAND_LANGUAGES:
            return self._tool_fence(opening, info)
        if info in ("", "json"):
            block = self._json_fence(opening)
            return block if block.end else self._quotation(opening, info)
        return self._quotation(opening, info)

    def _quotation(self, opening: re.Match[str], info: str) -> _Block:
        """A fence in which nothing is a call: it names a language, or is longer than it need be to
        hold none. Others may only be put around a call."""
        fence = opening["fence"]
        if len(fence) == 3 and (info in _AROUND_CALLS or not _LANGUAGE.match(info)):
            return _Block(0)
        if len(fence) >= self._never_closed.get(fence[0], len(self._text)):
            return _Block(0)
        for line in _PLAIN_FENCE.finditer(self._text, opening.end() + 1):
            if _closes(line[0], fence):
                return _Block(line.end())
        self._never_closed[fence[0]] = len(fence)
        return _Block(0)

    # --- the tool fence ----------------------------------------------------------------------

    def _tool_fence(self, opening: re.Match[str], name: str) -> _Block:
        body, end, closed = self._fence_body(opening.end() + 1, opening["fence"])
        raw = self._text[opening.start() : end]
        made = self._fenced_calls(name, list(dropwhile(_is_blank, body)))
        return _Block(end, tuple(replace(call, raw=raw, closed=closed) for call in made))

    def _fence_body(self, start: int, fence: str) -> tuple[list[str], int, bool]:
        """Lines up to the closing fence, its end, and whether there was one.

        Within `<<<` and `>>>` no line closes the fence.
        """
        lines: list[str] = []
        ending, at = "", start
        while at < len(self._text):
            stop = self._text.find("\n", at)
            stop = len(self._text) if stop < 0 else stop
            line, at = self._text[at:stop], stop + 1
            if ending:
                ending = "" if line.strip() == ending else ending
            elif _closes(line, fence):
                return lines, min(at, len(self._text)), True
            elif mark := MARKED.fullmatch(line):
                ending = ">" * len(mark["mark"])
            lines.append(line)
        return lines, len(self._text), False

    def _fenced_calls(self, name: str, lines: list[str]) -> list[FoundCall]:
        if not name and lines and (named := _NAME_LINE.fullmatch(lines[0].strip())):
            name, lines = named["name"], lines[1:]
        text = "\n".join(lines).strip()
        if _LIKE_JSON.match(text):
            return self._fenced_json(name, text)
        if not name:
            return [FoundCall("", error="the block names no tool: begin it with ```tool NAME")]
        try:
            return [FoundCall(name, self._arguments(name, lines))]
        except ValueError as problem:
            return [FoundCall(name, error=f"the call of {name} cannot be read: {problem}")]

    def _fenced_json(self, name: str, text: str) -> list[FoundCall]:
        try:
            made = [call for call in calls_of(text) if call]
            if made:
                return made
            arguments = calls_of(f'{{"name": "tool", "arguments": {text}}}')[0] if name else None
        except ValueError as problem:
            return [FoundCall(name, error=f"the call cannot be read: {problem}")]
        if arguments is None:
            return [FoundCall(name, error="the block must hold an object with name and arguments")]
        return [replace(arguments, name=name)]

    def _arguments(self, name: str, lines: list[str]) -> dict[str, object]:
        known, only = self._properties(name), self._only_argument(name)
        if only and lines and not begins_argument(lines[0], known):
            if MARKED.fullmatch(lines[0]):
                return read_values([f"{only}:", *lines], known)
            return {only: "\n".join(lines).strip("\n")}
        return read_values(lines, known)

    def _properties(self, name: str) -> Properties:
        schema: Any = self._tools[name].parameters if name in self._tools else {}
        properties: Properties = schema.get("properties", {})
        return properties

    def _only_argument(self, name: str) -> str:
        """The one argument that a tool must have, when it is a text."""
        schema: Any = self._tools[name].parameters if name in self._tools else {}
        required = schema.get("required", ())
        if len(required) != 1:
            return ""
        key = str(required[0])
        return key if self._properties(name).get(key, {}).get("type") == "string" else ""

    # --- JSON and tags -----------------------------------------------------------------------

    def _json_fence(self, opening: re.Match[str]) -> _Block:
        """A JSON fence is a call only when it names a tool that there is."""
        start = opening.end() + 1
        if self._text[start : start + 200].lstrip()[:1] not in ("{", "["):
            return _Block(0)
        closing = _PLAIN_FENCE.search(self._text, start)
        end = closing.end() if closing else len(self._text)
        body = self._text[start : closing.start() if closing else end]
        return _Block(end, self._known_calls(body.strip()))

    def _known_calls(self, text: str) -> tuple[FoundCall, ...]:
        """The calls in JSON, when it is nothing else and every tool is known."""
        if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
            return ()
        try:
            made = calls_of(text)
        except ValueError:
            return ()
        known = [replace(call, raw=text) for call in made if call and call.name in self._tools]
        return tuple(known) if len(known) == len(made) else ()

    def _marked(self, opening: re.Match[str]) -> _Block:
        made, end = calls_after(self._text, opening.end())
        return _Block(end, tuple(made))

    def _tagged(self, opening: re.Match[str]) -> _Block:
        bare = opening[0] == "<function="
        start = opening.start() if bare else opening.end()
        begins = self._text[start : start + 200].lstrip()
        if not begins.startswith(("{", "[")) and not _FUNCTION.match(begins):
            return _Block(0)
        closing = "</function>" if bare else "</tool_call>"
        found = self._text.find(closing, start)
        body = self._text[start : found if found >= 0 else len(self._text)]
        end = found + len(closing) if found >= 0 else len(self._text)
        raw = self._text[opening.start() : end]
        made = self._tag_calls(body, ended=found >= 0)
        return _Block(end, tuple(replace(call, raw=raw, closed=found >= 0) for call in made))

    def _tag_calls(self, body: str, *, ended: bool) -> list[FoundCall]:
        if function := _FUNCTION.match(body):
            known = self._properties(function["name"])
            values = _parameters(body, function.end())
            typed_values = {key: typed(key, text, known) for key, text in values}
            return [FoundCall(function["name"], typed_values)]
        try:
            made = calls_of(body.strip(), ended=ended)
        except ValueError as problem:
            return [FoundCall("", error=f"the tool call cannot be read: {problem}")]
        return [call or FoundCall("", error="the tool call names no tool") for call in made]


def _parameters(body: str, start: int) -> Iterator[tuple[str, str]]:
    while found := _PARAMETER.search(body, start):
        end = body.find("</parameter>", found.end())
        if end < 0:
            return
        yield found["key"], body[found.end() : end].removeprefix("\n").removesuffix("\n")
        start = end


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return len(bare) >= len(fence) and bare == fence[0] * len(bare)


def _is_blank(line: str) -> bool:
    return not line.strip()
