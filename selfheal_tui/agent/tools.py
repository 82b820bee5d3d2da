"""The tools that a model is offered: over the workspace, for its list of work, for questions.

What fails in one is an answer to the model, never an exception; only a lost sandbox passes through.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from selfheal_tui.agent.edits import Edited, EditFailed, edit
from selfheal_tui.agent.ports import CommandResult, Emit
from selfheal_tui.agent.surroundings import Asked
from selfheal_tui.agent.toolbox import Tool, ToolResult, spec
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.events import PlanUpdated, QuestionAnswered, QuestionAsked
from selfheal_tui.core.text import cut_middle, fold_terminal
from selfheal_tui.errors import SandboxError, SandboxLost

OUTPUT_LIMIT = 12_000
"""Characters of one tool's output that reach the model."""

FILE_LIMIT = 2 * 1024 * 1024
"""Bytes of the largest file that the tools read or edit."""

_READ_LINES = 400
_STATES = ("todo", "doing", "done")

AskSetup = Callable[[str], Awaitable["Asked | None"]]
"""Takes a command as a set-up, where it is one; None for every other."""

AskUser = Callable[[str], Awaitable[str]]


class SandboxTools:
    """Tools over the workspace: bash, read_file, edit_file, write_file, search."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        timeout: float,
        purpose: str = "tool",
        setup: AskSetup | None = None,
    ) -> None:
        self._setup = setup
        self._workspace = workspace
        self._timeout = timeout
        self._purpose = purpose

    def reading(self) -> list[Tool]:
        return [
            Tool(
                spec(
                    "read_file",
                    "Read a file; lines come numbered.",
                    path="string",
                    start="integer?",
                    end="integer?",
                ),
                self._read_file,
            ),
            Tool(
                spec(
                    "search",
                    "Search file contents by regular expression.",
                    pattern="string",
                    path="string?",
                    glob="string?",
                ),
                self._search,
            ),
        ]

    def bash(self, note: str = "") -> Tool:
        text = (
            "Run a shell command at the project's root. Folder and exports persist; background"
            " processes end with the command. No network."
        )
        return Tool(
            spec("bash", f"{text} {note}".strip(), command="string", timeout="integer?"),
            self._bash,
            writes=True,
        )

    def writing(self) -> list[Tool]:
        return [
            Tool(
                spec(
                    "edit_file",
                    "Replace `old` (exact, unique unless `all`) by `new` in a file.",
                    path="string",
                    old="string",
                    new="string",
                    all="boolean?",
                ),
                self._edit_file,
                writes=True,
            ),
            Tool(
                spec("write_file", "Create or overwrite a file.", path="string", content="string"),
                self._write_file,
                writes=True,
            ),
        ]

    async def _bash(self, arguments: Mapping[str, Any]) -> ToolResult:
        command = arguments["command"]
        if not command.strip() or "\0" in command:
            return ToolResult("the command is empty or holds a NUL", ok=False)
        asked = arguments.get("timeout", self._timeout)
        if asked <= 0:
            return ToolResult("`timeout` must be positive", ok=False)
        installed = await self._setup(command) if self._setup else None
        if installed is not None:
            return ToolResult(installed.text, ok=installed.done)
        # A whole number may be larger than any float.
        timeout = float(min(asked, 10 * self._timeout))
        _, result = await self._workspace.run(command, purpose=self._purpose, timeout=timeout)
        return ToolResult(told(result, timeout), ok=result.exit_code == 0)

    async def _read_file(self, arguments: Mapping[str, Any]) -> ToolResult:
        text = await self._text(arguments["path"])
        if isinstance(text, ToolResult):
            return text
        lines = text.splitlines()
        start = max(1, arguments.get("start", 1))
        end = min(len(lines), arguments.get("end", start + _READ_LINES - 1))
        shown = "\n".join(f"{n:>5}  {lines[n - 1]}" for n in range(start, end + 1))
        if not shown:
            return ToolResult(f"(no lines {start} to {end}: the file has {len(lines)} lines)")
        more = f"\n({len(lines)} lines in all)" if end < len(lines) else ""
        return ToolResult(cut_middle(shown, OUTPUT_LIMIT) + more)

    async def _search(self, arguments: Mapping[str, Any]) -> ToolResult:
        pattern, path = shlex.quote(arguments["pattern"]), shlex.quote(arguments.get("path", "."))
        glob = arguments.get("glob")
        rg_glob = f"--glob {shlex.quote(glob)} " if glob else ""
        grep_glob = f"--include={shlex.quote(glob)} " if glob else ""
        command = (
            "if command -v rg >/dev/null; then"
            f" rg -n --no-heading --color never --sort path -m 50 {rg_glob}-e {pattern} -- {path};"
            f" else grep -rnIE -m 50 {grep_glob}-e {pattern} -- {path}; fi 2>&1 | head -n 200"
        )
        result = await self._workspace.sandbox.run(
            command, timeout=self._timeout, shell_state=False
        )
        text = _readable(result.output)
        return ToolResult(cut_middle(text, OUTPUT_LIMIT) if text.strip() else "no match")

    async def _edit_file(self, arguments: Mapping[str, Any]) -> ToolResult:
        path = arguments["path"]
        text = await self._text(path)
        if isinstance(text, ToolResult):
            return text
        every = arguments.get("all", False)
        match edit(text, arguments["old"], arguments["new"], every=every):
            case Edited() as edited:
                return await self._save(path, edited.content, f"edited {path}. {edited.note}")
            case EditFailed() as failed:
                return ToolResult(f"{path} was not changed: {failed.reason}", ok=False)

    async def _write_file(self, arguments: Mapping[str, Any]) -> ToolResult:
        content = arguments["content"]
        lines = len(content.splitlines())
        return await self._save(arguments["path"], content, f"wrote {arguments['path']}, {lines}")

    async def _save(self, path: str, content: str, done: str) -> ToolResult:
        try:
            await self._workspace.sandbox.write(path, content.encode("utf-8", "surrogateescape"))
        except SandboxLost:
            raise
        except (SandboxError, OSError, UnicodeEncodeError) as error:
            return ToolResult(f"{path} was not written: {error}", ok=False)
        return ToolResult(done.strip())

    async def _text(self, path: str) -> str | ToolResult:
        try:
            content = await self._workspace.sandbox.read(path, FILE_LIMIT + 1)
        except SandboxLost:
            raise
        except FileNotFoundError:
            return ToolResult(f"there is no file {path}", ok=False)
        except IsADirectoryError:
            return ToolResult(f"{path} is a folder; list it with bash", ok=False)
        except (SandboxError, OSError, UnicodeEncodeError) as error:
            return ToolResult(f"{path} cannot be read: {error}", ok=False)
        if len(content) > FILE_LIMIT:
            return ToolResult(f"{path} is larger than {FILE_LIMIT} bytes; use bash", ok=False)
        if b"\0" in content[:8192]:
            return ToolResult(f"{path} is a binary file", ok=False)
        # What is not UTF-8 survives an edit unchanged.
        return content.decode("utf-8", "surrogateescape")


def told(result: CommandResult, timeout: float) -> str:
    """A command's end as the model reads it."""
    notes = [f"exit code {result.exit_code}"]
    if result.timed_out:
        notes.append(f"ended after {timeout:g} s")
    if result.out_of_memory:
        notes.append("killed: out of memory")
    text = cut_middle(_readable(result.output), OUTPUT_LIMIT)
    return f"[{', '.join(notes)}]\n{text}".rstrip()


