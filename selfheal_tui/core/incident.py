"""A heal that is kept to be remembered, and the short notes that are made from such ones.

A note is one printable line that cannot end the place where it is quoted: what it holds was
written by a model, a repository or a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from selfheal_tui.core.signature import Signature
from selfheal_tui.core.text import one_line

MAX_NOTE = 400
"""Characters of a note with its origin."""

MAX_PATCH = 1024
"""Bytes of the patch excerpt, in UTF-8."""

_MAX_ORIGIN = 120
_MAX_MESSAGE = 120
_MAX_SUMMARY = 160
_MAX_FILES = 3
_WORTH_A_PATCH = 40
"""Characters that have to be left for lines of the patch; fewer say nothing."""

_HARMLESS = str.maketrans("<>", "\u2039\u203a")


@dataclass(frozen=True)
class Incident:
    """What failed, and what fixed it. `message` is the commit message's first line, `patch` an
    excerpt; `commit` is empty where only files were written; `at` is seconds since the epoch."""

    signature: Signature
    message: str
    summary: str
    files: tuple[str, ...]
    patch: str
    repository: str
    commit: str
    at: float


@dataclass(frozen=True)
class Known:
    """A kept incident. `text` is the user's own wording of its note; empty: it is made."""

    id: int
    incident: Incident
    text: str = ""


@dataclass(frozen=True)
class Note:
    """What a model may be told of an earlier heal, and where it comes from."""

    origin: str
    text: str


def note(origin: str, text: str) -> Note:
    """A note of one printable line, at most `MAX_NOTE` characters with its origin."""
    origin = one_line(origin, _MAX_ORIGIN).translate(_HARMLESS)
    text = one_line(text.translate(_HARMLESS), MAX_NOTE - len(origin) - len(": "))
    return Note(origin, text)


def note_of(known: Known) -> Note:
    """The note of a kept incident: the user's wording, or what fixed it in a few words."""
    return note(origin_of(known.incident), known.text or fix_in_words(known.incident))


def origin_of(incident: Incident) -> str:
    """`healed on 2026-11-02 in till, commit 1a2b3c4`; the date is this machine's."""
    folder = one_line(incident.repository.rstrip("/").rpartition("/")[2], 40)
    commit = f"commit {incident.commit[:7]}" if incident.commit else "not committed"
    return f"healed on {day(incident.at)} in {folder or 'a repository'}, {commit}"


def day(at: float) -> str:
    """The date of a time as this machine has it."""
    try:
        return datetime.fromtimestamp(at).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return "an unknown day"


def fix_in_words(incident: Incident) -> str:
    """What fixed it, as one line: message, summary, files, and lines of the patch where room is."""
    said = [one_line(incident.message, _MAX_MESSAGE), one_line(incident.summary, _MAX_SUMMARY)]
    parts = [part.rstrip(".") for part in dict.fromkeys(said) if part]
    if incident.files:
        more = len(incident.files) - _MAX_FILES
        named = ", ".join(one_line(path, 60) for path in incident.files[:_MAX_FILES])
        parts.append(f"Changed {named}" + (f" and {more} more" if more > 0 else ""))
    room = MAX_NOTE - len(origin_of(incident)) - len(": ") - sum(len(part) + 2 for part in parts)
    lines = changed_lines(incident.patch)
    if lines and room >= _WORTH_A_PATCH:
        parts.append(one_line(" \u23ce ".join(lines), room))
    return ". ".join(parts)


def changed_lines(patch: str) -> list[str]:
    """The lines that a patch takes out and puts in, each in one piece."""
    lines = [line for line in patch.split("\n") if line[:1] in ("+", "-")]
    kept = [line for line in lines if not line.startswith(("+++ ", "--- "))]
    return [f"{line[0]} {' '.join(line[1:].split())}" for line in kept if line[1:].strip()]


def excerpt(patch: str) -> str:
    """The first whole lines of a patch that fit into `MAX_PATCH` bytes, without git's headers."""
    kept: list[str] = []
    room = MAX_PATCH
    for line in patch.split("\n"):
        if line.startswith(("diff --git ", "index ", "new file mode", "deleted file mode")):
            continue
        room -= len(line.encode("utf-8", "surrogatepass")) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept).rstrip("\n")
