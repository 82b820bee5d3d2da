"""Which states of the files a run went through, and what is known of the way between two of them.

Refuses to guess: a difference that no event told is said to be unknown, in plain words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.core import events as e

BASE = "base"
NOW = "now"

_KEPT_TREES = 8
"""Trees between attempts are not offered, so not all their patches need be kept."""


@dataclass(frozen=True)
class Difference:
    """A patch; `files` (path, added, removed) where they were told apart from it. `notice` is the
    sentence in its place when there is none."""

    patch: str = ""
    files: tuple[tuple[str, int, int], ...] = ()
    notice: str = ""
    too_large: bool = False


class KnownStates:
    """Folds events. A state is `base`, `now`, or an attempt's number as text."""

    def __init__(self) -> None:
        self._trees: dict[str, Difference] = {}
        self._base = ""
        self._attempts: dict[str, str] = {}
        self._from_base: dict[str, Difference] = {NOW: Difference()}
        self._between: dict[tuple[str, str], str] = {}
        self._now: frozenset[str] = frozenset()

    @property
    def attempts(self) -> Sequence[str]:
        """The attempts that ended, in their order."""
        return tuple(self._attempts)

    def see(self, event: e.Event) -> None:
        match event:
            case e.SnapshotTaken():
                self._base = event.tree
                self._now = frozenset({event.tree})
                self._trees[event.tree] = Difference()
            case e.TreeChanged():
                self._now = frozenset({event.tree})
                change = Difference(event.patch, event.files)
                self._trees[event.tree] = self._from_base[NOW] = change
            case e.ProposalMade():
                # The tree to commit may leave out what the user had not committed.
                self._now = frozenset({event.tree, event.worktree})
                self._from_base[NOW] = Difference(event.patch)
            case e.AttemptEnded():
                name = str(event.number)
                self._attempts[name] = event.tree
                self._from_base[name] = self._trees.get(event.tree, _gone(name))
                self._trees = dict(list(self._trees.items())[-_KEPT_TREES:])
            case e.AttemptsCompared():
                self._between[str(event.older), str(event.newer)] = event.patch
            case _:
                pass  # Nothing else changes files.

    def between(self, older: str, newer: str) -> Difference:
        """What leads from one state to the other."""
        if older == BASE:
            return self._from_base.get(newer, _gone(newer))
        if newer == NOW:
            return self._to_now(older)
        if older == newer:
            return Difference(notice=f"Attempt {older} is chosen on both sides.")
        if int(older) > int(newer):
            return Difference(
                notice=f"Attempt {older} came after attempt {newer}: choose them the other way"
                " round to see what changed."
            )
        return self._of_attempts(older, newer)

    def _of_attempts(self, older: str, newer: str) -> Difference:
        if self._attempts.get(older) == self._attempts.get(newer):
            return Difference(notice=f"Attempts {older} and {newer} left the same files.")
        patch = self._between.get((older, newer))
        if patch is None:
            return Difference(
                notice=f"The way from attempt {older} to attempt {newer} was not recorded:"
                " it is larger than a megabyte, or an older version of selfheal ran."
            )
        return Difference(patch, too_large=not patch)

    def _to_now(self, older: str) -> Difference:
        if self._attempts.get(older) in self._now:
            return Difference(notice=f"Nothing changed since attempt {older}.")
        same = [name for name, tree in self._attempts.items() if tree in self._now]
        if same and int(same[-1]) > int(older):
            return self._of_attempts(older, same[-1])
        if same:
            return Difference(
                notice=f"The files are back at what attempt {same[-1]} left, before attempt"
                f" {older}: choose from {same[-1]} to {older} to see what was taken back."
            )
        if self._base in self._now:
            return Difference(
                notice=f"The files are back at base, before attempt {older}: choose from base"
                f" to {older} to see what was taken back."
            )
        return Difference(
            notice=f"What changed since attempt {older} is known when this attempt ends."
            " From base to now is known at any time."
        )


def _gone(name: str) -> Difference:
    return Difference(notice=f"The difference that attempt {name} left was not recorded.")
