"""The course of one run: repository, snapshot, sandbox, healing, proposal, approvals.

It says what comes after what. Refuses to know how a run is ended from outside, or shown.
"""

from __future__ import annotations

import time

from selfheal_tui.agent.approvals import Approvals, SentBack
from selfheal_tui.agent.memory import Memory
from selfheal_tui.agent.outcome import AlreadyGreen, Healed, NotHealedYet
from selfheal_tui.agent.ports import Ask, Emit
from selfheal_tui.agent.roles import Models
from selfheal_tui.agent.steering import Steering
from selfheal_tui.agent.tools import AskUser
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.limits import Budget
from selfheal_tui.course.ground import find_ground
from selfheal_tui.course.means import Means
from selfheal_tui.course.offering import Offer, Offering
from selfheal_tui.course.telling import Telling
from selfheal_tui.course.workshop import Workshop
from selfheal_tui.parts import Order, Parts
from selfheal_tui.settings import Settings


class Course:
    """Takes one order from its task to its outcome. `workspace` is to be closed by the owner."""

    def __init__(
        self,
        *,
        order: Order,
        settings: Settings,
        parts: Parts,
        budget: Budget,
        steering: Steering,
        ask: Ask,
        ask_user: AskUser,
        emit: Emit,
    ) -> None:
        self._means = Means(
            order=order,
            settings=settings,
            parts=parts,
            budget=budget,
            steering=steering,
            approvals=Approvals(ask, emit),
            memory=Memory(
                parts.incidents, repository=order.repository, redactor=parts.redactor, emit=emit
            ),
            ask_user=ask_user,
            telling=Telling(emit),
            started=time.monotonic(),
        )
        self._workshop = Workshop(self._means)

    @property
    def workspace(self) -> Workspace | None:
        """Where the agent works, once it is open."""
        return self._workshop.workspace

    async def run(self, models: Models) -> tuple[str, str]:
        """Do everything; the outcome as a word and as a sentence."""
        order, means = self._means.order, self._means
        ground = await find_ground(order, means.parts, means.telling)
        offering = Offering(means, self._workshop, ground, models)
        kept = order.kept
        if kept and (made := await offering.made_before(kept)):
            return await offering.finish(made, kept.pushed)
        if kept and kept.proposal and offering.may_take_up(kept.proposal):
            return await offering.take_up(kept, kept.proposal)
        healing = await self._workshop.open(ground, models)
        outcome = await healing.run()
        while True:
            match outcome:
                case AlreadyGreen(result):
                    return "already green", f"`{result.command}` passes already: nothing to heal"
                case NotHealedYet() as not_healed:
                    return await offering.make_part(healing, not_healed)
                case Healed() as healed:
                    offer = Offer(healed)
                    try:
                        return await offering.make(healing, offer)
                    except SentBack as refused:
                        if not healing.may_go_on:
                            raise
                        outcome = await healing.again(offer.healed, refused.reason, refused.refused)
