"""What every part of a course may use: the order, who stands behind it, and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent.approvals import Approvals
from selfheal_tui.agent.memory import Memory
from selfheal_tui.agent.steering import Steering
from selfheal_tui.agent.tools import AskUser
from selfheal_tui.core.limits import Budget
from selfheal_tui.course.telling import Telling
from selfheal_tui.parts import Order, Parts
from selfheal_tui.settings import Settings


@dataclass(frozen=True)
class Means:
    """The same for the whole course. `started` is on the clock of `time.monotonic`."""

    order: Order
    settings: Settings
    parts: Parts
    budget: Budget
    steering: Steering
    approvals: Approvals
    memory: Memory
    ask_user: AskUser
    telling: Telling
    started: float
