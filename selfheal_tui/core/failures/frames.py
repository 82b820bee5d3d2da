"""Leaves a trace's frames of libraries out: what is left is the assertion and the project's own.

A frame of Python takes its source lines with it. Linear in the length of the text.
"""

from __future__ import annotations

import re

_FOREIGN = re.compile(
    r"site-packages|dist-packages|node_modules|/lib/python\d[\d.]*/|/\.cargo/|/rustlib/|<frozen "
)
_PYTHON = re.compile(r' *File "')
_ONE_LINE = re.compile(r" *\t?(?:at |\u276f )")
_RUNTIME = re.compile(
    r"\((?:node:|internal/)|at (?:node:|internal/)"
    r"|at (?:[\w.@-]*/){0,2}(?:java|jdk|sun|javax|kotlin|scala|org\.junit|org\.gradle"
    r"|org\.apache\.maven|org\.opentest4j|junit)\."
)
_LEAST = 3
"""Lines that have to go before a note in their place is shorter."""


def own_frames(detail: str) -> str:
    """`detail` without the frames of libraries, each run of them as a note."""
    kept: list[str] = []
    gone: list[str] = []
    indent = -1
    for line in detail.split("\n"):
        if _PYTHON.match(line):
            indent = _indent(line) if _FOREIGN.search(line) else -1
        elif indent >= 0 and _indent(line) <= indent:
            indent = -1
        if indent >= 0 or _is_foreign(line):
            gone.append(line)
            continue
        kept += _noted(gone)
        gone = []
        kept.append(line)
    return "\n".join([*kept, *_noted(gone)])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_foreign(line: str) -> bool:
    """Whether the line is a whole frame, of a library or of what runs the program."""
    if _ONE_LINE.match(line) is None:
        return False
    return _FOREIGN.search(line) is not None or _RUNTIME.search(line) is not None


def _noted(gone: list[str]) -> list[str]:
    if len(gone) < _LEAST:
        return gone
    return [f"    [... {len(gone)} lines of libraries left out ...]"]
