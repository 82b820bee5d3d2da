"""How a run of the loop begins: what is asked, what the untouched files say, the first brief.

Refuses to change a file but for those of an earlier run that is gone on from.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.agent.brief import project_brief
from selfheal_tui.agent.digest import BUDGET, failure_digest
from selfheal_tui.agent.history import History
from selfheal_tui.agent.ports import Shadow
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.verify import Checker
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.text import cut_middle

START_PATCH = 8 * 1024
"""Characters of an earlier run's edits that the coder is shown."""


@dataclass(frozen=True)
class Job:
    """What is asked. `instructions` is the project's own notes for agents; `start` a tree of an
    earlier run to go on from, empty for the untouched one; `digest` the bytes that the coder is
    told of a red check."""

    task: str
    attempts: int
    instructions: str = ""
    start: str = ""
    digest: int = BUDGET


class Beginning:
    """The beginning of one run; `checker` is None where there is no check."""

    def __init__(
        self,
        job: Job,
        *,
        workspace: Workspace,
        shadow: Shadow,
        checker: Checker | None,
        steering: Steering,
    ) -> None:
        self._job = job
        self._workspace = workspace
        self._shadow = shadow
        self._checker = checker
        self._steering = steering

    async def baseline(self, checker: Checker) -> CheckResult:
        """The verdict on the untouched files."""
        try:
            return await self._steering.step(checker.baseline())
        except StepCut:
            await self._workspace.restore(self._workspace.base)
            return checker.unknown("the user ended the check of the untouched files early")

    async def brief(self, before: CheckResult | None) -> str:
        """What every role is told of the project and of what fails."""
        failure = ""
        if before is not None and not before.green:
            failure = failure_digest(before, None, budget=self._job.digest)
        files = await self._shadow.files(self._workspace.base)
        return project_brief(
            task=self._job.task,
            check=self._checker.command if self._checker else "",
            failure=failure,
            files=[file.path for file in files],
            instructions=self._job.instructions,
        )

    async def go_on_from_start(self, history: History) -> None:
        """Put the edits of an earlier run back, and show them to the coder."""
        start = self._job.start
        if not start or start == self._workspace.base:
            return
        await self._workspace.restore(start)
        patch = cut_middle(await self._shadow.patch(self._workspace.base, start), START_PATCH)
        history.user(f"An earlier run was interrupted; the files hold its edits:\n{patch}")
