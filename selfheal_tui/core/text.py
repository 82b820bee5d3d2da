"""Text from outside, made fit to be shown, printed or sent: visible marks, folded lines, cuts.

Everything is linear in the length of the text. Refuses to let anything through to a terminal but
printable characters, newline and tab.
"""

from __future__ import annotations

import re

MAX_COLUMNS = 2_000
"""Columns after which a line is cut with a mark."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Zero-width, bidi controls, separators, fillers, variation selectors and tag characters."""

_UNFIT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]")

_ESCAPES = re.compile(
    # OSC, DCS, SOS, PM, APC with their bodies; CSI; other sequences; single 8-bit controls.
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,65536}(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)


def printable(text: str) -> str:
    """`text` with everything unfit for a terminal as a visible mark, and long lines cut."""
    shown = _UNFIT.sub(lambda match: _mark(match[0]), text)
    return "\n".join(_cut_line(line) for line in shown.split("\n"))


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u2039U+{code:04X}\u203a"


def _cut_line(line: str) -> str:
    left = len(line) - MAX_COLUMNS
    return line if left <= 0 else f"{line[:MAX_COLUMNS]} [... {left} more columns]"


def fold_terminal(text: str) -> str:
    """What a terminal would show in the end: escapes gone, `\\r` and backspace obeyed."""
    plain = _ESCAPES.sub("", text)
    if "\r" in plain or "\b" in plain:
        plain = "\n".join(_fold_line(line) for line in plain.replace("\r\n", "\n").split("\n"))
    return plain


def _fold_line(line: str) -> str:
    """A carriage return starts the line anew; what follows overwrites what was there."""
    if "\b" in line:
        line = _without_backspaces(line)
    shown: list[str] = []
    length = 0
    # From the last part to the first: what is there already came later, and hides the earlier.
    for part in reversed(line.split("\r")):
        if len(part) > length:
            shown.append(part[length:])
            length = len(part)
    return "".join(shown)


def _without_backspaces(line: str) -> str:
    kept: list[str] = []
    for character in line:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\r":
            kept.pop()
    return "".join(kept)


def cut_middle(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: a third of the head, two of the tail, and a note
    between them that says how much was left out. Whole lines where that costs little."""
    if len(text) <= limit:
        return text
    note = f"\n[... {len(text)} characters in all, the middle is left out ...]\n"
    room = limit - len(note)
    if room < 20:
        return text[len(text) - max(limit, 0) :]
    head, tail = text[: room // 3], text[len(text) - (room - room // 3) :]
    newline = head.rfind("\n")
    if newline >= len(head) // 2:
        head = head[:newline]
    newline = tail.find("\n")
    if 0 <= newline < len(tail) // 2:
        tail = tail[newline + 1 :]
    return head + note + tail


def one_line(text: str, limit: int) -> str:
    """`text` as one printable line of at most `limit` characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "\u2026"
