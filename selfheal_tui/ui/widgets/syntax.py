"""Source code in colours: pygments reads it, names of styles are what comes out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Token
from pygments.util import ClassNotFound
from textual.content import Content, Span

from selfheal_tui.ui.widgets.lines import shown

LONGEST = 60_000
"""Characters that are coloured at once; longer code stays plain, so that nothing waits for it."""

MOST_SECONDS = 0.5
"""Of the processor, for one piece of code: some lexers take time by the square of what they do not
understand, a file of blank lines for one. What is left then stays plain."""

_STYLES = {
    Token.Comment: "comment",
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Literal.String: "string",
    Token.Literal.Number: "literal",
    Token.Keyword.Constant: "literal",
    Token.Name.Function: "name",
    Token.Name.Class: "type",
    Token.Name.Decorator: "type",
    Token.Keyword.Type: "type",
    Token.Name.Tag: "keyword",
    Token.Name.Attribute: "name",
    Token.Generic.Deleted: "removed",
    Token.Generic.Inserted: "added",
}


def highlighted(code: str, *, language: str = "", path: str = "") -> list[Content]:
    """The lines of `code`, coloured for a language's name or a file's path."""
    text = shown(code)
    lexer = _lexer(language, path)
    if lexer is None or len(text) > LONGEST:
        return [Content(part) for part in text.split("\n")]
    return _lines(text, lexer)


def _lines(text: str, lexer: Lexer) -> list[Content]:
    lines: list[Content] = []
    parts: list[str] = []
    spans: list[Span] = []
    at = 0
    for kind, token in _tokens(text, lexer):
        style = _style(kind)
        for number, piece in enumerate(token.split("\n")):
            if number:
                lines.append(Content("".join(parts), spans))
                parts, spans, at = [], [], 0
            if piece:
                if style:
                    spans.append(Span(at, at + len(piece), style))
                parts.append(piece)
                at += len(piece)
    if parts:
        lines.append(Content("".join(parts), spans))
    wanted = text.count("\n") + 1
    # Lexers may drop or add a last line break; the numbers of lines must hold.
    return (lines + [Content("")] * wanted)[:wanted]


def _tokens(text: str, lexer: Lexer) -> Iterator[tuple[Any, str]]:
    """The lexer's tokens; past the time that it may take, the rest as one without a kind."""
    end = time.thread_time() + MOST_SECONDS
    done = 0
    for kind, token in lexer.get_tokens(text):
        yield kind, token
        done += len(token)
        if time.thread_time() > end:
            yield Token.Text, text[done:]
            return


@lru_cache(maxsize=512)
def _style(kind: Any) -> str:
    while kind is not None:
        if kind in _STYLES:
            return _STYLES[kind]
        kind = kind.parent
    return ""


@lru_cache(maxsize=128)
def _lexer(language: str, path: str) -> Lexer | None:
    try:
        if language:
            return get_lexer_by_name(language, stripnl=False, ensurenl=False)
        if path:
            name = path.rsplit("/", 1)[-1]
            return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return None
