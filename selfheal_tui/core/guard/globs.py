"""Patterns for paths of a tree, as in an ignore file: `conftest.py`, `tests/`, `ci/**/*.yml`.

A pattern without a slash speaks for a name at any depth, one that ends in a slash for all below a
folder of that name; any other is a whole path from the root, where `**` goes over folders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Tells whether a path fits one of the patterns; none of them fits where there are none."""
    wanted = [_expression(pattern) for pattern in patterns if pattern.strip("/")]
    if not wanted:
        return lambda path: False
    expression = re.compile("|".join(wanted), re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    folder = pattern.endswith("/")
    inner = pattern.strip("/")
    anchored = "/" in inner or pattern.startswith("/")
    return ("" if anchored else "(?:.*/)?") + _translated(inner) + ("/.*" if folder else "")


def _translated(pattern: str) -> str:
    pieces = re.split(r"(/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[[^\]/]*\])", pattern)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    known = {
        "/**/": "/(?:.*/)?",
        "**/": "(?:.*/)?",
        "/**": "/.*",
        "**": ".*",
        "*": "[^/]*",
        "?": "[^/]",
    }
    if piece in known:
        return known[piece]
    if len(piece) > 2 and piece.startswith("[") and piece.endswith("]"):
        inner = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        inner = f"^{inner[1:]}" if inner.startswith("!") else inner
        return _class_or_text(f"[{inner}]", piece)
    return re.escape(piece)


def _class_or_text(expression: str, piece: str) -> str:
    """A class of characters that is none (`[z-a]`) stands for itself."""
    try:
        re.compile(expression)
    except re.error:
        return re.escape(piece)
    return expression
