"""Text from outside, made fit to be shown, printed or sent: visible marks, folded lines, cuts.

Everything is linear in the length of the text. Refuses to let anything through to a terminal but
printable characters, newline and tab.
"""

from __future__ import annotations

import re
import unicodedata

MAX_COLUMNS = 2_000
"""Columns of the longest line; the mark that says that it was cut is among them."""

LEFT_OUT = "left out"

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Zero-width, bidi controls, separators, fillers, variation selectors and tag characters."""

_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
NO_CHARACTER = re.compile(f"[{_NO_CHARACTERS}]")
"""What Unicode will never make a character of. git takes a commit message with one of them for
Latin-1, and commits other words than it was given."""

_UNFIT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}{_NO_CHARACTERS}]")

_ERASE_LINE = re.compile(r"(?:\x1b\[|\x9b)([02]?)K")
_STRING_BODY = r"[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
_ESCAPES = re.compile(
    # OSC, DCS, SOS, PM, APC with a body that ends; CSI; what starts any other sequence. An
    # unended body is text: a terminal would swallow the rest of the report.
    rf"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING_BODY}"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?|[\x80-\x9f]"
)
_LINE_FEEDS = re.compile(r"[\x0b\x0c]")
_SILENT = re.compile(r"[\x01-\x07\x0e-\x1f\x7f]")
_ERASED = "\x00"
"""Stands for `erase to the end of the line` while a line is folded; NUL itself shows nothing."""
_MOVES = re.compile("\r+|\b+|\x00+|[^\r\b\x00]+")


def printable(text: str) -> str:
    """`text` with everything unfit for a terminal as a visible mark, and long lines cut.

    Control characters become their pictures (U+2400 and on), the rest `‹U+202E›`.
    """
    return "\n".join(map(_printable_line, text.split("\n")))


_BREAKS = {0x0A: "\u240a", 0x09: "\u2409"}


def on_one_line(text: str) -> str:
    """`text` made printable, its newlines and tabs as pictures too: a name, or a reason from
    outside, that could else pass for lines of ours. Loses nothing, unlike `one_line`."""
    return printable(text.translate(_BREAKS))


def hanging(text: str, mark: str = "    | ") -> str:
    """`text` made printable, each line after its first behind a `mark`, so that none of them passes
    for a line of ours."""
    return printable(text).replace("\n", f"\n{mark}")


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u2039U+{code:04X}\u203a"


def _printable_line(line: str) -> str:
    # Each character takes a column at least: what comes after these is cut, whatever it is.
    shown = _UNFIT.sub(lambda found: _mark(found[0]), line[:MAX_COLUMNS])
    whole = len(line) <= MAX_COLUMNS
    if whole and (2 * len(shown) <= MAX_COLUMNS or _columns(shown) <= MAX_COLUMNS):
        return shown
    mark = f" [... cut: a line of {len(line)} characters]"
    return _first_columns(shown, MAX_COLUMNS - len(mark)) + mark


def _columns(line: str) -> int:
    """Columns that a line takes; what combines counts as one, so that a flood of it is cut."""
    if line.isascii():
        return len(line)
    return len(line) + sum(unicodedata.east_asian_width(character) in "WF" for character in line)


def _first_columns(line: str, columns: int) -> str:
    kept = line[:columns]
    over = _columns(kept) - columns
    while over > 0:
        kept = kept[: -(over // 2 + over % 2)]
        over = _columns(kept) - columns
    return kept


def fold_terminal(text: str) -> str:
    """What a terminal would show in the end: escapes gone, `\\r`, `\\b` and erasing obeyed."""
    plain = text.replace(_ERASED, "")
    plain = _ERASE_LINE.sub(lambda found: f"\r{_ERASED}" if found[1] == "2" else _ERASED, plain)
    plain = _LINE_FEEDS.sub("\n", _ESCAPES.sub("", plain))
    if "\r" in plain or "\b" in plain or _ERASED in plain:
        plain = "\n".join(_fold_line(line) for line in plain.replace("\r\n", "\n").split("\n"))
    return _SILENT.sub("", plain)


def _fold_line(line: str) -> str:
    if "\b" in line:
        return _moved_about(line)
    if "\r" in line:
        return _overwritten(line)
    return line.replace(_ERASED, "")


def _overwritten(line: str) -> str:
    """A carriage return starts the line anew; what follows overwrites what was there."""
    shown: list[str] = []
    length = 0
    # From the last part to the first: what is there already came later, and hides the earlier.
    for part in reversed(line.split("\r")):
        words = part.replace(_ERASED, "")
        if len(words) > length:
            shown.append(words[length:])
            length = len(words)
        if len(words) < len(part):
            break
    return "".join(shown)


def _moved_about(line: str) -> str:
    """The cells of a line after its cursor went back and forth."""
    cells: list[str] = []
    cursor = 0
    for found in _MOVES.finditer(line):
        words = found[0]
        if words[0] == "\r":
            cursor = 0
        elif words[0] == "\b":
            cursor = max(0, cursor - len(words))
        elif words[0] == _ERASED:
            del cells[cursor:]
        else:
            cells[cursor : cursor + len(words)] = words
            cursor += len(words)
    return "".join(cells)


def cut_middle(text: str, limit: int, note: str = LEFT_OUT) -> str:
    """`text` in at most `limit` characters, cut in the middle, never at the end.

    A third of the room is the head's, two thirds the tail's, whole lines where that costs little;
    a line between them says how many characters are `note`.
    """
    if len(text) <= limit:
        return text
    room = limit - len(_gap(len(text), note))
    if room < 20:
        return text[len(text) - max(limit, 0) :]
    head, tail = text[: room // 3], text[len(text) - (room - room // 3) :]
    newline = head.rfind("\n")
    if newline >= len(head) // 2:
        head = head[:newline]
    newline = tail.find("\n")
    if 0 <= newline < len(tail) // 2:
        tail = tail[newline + 1 :]
    return head + _gap(len(text) - len(head) - len(tail), note) + tail


def _gap(characters: int, note: str) -> str:
    return f"\n[... {characters} characters {note} ...]\n"


def one_line(text: str, limit: int) -> str:
    """`text` as one printable line of at most `limit` characters."""
    line = printable(" ".join(text.split())).replace("\n", " ")
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "\u2026"[: max(limit, 0)]
