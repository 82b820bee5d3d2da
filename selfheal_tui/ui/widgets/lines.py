"""Lines of styled text, made from text of outside. Refuses markup: every text is plain.

The style of a span is a name (`failed`, `dim`); `Rows` finds its look in the stylesheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content, Span
from textual.style import Style

from selfheal_tui.core.text import printable

TAB = 4

Part = str | tuple[str, "str | Style"]


def shown(text: str) -> str:
    """`text` fit to be drawn: printable, tabs as blanks."""
    return printable(text).expandtabs(TAB)


def line(*parts: Part) -> Content:
    """A line of parts, each a text or a text with the name of its style."""
    spans: list[Span] = []
    texts: list[str] = []
    at = 0
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        if style and text:
            spans.append(Span(at, at + len(text), style))
        texts.append(text)
        at += len(text)
    return Content("".join(texts), spans)


def wrapped(content: Content, width: int, *, indent: str = "") -> list[Content]:
    """`content` broken at words into lines of at most `width` cells; later ones are indented."""
    width = max(width, 4)
    if content.cell_length <= width and "\n" not in content.plain:
        return [content]
    if not indent:
        return content.wrap(width)
    first, *_ = content.wrap(width)
    rest = content[len(first.plain) :]
    blanks = len(rest.plain) - len(rest.plain.lstrip(" "))
    narrow = max(width - len(indent), 4)
    return [first, *(line(indent) + part for part in rest[blanks:].wrap(narrow))]


def folded(content: Content, width: int) -> list[Content]:
    """`content` broken at the edge, as code and output are."""
    if content.cell_length <= width:
        return [content]
    return content.fold(max(width, 2))


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at both ends of one line; `left` gives way, with a mark."""
    room = width - right.cell_length - (2 if right else 0)
    if room < 8:
        return left.truncate(width, ellipsis=True)
    if left.cell_length > room:
        left = left.truncate(room, ellipsis=True)
    gap = max(width - left.cell_length - right.cell_length, 0)
    return left + " " * gap + right


def plain_text(lines: Iterable[Content]) -> str:
    return "\n".join(content.plain.rstrip() for content in lines)


def indented(lines: Sequence[Content], by: str) -> list[Content]:
    return [line(by) + content for content in lines]


def seconds(value: float) -> str:
    """A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`."""
    if value < 10:
        return f"{max(value, 0):.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 test`, `3 tests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
