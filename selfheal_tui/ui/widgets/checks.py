"""The checks as a table: each test that failed, before and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from selfheal_tui.core.events import CheckEnded
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import line, shown, spread

_ORDER = ("new", "still", "flaky", "fixed")
_LOOKS = {
    "fixed": ("✓", "ok"),
    "still": ("✗", "failed"),
    "new": ("✗", "failed"),
    "flaky": ("~", "warned"),
}


@dataclass(frozen=True)
class Standing:
    """How one test stands: `state` is fixed, still, new or flaky."""

    name: str
    state: str


class Tally:
    """Folds the runs of the check into how every test stands, the last whole run against the first.

    A second run for the flaky ones tells which those are, and nothing else.
    """

    def __init__(self) -> None:
        self.before: frozenset[str] | None = None
        self.now: frozenset[str] = frozenset()
        self.flaky: frozenset[str] = frozenset()
        self.passed: int | None = None
        self.runs = 0

    def see(self, event: CheckEnded) -> None:
        self.runs += 1
        self.flaky |= frozenset(event.flaky)
        if event.purpose in ("flaky", "originals"):
            return
        self.passed = event.passed
        self.now = frozenset(event.failing)
        if event.purpose == "baseline" or self.before is None:
            self.before = self.now

    def standings(self) -> list[Standing]:
        """Every test that failed at any time, the ones to look at first."""
        before = self.before or frozenset()
        found = [Standing(name, self._state(name, before)) for name in before | self.now]
        return sorted(found, key=lambda each: (_ORDER.index(each.state), each.name))

    def _state(self, name: str, before: frozenset[str]) -> str:
        if name in self.flaky:
            return "flaky"
        if name not in self.now:
            return "fixed"
        return "still" if name in before else "new"

    def summary(self) -> str:
        """`3 failing, 1 now`; empty before the first run."""
        if self.before is None:
            return ""
        if not self.before and not self.now:
            return "green"
        return f"{len(self.before)} failing → {len(self.now)}"


class CheckHead(Block):
    """The first line of the table: how many of each."""

    foldable = True

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.open = True
        self._tally = tally

    def make(self, width: int) -> Sequence[Content]:
        left = line(("▾ " if self.open else "▸ ", "dim"), ("Checks", "title"), "  ")
        left += line(self._tally.summary())
        parts = self._counts()
        while parts and left.cell_length + len(" · ".join(parts)) + 2 > width:
            # The table below has the rest.
            parts.pop()
        return [spread(left, line((" · ".join(parts), "dim")), width)]

    def _counts(self) -> list[str]:
        states = [each.state for each in self._tally.standings()]
        parts = [f"{states.count(state)} {state}" for state in _ORDER if state in states]
        passed = self._tally.passed
        return parts if passed is None else [*parts, f"{passed} passed"]


HUNK = "hunk"
"""What a click at the end of a test's line asks for."""


class CheckRow(Block):
    """One test: its state, its name, and whether it failed before and now. Where it fails, a click
    at its end is for its hunk."""

    def __init__(self, standing: Standing, tally: Tally) -> None:
        super().__init__()
        self.standing = standing
        self._tally = tally
        self._failing = standing.state != "fixed"
        self._hunk_at = 0

    def asks_for_hunk(self, column: int | None) -> bool:
        """Whether a click at this column of the line is for the hunk."""
        return self._failing and column is not None and column >= self._hunk_at

    def make(self, width: int) -> Sequence[Content]:
        mark, style = _LOOKS[self.standing.state]
        name = shown(self.standing.name).replace("\n", " ")
        state = line((f"{self.standing.state:<5}", style))
        if self._failing:
            self._hunk_at = width - len(HUNK)
            state += line("  ", (HUNK, "link"))
        room = width - state.cell_length - 6
        if len(name) > room > 8:
            # The end of a test's name says more than the start of its path.
            name = "…" + name[-(room - 1) :]
        look = "dim" if self.standing.state == "fixed" else ""
        return [spread(line("  ", (mark + " ", style), (name, look)), state, width)]

    def text(self) -> str:
        return self.standing.name
