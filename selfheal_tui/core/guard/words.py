"""Text of files as the guard reads it: bounded, never refused, and with its comments blanked."""

from __future__ import annotations

import re

MAX_READ = 1024 * 1024
"""Bytes of a file that are looked at."""

MAX_LINE = 2000
_SHOWN = 90

_C_LIKE = re.compile(
    r"""(?P<gone>//[^\n]*|/\*(?:.*?\*/|.*))"""
    r"""|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\.)*`?""",
    re.DOTALL,
)
_RUST_LIKE = re.compile(
    r"""(?P<gone>//[^\n]*|/\*(?:.*?\*/|.*))"""
    r"""|\bb?r(?P<hashes>#*)"(?:.*?"(?P=hashes)|.*)|"(?:[^"\\]|\\.)*"?|'(?:[^'\\\n]|\\.)'""",
    re.DOTALL,
)
_HASH = re.compile(r"^[ \t]*(?P<gone>#[^\n]*)", re.MULTILINE)
_NOT_NEWLINE = re.compile(r"[^\n]")


def text_of(content: bytes) -> str:
    """The beginning of a file as text; what is no UTF-8 survives the way back."""
    text = content[:MAX_READ].decode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def without_comments(text: str, style: str) -> str:
    """The text with comments as blanks, so that every line stays where it is. `style` is `c`,
    `rust` or `#`."""
    expression = {"c": _C_LIKE, "rust": _RUST_LIKE}.get(style, _HASH)
    return expression.sub(_blank_comment, text)


def without_strings(text: str) -> str:
    """The text of Rust, Java or Groovy with comments and strings as blanks: what is left of its
    braces belongs together."""
    return _RUST_LIKE.sub(lambda found: _blank(found[0]), text)


def lines_of(text: str) -> list[str]:
    """The lines, each bounded, with single blanks."""
    return [squeezed(line[:MAX_LINE]) for line in text.split("\n")]


def squeezed(text: str) -> str:
    """Single blanks, none at the ends."""
    return " ".join(text.split())


def shown(text: str) -> str:
    """A piece of code within a sentence."""
    text = squeezed(text[: 4 * _SHOWN])
    return f"`{text[:_SHOWN]}...`" if len(text) > _SHOWN else f"`{text}`"


def _blank_comment(found: re.Match[str]) -> str:
    gone = found["gone"]
    return found[0] if gone is None else found[0].replace(gone, _blank(gone))


def _blank(text: str) -> str:
    return _NOT_NEWLINE.sub(" ", text)
