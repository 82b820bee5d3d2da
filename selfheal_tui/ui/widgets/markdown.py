"""Markdown of a model as lines of styled text. Links are shown with their address, never followed;
HTML and images stay the text that they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.content import Content, Span

from selfheal_tui.ui.widgets.lines import folded, indented, line, shown, wrapped
from selfheal_tui.ui.widgets.syntax import highlighted

LONGEST = 100_000
"""Characters of one piece that are read as Markdown; more are shown as they are."""


@dataclass(frozen=True)
class _Place:
    """Where a block stands: the prefix of its lines, and that of its first one."""

    prefix: Content = field(default_factory=lambda: Content(""))
    first: Content | None = None


def render(text: str, width: int) -> list[Content]:
    """`text` as lines of at most `width` cells."""
    clean = shown(text)
    if len(clean) > LONGEST:
        return [part for raw in clean.split("\n") for part in folded(line(raw), width)]
    return _Reader(width).blocks(_parser().parse(clean))


def stable_length(text: str) -> int:
    """How much of a streaming text is settled: up to the last blank line outside of a fence."""
    settled, fenced, at = 0, False, 0
    for raw in text.splitlines(keepends=True):
        at += len(raw)
        stripped = raw.strip()
        if stripped.startswith(("```", "~~~")):
            fenced = not fenced
        elif not stripped and not fenced:
            settled = at
    return settled


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


class _Reader:
    """Turns the tokens of one text into lines."""

    def __init__(self, width: int) -> None:
        self._width = max(width, 8)
        self._lines: list[Content] = []

    def blocks(self, tokens: Sequence[Token]) -> list[Content]:
        self._read(tokens, _Place())
        return self._lines or [Content("")]

    def _read(self, tokens: Sequence[Token], place: _Place, *, tight: bool = False) -> None:
        at = 0
        number = 0
        while at < len(tokens):
            token = tokens[at]
            end = _closing(tokens, at)
            inside = tokens[at + 1 : end]
            if token.type == "list_item_open":
                self._item(token, inside, place, number)
                number += 1
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._space(place, tight)
                self._read(inside, place)
            else:
                self._block(token, inside, place, tight)
                if place.first is not None:
                    place = replace(place, first=None)
            at = end + 1

    def _item(self, token: Token, inside: Sequence[Token], place: _Place, number: int) -> None:
        mark = f"{token.info}. " if token.info else "• "
        blank = line(" " * len(mark))
        first = (place.first or place.prefix) + line((mark, "dim"))
        self._read(inside, _Place(place.prefix + blank, first), tight=True)

    def _block(self, token: Token, inside: Sequence[Token], place: _Place, tight: bool) -> None:
        if place.first is None:
            self._space(place, tight)
        match token.type:
            case "heading_open":
                content = _inline(inside[0]) if inside else Content("")
                self._put(wrapped(content.stylize_before("title"), self._room(place)), place)
            case "paragraph_open":
                content = _inline(inside[0]) if inside else Content("")
                self._put(_wrapped_lines(content, self._room(place)), place)
            case "fence" | "code_block":
                self._code(token, place)
            case "blockquote_open":
                bar = line(("│ ", "border"))
                self._read(inside, _Place(place.prefix + bar, None), tight=True)
            case "hr":
                self._put([line(("─" * self._room(place), "border"))], place)
            case "table_open":
                self._put(_table(inside, self._room(place)), place)
            case _:
                self._put(_wrapped_lines(line(token.content), self._room(place)), place)

    def _code(self, token: Token, place: _Place) -> None:
        language = (token.info or "").split(" ")[0]
        room = self._room(place) - 2
        lines = highlighted(token.content.rstrip("\n"), language=language)
        cut = [part for content in lines for part in folded(content, room)]
        self._put(indented(cut, "  "), place)

    def _room(self, place: _Place) -> int:
        return max(self._width - place.prefix.cell_length, 8)

    def _space(self, place: _Place, tight: bool) -> None:
        if self._lines and not tight:
            self._lines.append(place.prefix.rstrip())

    def _put(self, lines: Sequence[Content], place: _Place) -> None:
        for at, content in enumerate(lines):
            prefix = place.first if at == 0 and place.first is not None else place.prefix
            self._lines.append(prefix + content)


def _closing(tokens: Sequence[Token], at: int) -> int:
    """The place of the token that closes the one at `at`; itself when it opens nothing."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth <= 0:
            return place
    return len(tokens) - 1


def _wrapped_lines(content: Content, width: int) -> list[Content]:
    return [
        part for piece in content.split("\n", allow_blank=True) for part in wrapped(piece, width)
    ]


def _inline(token: Token) -> Content:
    """The text of a paragraph, with the styles of what is within it."""
    texts: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[str, int, str]] = []
    at = 0

    def put(text: str, style: str = "") -> None:
        nonlocal at
        if style and text:
            spans.append(Span(at, at + len(text), style))
        texts.append(text)
        at += len(text)

    for child in token.children or []:
        if child.nesting == 1:
            opened.append((_INLINE.get(child.type, ""), at, str(child.attrs.get("href", ""))))
        elif child.nesting == -1 and opened:
            style, start, address = opened.pop()
            if style and at > start:
                spans.append(Span(start, at, style))
            if address and address != "".join(texts)[start:at]:
                put(f" ({shown(address)})", "dim")
        elif child.type in ("softbreak", "hardbreak"):
            put(" " if child.type == "softbreak" else "\n")
        elif child.type == "code_inline":
            put(child.content, "code")
        elif child.type == "image":
            put(f"[image: {child.content}]", "dim")
        else:
            put(child.content)
    # Entities were resolved by the parser, so what they stand for is made visible here again.
    text = "".join(texts)
    clean = shown(text)
    return Content(text, spans) if clean == text else line(clean)


_INLINE = {"strong_open": "strong", "em_open": "quote", "s_open": "dim", "link_open": "link"}


def _table(inside: Sequence[Token], width: int) -> list[Content]:
    """Columns as wide as their cells; rows are cut where the pane is narrower."""
    rows: list[list[Content]] = []
    for token in inside:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(_inline(token))
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max((row[i].cell_length for row in rows if i < len(row)), default=0) for i in range(columns)
    ]
    lines = []
    for number, row in enumerate(rows):
        content = Content("")
        for at, cell in enumerate(row):
            content += cell.pad_right(widths[at] - cell.cell_length) + "  "
        content = content.rstrip().truncate(width, ellipsis=True)
        lines.append(content.stylize("strong") if number == 0 else content)
    if len(lines) > 1:
        lines.insert(1, line(("─" * min(sum(widths) + 2 * (columns - 1), width), "border")))
    return lines
