"""Output of commands with its colours kept: only colours and weights are read from escapes.

Every other control becomes a visible mark, so that nothing of it reaches the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from textual.color import Color
from textual.content import Content, Span
from textual.style import Style

from selfheal_tui.core.text import fold_terminal
from selfheal_tui.ui.palette import ANSI
from selfheal_tui.ui.widgets.lines import shown

SGR = re.compile(r"\x1b\[([0-9;:]{0,64})m")
UNUSUAL = re.compile("[^\x20-\x7e]")
"""Anything that plain output does not hold; where it finds nothing, nothing is to be done."""


@dataclass(frozen=True)
class Pen:
    """What the escapes so far have set. A colour is one of eight names, which the theme gives a
    look, or `rgb(...)`; empty for none."""

    colour: str = ""
    ground: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False

    def spans(self, start: int, end: int) -> list[Span]:
        """What it does to the text from `start` to `end`."""
        spans = [Span(start, end, self._style())]
        if self.colour in ANSI:
            spans.append(Span(start, end, f"ansi-{self.colour}"))
        if self.ground in ANSI:
            spans.append(Span(start, end, f"on-{self.ground}"))
        return spans

    def _style(self) -> Style:
        return Style(
            background=None if self.ground in ("", *ANSI) else Color.parse(self.ground),
            foreground=None if self.colour in ("", *ANSI) else Color.parse(self.colour),
            bold=self.bold or None,
            dim=self.dim or None,
            italic=self.italic or None,
            underline=self.underline or None,
            reverse=self.reverse or None,
        )


PLAIN = Pen()


def read_line(raw: str, pen: Pen) -> tuple[Content, Pen]:
    """One line as content, and the pen after it."""
    raw = _overwritten(raw)
    if "\x1b" not in raw:
        text = shown(raw)
        spans = pen.spans(0, len(text)) if pen != PLAIN and text else []
        return Content(text, spans), pen
    return _read_escapes(raw, pen)


def _read_escapes(raw: str, pen: Pen) -> tuple[Content, Pen]:
    texts: list[str] = []
    spans: list[Span] = []
    length = 0
    for piece, after in _pieces(raw, pen):
        text = shown(piece)
        if text and pen != PLAIN:
            spans += pen.spans(length, length + len(text))
        texts.append(text)
        length += len(text)
        pen = after
    return Content("".join(texts), spans), pen


def _pieces(raw: str, pen: Pen) -> Iterator[tuple[str, Pen]]:
    """Text up to each change of the pen, and the pen that follows it."""
    at = 0
    for match in SGR.finditer(raw):
        after = _obey(match[1], pen)
        yield raw[at : match.start()], after
        at, pen = match.end(), after
    yield raw[at:], pen


def _overwritten(raw: str) -> str:
    """A line as it stands after carriage returns and backspaces."""
    raw = raw.rstrip("\r")
    if "\b" in raw:
        return fold_terminal(raw)
    if "\r" in raw:
        # What was written last is what is seen; the escapes before it still hold.
        *before, last = raw.split("\r")
        return "".join(match[0] for part in before for match in SGR.finditer(part)) + last
    return raw


def _obey(codes: str, pen: Pen) -> Pen:
    numbers = [int(part) if part else 0 for part in re.split("[;:]", codes)[:32]]
    at = 0
    while at < len(numbers):
        code = numbers[at]
        if code in (38, 48):
            colour, used = _extended(numbers[at + 1 :])
            pen = replace(pen, colour=colour) if code == 38 else replace(pen, ground=colour)
            at += used
        else:
            pen = _simple(code, pen)
        at += 1
    return pen


def _simple(code: int, pen: Pen) -> Pen:
    if code == 0:
        return PLAIN
    if code in _SETS:
        return _SETS[code](pen)
    if 30 <= code <= 37 or 90 <= code <= 97:
        return replace(pen, colour=ANSI[code % 10])
    if 40 <= code <= 47 or 100 <= code <= 107:
        return replace(pen, ground=ANSI[code % 10])
    if code == 39:
        return replace(pen, colour="")
    return replace(pen, ground="") if code == 49 else pen


_SETS: dict[int, Callable[[Pen], Pen]] = {
    1: lambda pen: replace(pen, bold=True),
    2: lambda pen: replace(pen, dim=True),
    3: lambda pen: replace(pen, italic=True),
    4: lambda pen: replace(pen, underline=True),
    7: lambda pen: replace(pen, reverse=True),
    22: lambda pen: replace(pen, bold=False, dim=False),
    23: lambda pen: replace(pen, italic=False),
    24: lambda pen: replace(pen, underline=False),
    27: lambda pen: replace(pen, reverse=False),
}


def _extended(numbers: list[int]) -> tuple[str, int]:
    """A colour of the 256 or of the many, and how many numbers named it."""
    if len(numbers) >= 2 and numbers[0] == 5:
        return _of_256(min(numbers[1], 255)), 2
    if len(numbers) >= 4 and numbers[0] == 2:
        red, green, blue = (min(part, 255) for part in numbers[1:4])
        return f"rgb({red},{green},{blue})", 4
    return "", len(numbers)


def _of_256(number: int) -> str:
    if number < 16:
        return ANSI[number % 8]
    if number >= 232:
        level = 8 + 10 * (number - 232)
        return f"rgb({level},{level},{level})"
    steps = (0, 95, 135, 175, 215, 255)
    red, rest = divmod(number - 16, 36)
    green, blue = divmod(rest, 6)
    return f"rgb({steps[red]},{steps[green]},{steps[blue]})"
