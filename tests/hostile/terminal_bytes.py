"""A strict parser of what was sent to a terminal: printable text, newline and tab; from the
interface also the control sequences that it is known to use. Everything else is named."""

from __future__ import annotations

import re
import unicodedata

_OWN = re.compile(
    # Where, in which colours.
    r"\x1b\[\d+;\d+H|\x1b\[[0-9;:]*m"
    # Screen, cursor, wrapping, mouse, focus, paste; what the terminal can do, asked.
    r"|\x1b\[\?(?:1049|25|7|1000|1003|1004|1006|1015|1016|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048|1016)\$p"
    # The keyboard's protocol; the stack of titles; the pointer's shape.
    r"|\x1b\[(?:>\d+|<)u|\x1b\[2[23];0t|\x1b\]22;[a-z-]+\x07"
    # Our title and our notification: ours by their first word.
    r"|\x1b\]2;(?:\u25cf selfheal: [^\x00-\x1f\x7f-\x9f]*|selfheal)\x07"
    r"|\x1b\](?:9;selfheal: |777;notify;selfheal;)[^\x00-\x1f\x7f-\x9f]*\x07"
    # The bell; the start of a line, which the terminal adds to every newline.
    r"|\x07|\r"
)
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Zero-width, bidi controls, line and paragraph separators, fillers and tag characters."""

_MOST = 5
"""Offences that are named; a flood says no more."""


def offences(data: bytes, *, interface: bool = False) -> list[str]:
    """What must not have been sent, each once, with what stands around it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"bytes that are not UTF-8: {data[error.start - 20 : error.end + 20]!r}"]
    rest = _OWN.sub("", text) if interface else text
    found: dict[str, str] = {}
    for at, character in enumerate(rest):
        if not _is_plain(character) and character not in found:
            found[character] = repr(rest[max(at - 20, 0) : at + 30])
    return [f"U+{ord(c):04X} in {around}" for c, around in list(found.items())[:_MOST]]


def _is_plain(character: str) -> bool:
    if " " <= character <= "~" or character in "\n\t":
        return True
    category = unicodedata.category(character)
    return category not in {"Cc", "Cs"} and not _HIDDEN.match(character)
