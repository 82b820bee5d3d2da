"""What can be said of a red run that no reader knows: its compiler's error, or its last words."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, Failure
from selfheal_tui.core.failures.places import first_own, js_frames, last_own, own_path
from selfheal_tui.core.failures.report import message

_LINES = 60
_COMPILERS = re.compile(
    r"^(?P<path>[^\s:(]+\.\w+)(?::(?P<line>\d+)(?::\d+)?(?::| -) (?:fatal )?error(?::| TS)"
    r"|\((?P<line2>\d+),\d+\): error ) ?(?P<why>.*)$",
    re.MULTILINE,
)
_RUSTC = re.compile(
    r"^error(?:\[E\d+\])?: (?P<why>.*)\n +--> (?P<path>\S+?):(?P<line>\d+):\d+$", re.M
)
_PYTHON_FRAME = re.compile(
    r'^ *File "([^"\n]+)", line (\d+)|^([^\s:]+\.py):(\d+): in ', re.MULTILINE
)
_NOISE = re.compile(
    r"make(\[\d+\])?: |npm (ERR!|error)|error Command failed|info Visit |\s*ELIFECYCLE|Node\.js v"
    r"|gmake|ninja: |exit status \d+$|Error: Process completed|[\W_]+$"
)
_BLAME = re.compile(
    r"(?<!\b0 )\b(fail(ed|ure|ures)?|errors?|fatal|panic|assert\w*|exception|cannot|not found)\b"
    r"|\w(Error|Exception)\b",
    re.IGNORECASE,
)


def last_words(text: str, command: str, exit_code: int, root: str) -> Failure:
    """One failure for the check as a whole, with the last lines as its detail."""
    lines = _telling(text)
    detail = "\n".join(lines[-_LINES:])
    if not lines:
        why = f"`{command}` ended with exit code {exit_code} and printed nothing"
        return Failure(NOT_NAMED, message([why]))
    why, where = _compilers_error(text, root) or (_blamed(lines[-_LINES:]), _place(detail, root))
    return Failure(NOT_NAMED, message([why]), where, detail)


def _telling(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def _compilers_error(text: str, root: str) -> tuple[str, str] | None:
    """The first error that a compiler or a linter tells of a file of the project."""
    error = _COMPILERS.search(text) or _RUSTC.search(text)
    path = own_path(error["path"], root) if error else ""
    if error is None or not path:
        return None
    line = error["line"] or error.groupdict().get("line2")
    return error["why"], f"{path}:{line}"


def _blamed(lines: list[str]) -> str:
    """The last line that speaks of a failure; the last one at all where none does."""
    said = [line for line in lines if not _NOISE.match(line)] or lines
    blamed = [line for line in said if _BLAME.search(line)] or said
    return blamed[-1].removeprefix("E  ")


def _place(detail: str, root: str) -> str:
    frames = ((at[1] or at[3], at[2] or at[4]) for at in _PYTHON_FRAME.finditer(detail))
    return last_own(frames, root) or first_own(js_frames(detail), root)


def timed_out(text: str) -> Failure:
    """The failure of a run that was stopped."""
    lines = _telling(text)
    why = f"its last line is: {lines[-1].strip()}" if lines else "it had printed nothing"
    why = f"it was still running; {why}"
    return Failure(TIMED_OUT, message([why]), "", "\n".join(lines[-_LINES:]))