def _readable(output: bytes) -> str:
    return fold_terminal(output.decode("utf-8", "replace"))


def update_plan(emit: Emit) -> Tool:
    """The coder's list of work, shown to the user with ticks."""

    async def run(arguments: Mapping[str, Any]) -> ToolResult:
        items = []
        for item in arguments["items"]:
            text, state = (item, "todo") if isinstance(item, str) else _plan_item(item)
            if not text or state not in _STATES:
                return ToolResult('each item is {"text": ..., "state": todo|doing|done}', ok=False)
            items.append((text, state))
        emit(PlanUpdated(tuple(items)))
        return ToolResult("noted")

    description = 'Show your list of work: items of {"text", "state": todo|doing|done}.'
    return Tool(spec("update_plan", description, items="array"), run)


def _plan_item(item: object) -> tuple[str, str]:
    if not isinstance(item, dict):
        return "", ""
    return str(item.get("text", "")), str(item.get("state", "todo"))


def ask_user(ask: AskUser, emit: Emit) -> Tool:
    """A question to the user; where nobody is there, the answer says so."""
    asked = 0

    async def run(arguments: Mapping[str, Any]) -> ToolResult:
        nonlocal asked
        asked += 1
        number = f"q{asked}"
        emit(QuestionAsked(number, arguments["question"]))
        answer = "(interrupted)"
        try:
            answer = await ask(arguments["question"])
        finally:
            emit(QuestionAnswered(number, answer))
        return ToolResult(answer)

    return Tool(spec("ask_user", "Ask the user, when you cannot decide.", question="string"), run)
