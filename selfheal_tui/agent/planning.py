"""The plan: a planner looks around and writes it; where the user wants to see it first, they do.

Refuses to change anything: what the planner writes in its sandbox is thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent import prompts
from selfheal_tui.agent.approvals import Approvals, SentBack
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp, Role
from selfheal_tui.agent.ports import Emit
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.approval import Answer, PlanRequest, PlanWish
from selfheal_tui.core.events import PlanProposed


@dataclass(frozen=True)
class Plan:
    """Steps in order, and the files that they are expected to touch; empty where there is none."""

    steps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Planning:
    """Makes the plan of one run. Without a `planner` there is none; with `approvals` the user is
    asked for it."""

    def __init__(
        self,
        *,
        planner: Role | None,
        workspace: Workspace,
        conversations: Conversations,
        approvals: Approvals | None,
        emit: Emit,
    ) -> None:
        self._planner = planner
        self._workspace = workspace
        self._conversations = conversations
        self._approvals = approvals
        self._emit = emit

    async def plan(self, brief: str) -> Plan:
        """The plan that is gone by. Raises ApprovalRefused when the user wants none like it."""
        if self._planner is None:
            return Plan()
        history = History(prompts.load("planner"))
        history.user(brief)
        while True:
            plan = await self._written(self._planner, history)
            if self._approvals is None or not plan.steps:
                return plan
            try:
                return await self._agreed(plan, self._approvals)
            except SentBack as refused:
                history.user(f"The user does not want this plan: {refused.reason}\nPlan anew.")

    async def _written(self, planner: Role, history: History) -> Plan:
        ended = await self._conversations.converse(planner, history)
        # The planner may look around with bash; what it wrote is thrown away.
        await self._workspace.restore(self._workspace.base)
        match ended:
            case Finished(arguments):
                plan = Plan(strings(arguments["steps"]), strings(arguments.get("files", [])))
                self._emit(PlanProposed(plan.steps, plan.files))
                return plan
            case GaveUp():
                return Plan()

    async def _agreed(self, plan: Plan, approvals: Approvals) -> Plan:
        """The plan as the user wants it."""
        given = await approvals.get_or_wish(PlanRequest(plan.steps, plan.files))
        if not isinstance(given, Answer):
            return plan
        # Their own words need no second yes: nothing but the model's next turn hangs on them.
        assert isinstance(given.wish, PlanWish), "a plan is answered with a plan"
        agreed = Plan(given.wish.steps, plan.files)
        self._emit(PlanProposed(agreed.steps, agreed.files))
        return agreed


def strings(values: object) -> tuple[str, ...]:
    """A model's list as strings; empty for anything else."""
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
