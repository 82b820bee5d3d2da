"""What an approval screen says of its keys and of what they would do, as things stand."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.ui.screens.draft import BRANCH, CURRENT, DISCARD, WORKTREE
from selfheal_tui.ui.widgets.lines import counted

READ_FIRST = "Read it first; the keys come in a moment ..."
TOO_EARLY = "That key came as this was put before you, and was not taken. Press it again."
NOTHING_LEFT = "Nothing would be left. Ctrl+N sends it back with a reason, Ctrl+D discards it."

_PLAIN = "Ctrl+Y yes · Ctrl+N no, with a reason · Ctrl+D discard · Esc look around"
_CHANGE = (
    "Ctrl+Y yes · Ctrl+N no, with a reason · Ctrl+D discard · Ctrl+O change",
    "x refuse hunk · X file · a accept · Ctrl+R raw · Tab {other} · Esc look around",
)
_PLACES = {
    BRANCH: "new branch",
    CURRENT: "current branch + files",
    WORKTREE: "only files",
    DISCARD: "discard",
}


@dataclass(frozen=True)
class Standing:
    """How things stand on the screen. `refused` of `hunks` are refused; `changed` says that the
    message or the place is another one, `editing` that it can be changed now; `other` names what
    Tab shows."""

    is_change: bool
    refused: int = 0
    hunks: int = 0
    changed: bool = False
    editing: bool = False
    place: str = BRANCH
    other: str = "card"


def title(question: str, now: Standing) -> str:
    """The question, and how many hunks are refused."""
    if not now.refused:
        return question
    return f"{question} · {now.refused} of {counted(now.hunks, 'hunk')} refused"


def keys(now: Standing) -> str:
    """The keys, each with what it would do now."""
    if not now.is_change:
        return _PLAIN
    if now.editing and now.place == DISCARD:
        return "Ctrl+Y discards it, and the run ends · Ctrl+O closes the choice"
    if now.refused and now.refused == now.hunks:
        return f"{NOTHING_LEFT}\nx takes a hunk back in · Esc look around"
    if now.refused:
        return (
            f"Ctrl+Y takes {counted(now.refused, 'hunk')} out, checks the rest and asks anew\n"
            "Ctrl+N sends it back with a reason · x takes a hunk back in · Ctrl+D discard"
        )
    if now.editing:
        what = "asks anew for what you changed" if now.changed else "yes, nothing is changed"
        return f"Ctrl+Y {what} · Ctrl+O closes the choice · Tab next field"
    return "\n".join(_CHANGE).format(other=now.other)


def places(now: Standing) -> str:
    """The outcomes, with the one that is asked for marked."""
    marked = (f"{'●' if place == now.place else '○'} {words}" for place, words in _PLACES.items())
    return "  ".join(marked) + "  (Ctrl+O)"
