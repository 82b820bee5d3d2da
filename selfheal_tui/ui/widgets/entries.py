"""The entries of a conversation: text, thinking, tool calls, messages, dividers, notes."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from selfheal_tui.core.text import cut_middle, one_line
from selfheal_tui.ui.widgets import markdown
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.gist import argument_lines, gist
from selfheal_tui.ui.widgets.lines import (
    folded,
    indented,
    line,
    seconds,
    shown,
    spread,
    wrapped,
)

KEPT = 32_000
"""Characters of a tool's result or arguments that are kept for the eye."""


class TextBlock(Block):
    """Markdown that may still be streaming: what is settled is read once."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text
        self._done = bool(text)
        self._settled: tuple[int, int, list[Content]] = (0, 0, [])

    def add(self, text: str) -> None:
        self._text += text
        self.changed()

    def finish(self, text: str) -> None:
        """The whole text is `text`."""
        self._text, self._done = text, True
        self._settled = (0, 0, [])
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        if self._done:
            return [*markdown.render(self._text.strip("\n"), width), Content("")]
        at, for_width, lines = self._settled
        if for_width != width:
            at, lines = 0, []
        settled = at + markdown.stable_length(self._text[at:])
        if settled > at:
            lines = [*lines, *markdown.render(self._text[at:settled], width), Content("")]
        self._settled = (settled, width, lines)
        tail = self._text[settled:]
        return [*lines, *markdown.render(tail, width)] if tail.strip() or not lines else lines

    def text(self) -> str:
        return self._text


class ThinkingBlock(Block):
    """The model's thinking: its last lines while it streams, one folded line after."""

    foldable = True
    live_lines = 5

    def __init__(self, began: float) -> None:
        super().__init__()
        self._text = ""
        self._began = began
        self._seconds: float | None = None

    @property
    def done(self) -> bool:
        return self._seconds is not None

    def add(self, text: str) -> None:
        self._text += text
        self.changed()

    def finish(self, at: float) -> None:
        if self._seconds is None:
            self._seconds = at - self._began
            self.changed()

    def make(self, width: int) -> Sequence[Content]:
        if not self.done and not self.open:
            # Only the end is seen while it grows, so only the end is read.
            body = self._body(self._text[-4 * width * self.live_lines :], width)
            return [self._head("Thinking", width), *body[-self.live_lines :], Content("")]
        if not self.open:
            took = seconds(self._seconds or 0)
            hint = one_line(self._text, 200)
            return [self._head(f"Thought for {took}", width, hint)]
        return [self._head("Thinking", width), *self._body(self._text, width), Content("")]

    def _head(self, title: str, width: int, hint: str = "") -> Content:
        mark = "▾ " if self.open or not self.done else "▸ "
        parts = line((mark, "dim"), (title, "dim"), ("  " + hint if hint else "", "quote"))
        return parts.truncate(width, ellipsis=True)

    def _body(self, text: str, width: int) -> list[Content]:
        paragraphs = shown(text.strip("\n")).split("\n")
        lines = [part for raw in paragraphs for part in wrapped(line((raw, "quote")), width - 2)]
        return indented(lines, "  ")

    def text(self) -> str:
        return self._text


