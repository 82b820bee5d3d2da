"""How each attempt ended, told; and how what it left differs from what the earlier ones left."""

from __future__ import annotations

from selfheal_tui.agent.ports import Emit, Shadow
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import AttemptEnded, AttemptsCompared

MAX_PATCH = 1024 * 1024
"""Characters; a larger difference between two attempts is not told."""


class Attempts:
    """The ended attempts of one run."""

    def __init__(self, shadow: Shadow, emit: Emit) -> None:
        self._shadow = shadow
        self._emit = emit
        self._left: dict[int, str] = {}

    async def end(
        self,
        number: int,
        outcome: str,
        tree: str,
        summary: str = "",
        result: CheckResult | None = None,
    ) -> None:
        """Tell that an attempt ended and left `tree`."""
        failing = tuple(sorted(result.failing)) if result else ()
        self._emit(AttemptEnded(number, outcome, tree, failing, summary))
        for older, left in self._left.items():
            patch = await self._shadow.patch(left, tree)
            if len(patch) <= MAX_PATCH:
                self._emit(AttemptsCompared(older, number, patch))
        self._left[number] = tree
