"""Where the interface draws: a terminal that may go away, or have another character set.

What it cannot show takes the same room there as what stands in for it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from contextlib import suppress
from typing import Any, TextIO

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

_STAND_INS = {
    **dict.fromkeys("─━═╌╍┄┅┈┉▔▁", "-"),
    **dict.fromkeys("│┃║╎╏┆┇┊┋▏▎▍▌▐▕", "|"),
    **dict.fromkeys("█▇▆▅▄▃▂▀▉▊▋■▪", "#"),
    **dict.fromkeys("…·•∙", "."),
    **dict.fromkeys("●◉◆", "*"),
    **dict.fromkeys("○◌◦◇", "o"),
    **dict.fromkeys("▶▸►→❯›»", ">"),
    **dict.fromkeys("◀◂◄←❮‹«", "<"),
    **dict.fromkeys("▲▴↑", "^"),
    **dict.fromkeys("▼▾↓", "v"),
    **dict.fromkeys("✓✔☑", "+"),
    **dict.fromkeys("✗✘✕×☒", "x"),
    **dict.fromkeys("–—−", "-"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
}
_LINES = range(0x2500, 0x2580)
"""Lines and corners of boxes."""


class Drawing:
    """A stream for what is drawn. Nothing raises: what cannot be written is replaced, or lost.

    Textual draws in a thread that would die of an error, and then block the whole app.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lacking = "" if _is_unicode(stream.encoding) else stream.encoding

    def write(self, text: str) -> int:
        shown = legible(text, self._lacking) if self._lacking else text
        with suppress(OSError, ValueError):
            self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def legible(text: str, encoding: str) -> str:
    """`text` with a stand-in of the same width for each character that `encoding` has not."""
    return _BEYOND_ASCII.sub(lambda found: _shown(found[0], encoding), text)


def _shown(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _stand_in(character)
    return character


def _stand_in(character: str) -> str:
    if character in _STAND_INS:
        return _STAND_INS[character]
    if ord(character) in _LINES:
        return "+"
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    return "??" if unicodedata.east_asian_width(character) in "WF" else "?"


def _is_unicode(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith("utf")
