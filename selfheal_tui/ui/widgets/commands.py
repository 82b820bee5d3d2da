"""Entries of the sandbox's log: one for each command and for each step of getting ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from selfheal_tui.core.delegation import part_of
from selfheal_tui.core.events import CheckEnded, CommandEnded, CommandStarted, StepEnded
from selfheal_tui.ui.widgets.ansi import PLAIN
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import counted, line, seconds, shown, spread
from selfheal_tui.ui.widgets.output import FoldedLines, Output, OutputLine

LIVE_LINES = 12
"""Lines of a running or failed command that are seen without opening it."""

_PURPOSES = {"tool": "", "flaky": "once more", "setup": "set-up"}

Elapsed = Callable[[float], float]
"""Seconds since an event's time."""


class CommandBlock(Block):
    """A command: closed it shows its line, and its last output while it runs or when it failed."""

    foldable = True

    def __init__(self, event: CommandStarted, began: float, elapsed: Elapsed) -> None:
        super().__init__()
        self.command = event.command
        self.purpose = event.purpose
        part = part_of(event.id)
        self._part = f"part {part}" if part else ""
        self.output = Output()
        self._shown = shown(event.command)
        self._began = began
        self._elapsed = elapsed
        self._ended: CommandEnded | None = None
        self._check: CheckEnded | None = None

    @property
    def running(self) -> bool:
        return self._ended is None

    @property
    def failed(self) -> bool:
        return self._ended is not None and self._ended.exit_code != 0

    def add(self, text: str) -> None:
        self.output.add(text)
        self.changed()

    def finish(self, event: CommandEnded) -> None:
        self._ended = event
        self.changed()

    def judge(self, event: CheckEnded) -> None:
        """The command was a run of the check; this is what it said."""
        self._check = event
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        head = self._head(width)
        if self.open:
            return FoldedLines([*head, *self._rest_of_command(width)], self._whole(), width - 2)
        if self.running or self.failed:
            return self._preview(head, width)
        return head

    def _whole(self) -> list[OutputLine]:
        return [*self.output.lines(), OutputLine("", PLAIN, 0)]

    def _preview(self, head: list[Content], width: int) -> list[Content]:
        lines, before = self.output.last(LIVE_LINES)
        lines = [content for content in lines if content.plain.strip()] if before else lines
        note = f"  [{counted(before, 'line')} before, enter opens]"
        above = [line((note, "dim"))] if before else []
        shown_lines = [line("  ") + _cut(content, width - 2) for content in lines]
        return [*head, *above, *shown_lines, Content("")]

    def _head(self, width: int) -> list[Content]:
        mark = ("▾ " if self.open else "▸ ", "dim")
        first, *more = self._shown.split("\n")
        text = first + (" …" if more else "")
        left = line(mark, ("$ ", "dim"), (text, "strong"))
        state = self._state()
        if width - state.cell_length - 2 < 24:
            # Too narrow for both: how it stands goes below the command.
            return [left.truncate(width, ellipsis=True), line("    ") + state]
        return [spread(left, state, width)]

    def _rest_of_command(self, width: int) -> list[Content]:
        more = self._shown.split("\n")[1:]
        return [_cut(line("    ", (part, "strong")), width) for part in more]

    def _state(self) -> Content:
        purpose = _PURPOSES.get(self.purpose, shown(self.purpose))
        purpose = "".join(f"{word}  " for word in (self._part, purpose) if word)
        ended = self._ended
        if ended is None:
            took = seconds(self._elapsed(self._began))
            return line((purpose, "dim"), ("running ", "running"), (took, "dim"))
        verdict = self._verdict(ended)
        return line((purpose, "dim"), verdict, (f"  {seconds(ended.seconds)}", "dim"))

    def _verdict(self, ended: CommandEnded) -> tuple[str, str]:
        if ended.cancelled:
            return "stopped", "warned"
        if ended.timed_out:
            return "timed out", "failed"
        if ended.out_of_memory:
            return "out of memory", "failed"
        if self._check is not None and self._check.failing:
            return f"{len(self._check.failing)} failing", "failed"
        if self._check is not None and self._check.green:
            return "green", "ok"
        return f"exit {ended.exit_code}", "failed" if ended.exit_code else "ok"

    def row_of(self, at: int, width: int) -> int:
        """The row of the open entry where line `at` of the output begins."""
        lines = self.lines(width)
        return lines.row_of(at) if isinstance(lines, FoldedLines) else 0

    def text(self) -> str:
        return f"{self._shown}\n{self.output.text()}"


class StepBlock(Block):
    """A step of getting ready: its state, and what it printed when opened or running."""

    foldable = True

    def __init__(self, name: str, detail: str, began: float, elapsed: Elapsed) -> None:
        super().__init__()
        self.output = Output()
        self._name, self._detail = shown(name), shown(detail)
        self._began, self._elapsed = began, elapsed
        self._ended: StepEnded | None = None

    @property
    def running(self) -> bool:
        return self._ended is None

    def add(self, text: str) -> None:
        self.output.add(text)
        self.changed()

    def finish(self, event: StepEnded) -> None:
        self._ended = event
        self._detail = shown(event.detail) or self._detail
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        mark, took = self._state()
        detail = self._detail.replace("\n", " ")
        left = line(mark, self._name, (f"  {detail}", "dim"))
        head = spread(left, line((took, "dim")), width)
        failed = self._ended is not None and not self._ended.ok
        if self.open:
            return FoldedLines([head], self.output.lines(), width - 2)
        if self.running or failed:
            lines, _ = self.output.last(3)
            return [head, *(line("  ") + _cut(content, width - 2) for content in lines)]
        return [head]

    def _state(self) -> tuple[tuple[str, str], str]:
        if self._ended is None:
            return ("· ", "running"), seconds(self._elapsed(self._began))
        mark = ("✓ ", "ok") if self._ended.ok else ("✗ ", "failed")
        return mark, seconds(self._ended.seconds)

    def text(self) -> str:
        return f"{self._name} {self._detail}\n{self.output.text()}"


def _cut(content: Content, width: int) -> Content:
    return content.truncate(max(width, 4), ellipsis=True)
