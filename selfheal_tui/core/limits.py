"""What a run may use, and what it has used. Time is cut by the session, not here."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.errors import LimitReached


@dataclass
class Budget:
    """Steps (model requests) and USD of a whole run; 0 means no limit."""

    max_steps: int
    max_cost: float
    steps: int = 0
    cost: float = 0.0
    unpriced: bool = False

    def step(self) -> int:
        """Take the next step and say its number. Raises LimitReached before it would go over."""
        if self.max_steps and self.steps >= self.max_steps:
            raise LimitReached(f"the limit of {self.max_steps} steps is reached (--max-steps)")
        if self.max_cost and self.cost >= self.max_cost:
            raise LimitReached(
                f"the limit of {self.max_cost:.2f} USD is reached: {self.cost:.4f} USD used"
                " (--max-cost)"
            )
        self.steps += 1
        return self.steps

    def spend(self, cost: float | None) -> None:
        """Count the cost of an answer; None where the price is not known."""
        if cost is None:
            self.unpriced = True
        else:
            self.cost += cost
