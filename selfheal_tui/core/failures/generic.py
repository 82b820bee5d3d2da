"""What can be said of a red run that no reader knows: its compiler's error, or its last words."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, Failure
from selfheal_tui.core.failures.places import last_own, own_path
from selfheal_tui.core.failures.report import message

_LINES = 60
_COMPILERS = re.compile(
    r"^(?P<path>[^\s:(]+\.\w+)(?::(?P<line>\d+)(?::\d+)?: (?:fatal )?error(?::| TS)"
    r"|\((?P<line2>\d+),\d+\): error ) ?(?P<why>.*)$",
    re.MULTILINE,
)
_RUSTC = re.compile(
    r"^error(?:\[E\d+\])?: (?P<why>.*)\n +--> (?P<path>\S+?):(?P<line>\d+):\d+$", re.M
)
_PYTHON_FRAME = re.compile(r'^ *File "([^"\n]+)", line (\d+)', re.MULTILINE)
_NOISE = re.compile(
    r"make(\[\d+\])?: |npm (ERR!|error)|error Command failed|info Visit |\s*ELIFECYCLE|Node\.js v"
    r"|gmake|ninja: |exit status \d+$|Error: Process completed|[\W_]+$"
)
_BLAME = re.compile(
    r"\b(fail(ed|ure|ures)?|errors?|fatal|panic|assert\w*|exception|cannot|not found)\b"
    r"|\w(Error|Exception)\b",
    re.IGNORECASE,
)


def last_words(text: str, command: str, exit_code: int, root: str) -> Failure:
    """One failure for the check as a whole, with the last lines as its detail."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    detail = "\n".join(lines[-_LINES:])
    error = _COMPILERS.search(text) or _RUSTC.search(text)
    if error is not None and (path := own_path(error["path"], root)):
        line = error["line"] or error.groupdict().get("line2")
        return Failure(NOT_NAMED, message([error["why"]]), f"{path}:{line}", detail)
    said = [line for line in lines[-_LINES:] if not _NOISE.match(line)] or lines[-1:]
    blamed = [line for line in said if _BLAME.search(line)] or said
    why = blamed[-1].removeprefix("E  ") if blamed else f"`{command}` printed nothing"
    places = _PYTHON_FRAME.findall(detail)
    where = last_own(places, root)
    return Failure(NOT_NAMED, message([why]) or f"exit code {exit_code}", where, detail)


def timed_out(text: str) -> Failure:
    """The failure of a run that was stopped."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    why = (
        f"it was still running; its last line is: {lines[-1].strip()}"
        if lines
        else ("it was still running, and had printed nothing")
    )
    return Failure(TIMED_OUT, message([why]), "", "\n".join(lines[-_LINES:]))
