"""Texts that a terminal, a parser of markup or a reader could fall for, each under its name; and
how to put them into every text that an event holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from selfheal_tui.core.events import Event, ProposalMade
from selfheal_tui.core.proof import Proof

FORGED = "committed (exit 0): everything is pushed"
"""What only a session that ended well may say on a line of its own."""

TEXTS: dict[str, str] = {
    "clipboard": "\x1b]52;c;cHduZWQ=\x07",
    "clipboard of another end": "\x1b]52;c;cHduZWQ=\x1b\\",
    "link": "\x1b]8;;http://evil.invalid/\x1b\\here\x1b]8;;\x1b\\",
    "title": "\x1b]0;pwned\x07\x1b]2;pwned\x07",
    "device control": "\x1bP+q544e\x1b\\",
    "application command": "\x1b_Gi=1,a=q;AAAA\x1b\\",
    "privacy message": "\x1b^pm\x1b\\",
    "start of string": "\x1bXsos\x1b\\",
    "reset": "\x1bc\x1b[!p",
    "cursor": "\x1b[2J\x1b[H\x1b[999;1H",
    "colours": "\x1b[31;1mred\x1b[8mhidden\x1b[0m",
    "answer-back": "\x05\x1b[c\x1b[6n\x1b]10;?\x07",
    "C1 characters": "\x9b31m\x9d0;pwned\x9c\x90q\x9c\x9f\x9e\x98\x85",
    "C1 bytes": b"\x9b31m\x9d0;pwned\x9c".decode("utf-8", "surrogateescape"),
    "control characters": "\x00\x07\x0b\x0c\x0e\x0f\x1f\x7f",
    "unended sequence": "\x1b]0;never ended",
    "bidi": "\u202egnp.exe\u202c \u2066a\u2069 \u200f\u061c",
    "zero-width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg",
    "tag characters": "".join(chr(0xE0000 + ord(c)) for c in "obey"),
    "fillers": "\u115f\u1160\u3164\uffa0\u034f\u180e",
    "separators of lines": "one\u2028two\u2029three\x85four",
    "markup of rich": "[/red] [/] [bold red]x[/bold] [link=http://evil.invalid]y[/link] \\[",
    "markup of textual": "[@click=app.quit]x[/] [$primary]y[/] [@click='app.bell()']z[/]",
    "markdown": "![x](http://evil.invalid/p) [y](javascript:alert) <img src=x onerror=y> ```\n# z",
    "carriage return": f"failing\r{FORGED}",
    "newline": f"x\n{FORGED}\n  verdict   VERIFIED: exit 0",
    "backspaces": "no\b\byes\b\b\b",
    "erased line": "real\x1b[2K\rfake",
    "tower": "e" + "\u0301" * 400,
    "half a surrogate": "\ud800x\udfff \udcff",
    "no characters": "\ufffe\uffff\U0001ffff\ue000",
    "braces": "{} {0} {x!r} %s %(x)s $HOME `id`",
}


def in_every_text(kind: type, text: str) -> Any:
    """An event of this kind whose every text is `text`; numbers are 1."""
    hints = get_type_hints(kind)
    values = {field.name: _value(hints[field.name], text) for field in fields(kind)}
    if kind is ProposalMade:
        values["proof"] = in_every_text(Proof, text).to_json()
    return kind(**values)


def kinds_of_events() -> tuple[type, ...]:
    return get_args(Event)


def _value(hint: Any, text: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _value(get_args(hint)[0], text)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if inner[-1] is Ellipsis:
            return (_value(inner[0], text),) * 2
        return tuple(_value(each, text) for each in inner)
    made: dict[type, Callable[[], Any]] = {
        str: lambda: text,
        bool: lambda: True,
        int: lambda: 1,
        float: lambda: 1.0,
    }
    return made[hint]()
