"""Writes the transcript of a session into a new file. Refuses to write over anything."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

from selfheal_tui.core.events import Event
from selfheal_tui.core.redact import Redactor, redacted
from selfheal_tui.core.transcript import transcript
from selfheal_tui.errors import UsageError

NAME = "transcript"


def markdown(record: Iterable[tuple[Event, float]], redactor: Redactor) -> str:
    """The transcript without what `redactor` knows, which may be more than it knew when the events
    were stored."""
    clean = ((redacted(event, redactor), at) for event, at in record)
    # Once more as a whole: what streamed in two pieces is one text only now.
    return redactor.redact(transcript(clean))


def export(text: str, *, start: Path, path: str = "", folder: Path | None = None) -> str:
    """Write `text` to `path`, relative to `start`, or for an empty one to a new file in `folder`;
    a sentence that says where. Raises UsageError where it cannot be."""
    if path:
        target = start / Path(path).expanduser()
        _write(target, text)
    elif folder is not None:
        target = _unused(folder, text)
    else:
        raise UsageError("a record has no folder of its own: name a file, /export PATH")
    # A link on the way may have led elsewhere than the words of the path.
    return f"the transcript is in {target.resolve()}"


def _unused(folder: Path, text: str) -> Path:
    """Write to the first name that is free, and return it."""
    for number in itertools.count(1):
        target = folder / (f"{NAME}.md" if number == 1 else f"{NAME}-{number}.md")
        if not os.path.lexists(target):
            break
    _write(target, text)
    return target


def _write(target: Path, text: str) -> None:
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{target} is there already; name another file") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{target} cannot be written: {_why(error)}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise UsageError(f"{target} cannot be written: {_why(error)}") from error


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
