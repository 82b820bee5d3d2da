"""A text put into the user's own words, in their editor.

The file is private, and far from the repository: an editor must not read settings that stand
there. Refuses to open an editor where nobody is at the terminal.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from selfheal_tui.errors import SelfhealError, UsageError

_FALLBACK = "vi"

# Editors look for orders in the first and the last five lines of a file. What is edited was not
# written by the user, so it never stands there.
_HEAD = """\
# What the model is told when something alike fails, as one paragraph.
# Lines that begin with # are left out.
# Nothing but these lines: the note is made from the heal again.
#
#

"""
_TAIL = "\n" + "#\n" * 5


def edited(text: str, environment: Mapping[str, str], folder: Path) -> str:
    """`text` as the user left it in `$VISUAL` or `$EDITOR`. Raises UsageError without a terminal,
    and SelfhealError where the editor cannot be run or fails: nothing is to change then."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("there is no terminal for an editor: give the text with --text")
    command = environment.get("VISUAL") or environment.get("EDITOR") or _FALLBACK
    with tempfile.TemporaryDirectory(dir=folder) as made:
        file = Path(made) / "note.txt"
        file.touch(mode=0o600)
        file.write_text(f"{_HEAD}{text}\n{_TAIL}", encoding="utf-8")
        _run(command, file)
        return _without_remarks(file)


def _run(command: str, file: Path) -> None:
    try:
        ended = subprocess.run([*shlex.split(command), str(file)], cwd=file.parent, check=False)
    except (OSError, ValueError) as error:
        raise SelfhealError(f"cannot run the editor `{command}`: {error}") from error
    if ended.returncode:
        raise SelfhealError(f"`{command}` ended with {ended.returncode}: nothing was changed")


def _without_remarks(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SelfhealError(f"cannot read what was edited: {error}") from error
    return " ".join(line for line in text.splitlines() if not line.startswith("#")).strip()