class ToolBlock(Block):
    """A tool call: one line that opens to its arguments and its result."""

    foldable = True

    def __init__(self, name: str, arguments: str, began: float) -> None:
        super().__init__()
        self._name = shown(name)
        self._arguments = cut_middle(arguments, KEPT)
        self._gist = gist(name, arguments)
        self._began = began
        self._result: str | None = None
        self._ok = True
        self._seconds = 0.0

    @property
    def running(self) -> bool:
        return self._result is None

    def finish(self, text: str, at: float, *, ok: bool) -> None:
        self._result, self._ok, self._seconds = cut_middle(text, KEPT), ok, at - self._began
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        head = self._head(width)
        return [head, *self._body(width), Content("")] if self.open else [head]

    def _head(self, width: int) -> Content:
        fold = ("▾ " if self.open else "▸ ", "dim")
        name_style = "strong" if self._ok else "failed"
        left = line(fold, (self._name, name_style), "  ", (self._gist, "code"))
        return spread(left, self._state(), width)

    def _state(self) -> Content:
        if self.running:
            return line(("running", "running"))
        if not self._ok:
            return line(("failed ", "failed"), (seconds(self._seconds), "dim"))
        return line(("✓ ", "ok"), (seconds(self._seconds), "dim"))

    def _body(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for name, text in argument_lines(self._arguments):
            lines += _labelled(name or "arguments", text, width)
        if self._result is not None:
            lines += _labelled("result" if self._ok else "error", self._result, width)
        return lines

    def text(self) -> str:
        return "\n".join([self._name, self._gist, self._arguments, self._result or ""])


def _labelled(label: str, text: str, width: int) -> list[Content]:
    """A label, and its text beside it when it is short, else below it."""
    body = shown(text.strip("\n"))
    label = shown(label)
    if "\n" not in body and len(label) + len(body) + 4 <= width:
        return [line("  ", (label, "dim"), "  ", body)]
    lines = [part for raw in body.split("\n") for part in folded(line(raw), width - 4)]
    return [line("  ", (label, "dim")), *indented(lines, "    ")]


class MessageBlock(Block):
    """Somebody's own words behind a bar: the user's, or an answer."""

    def __init__(self, who: str, text: str, style: str = "you") -> None:
        super().__init__()
        self._who, self._text, self._style = who, text, style

    def make(self, width: int) -> Sequence[Content]:
        bar = ("▎ ", self._style)
        paragraphs = shown(self._text.strip("\n")).split("\n")
        body = [part for raw in paragraphs for part in wrapped(line(raw), width - 2)]
        return [
            Content(""),
            line(bar, (self._who, self._style)),
            *(line(bar) + part for part in body),
        ]

    def text(self) -> str:
        return self._text


class DividerBlock(Block):
    """A line across with a title, and what it came to at its right end."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = shown(title)
        self._outcome = Content("")

    def finish(self, outcome: Content) -> None:
        self._outcome = outcome
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        outcome = self._outcome
        room = width - len(self._title) - outcome.cell_length - 6
        if outcome and room < 0:
            # Too narrow for both: the outcome has a line of its own.
            return [*self._line(width, Content("")), *indented(wrapped(outcome, width - 3), "   ")]
        return self._line(width, outcome)

    def _line(self, width: int, outcome: Content) -> list[Content]:
        head = line(("── ", "border"), (self._title, "title"), " ")
        tail = line(" ") + outcome if outcome else Content("")
        rule = "─" * max(width - head.cell_length - tail.cell_length, 0)
        return [Content(""), head + line((rule, "border")) + tail]

    def text(self) -> str:
        return f"{self._title} {self._outcome.plain}"


class NoteBlock(Block):
    """One remark: a mark and a sentence. `style` is dim, ok, warned, failed or accent."""

    MARKS = {"ok": "✓", "failed": "✗", "warned": "!", "accent": "→", "dim": "·"}  # noqa: RUF012

    def __init__(self, text: str, style: str = "dim", *, detail: str = "") -> None:
        super().__init__()
        self._text, self._style, self._detail = shown(text), style, detail

    def make(self, width: int) -> Sequence[Content]:
        mark = self.MARKS[self._style] + " "
        body_style = "dim" if self._style == "dim" else ""
        lines = wrapped(line((self._text.replace("\n", " "), body_style)), width - 2)
        first = line((mark, self._style)) + lines[0]
        rest = indented(lines[1:], "  ")
        return [first, *rest, *self._details(width)]

    def _details(self, width: int) -> list[Content]:
        if not self._detail:
            return []
        return indented(markdown.render(self._detail, width - 2), "  ")

    def text(self) -> str:
        return f"{self._text}\n{self._detail}"
