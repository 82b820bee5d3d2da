"""The plan: a planner looks around and writes it; where the user wants to see it first, they do.

Refuses to change anything: what the planner writes in its sandbox is thrown away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from selfheal_tui.agent import prompts
from selfheal_tui.agent.approvals import Approvals, SentBack
from selfheal_tui.agent.dividing import Part, divided
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, GaveUp, Role
from selfheal_tui.agent.ports import Emit
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.approval import Answer, PlanRequest, PlanWish
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import PartsDeclined, PlanProposed

Recall = Callable[[CheckResult | None, str], Awaitable[str]]
"""What earlier heals say to the check of the untouched files in a tree at this path, as the end of
a brief; mostly empty."""

Survey = Callable[[CheckResult | None], Awaitable[str]]
"""The map of the project for what the check of the untouched files says, as the end of a brief."""


@dataclass(frozen=True)
class Plan:
    """Steps in order, and the files that they are expected to touch; empty where there is none.

    `notes` ends the planner's brief: the map of the project, and what earlier heals say. `parts`
    are to be worked on at the same time, each by a coder of its own; mostly there are none.
    """

    steps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    notes: str = ""
    parts: tuple[Part, ...] = ()


class Planning:
    """Makes the plan of one run. Without a `planner` there is none; with `approvals` the user is
    asked for it. `recall` knows earlier heals, `survey` the project."""

    def __init__(
        self,
        *,
        planner: Role | None,
        workspace: Workspace,
        conversations: Conversations,
        approvals: Approvals | None,
        recall: Recall,
        survey: Survey | None = None,
        emit: Emit,
    ) -> None:
        self._planner = planner
        self._workspace = workspace
        self._conversations = conversations
        self._approvals = approvals
        self._recall = recall
        self._survey = survey
        self._emit = emit

    async def plan(self, brief: str, before: CheckResult | None) -> Plan:
        """The plan that is gone by, for what the check of the untouched files says. Raises
        ApprovalRefused when the user wants none like it."""
        notes = await self._survey(before) if self._survey else ""
        notes += await self._recall(before, self._workspace.sandbox.facts.workdir)
        plan = await self._planned(self._planner, brief + notes) if self._planner else Plan()
        return replace(plan, notes=notes)

    async def _planned(self, planner: Role, brief: str) -> Plan:
        history = History(prompts.load("planner"))
        history.user(brief)
        while True:
            plan = await self._written(planner, history)
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
                return self._proposed(arguments)
            case GaveUp():
                return Plan()

    def _proposed(self, arguments: Mapping[str, Any]) -> Plan:
        steps, files = strings(arguments["steps"]), strings(arguments.get("files", []))
        division = divided(arguments.get("parts"), self._workspace.sandbox.facts.workdir)
        titles = tuple(part.title for part in division.parts)
        self._emit(PlanProposed(steps, files, titles))
        if division.declined:
            self._emit(PartsDeclined(division.declined))
        return Plan(steps, files, parts=division.parts)

    async def _agreed(self, plan: Plan, approvals: Approvals) -> Plan:
        """The plan as the user wants it."""
        titles = tuple(part.title for part in plan.parts)
        given = await approvals.get_or_wish(PlanRequest(plan.steps, plan.files, titles))
        if not isinstance(given, Answer):
            return plan
        # Their own words need no second yes: nothing but the model's next turn hangs on them.
        assert isinstance(given.wish, PlanWish), "a plan is answered with a plan"
        agreed = Plan(given.wish.steps, plan.files)
        self._emit(PlanProposed(agreed.steps, agreed.files))
        if plan.parts:
            self._emit(PartsDeclined("the plan is the user's own now"))
        return agreed


def strings(values: object) -> tuple[str, ...]:
    """A model's list as strings; empty for anything else."""
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
