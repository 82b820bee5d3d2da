"""Waiting for a lock that somebody else holds: a while, and then a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from selfheal_tui.errors import RepositoryRefused

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, how often to look, and by which clock."""

    seconds: float = 10.0
    pause: float = 0.05
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def wait(self, attempt: Callable[[], T | None], otherwise: str) -> T:
        """The first thing that `attempt` returns but None.

        Raises RepositoryRefused with the sentence `otherwise` when the time is over.
        """
        deadline = self.clock() + self.seconds
        while (result := attempt()) is None:
            if self.clock() >= deadline:
                raise RepositoryRefused(otherwise)
            self.sleep(self.pause)
        return result
