"""What can be said of a red run that no reader knows: its last words."""

from __future__ import annotations

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, Failure

_LINES = 60
_NOISE = ("make: ***", "make[", "npm error", "npm ERR!")


def last_words(text: str) -> Failure:
    """One failure for the check as a whole, with the last lines as its detail."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(_NOISE)] or lines
    return Failure(NOT_NAMED, said[-1].strip() if said else "", "", "\n".join(lines[-_LINES:]))


def timed_out(text: str) -> Failure:
    """The failure of a run that was stopped."""
    lines = text.splitlines()
    return Failure(TIMED_OUT, "it was still running", "", "\n".join(lines[-_LINES:]))
