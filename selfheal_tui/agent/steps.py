"""What the coder saw when it ran the check itself: states within an attempt worth coming back to.

Its shell may hold settings of its own, so that this is only a hint: a state counts in the ledger
when the check itself has said so.
"""

from __future__ import annotations

from selfheal_tui.agent.ledger import Ledger, State
from selfheal_tui.agent.ports import CommandResult
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.verify import Checker
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import CheckResult

_MOST = 20


class Steps:
    """The steps of one attempt after the other."""

    def __init__(self, checker: Checker, workspace: Workspace, steering: Steering) -> None:
        self._checker = checker
        self._workspace = workspace
        self._steering = steering
        self._seen: dict[str, CheckResult] = {}

    def begin(self) -> None:
        """Forget the steps of the attempt before, and hear those of the next."""
        self._seen.clear()
        self._workspace.heard = self._hear

    def _hear(self, command: str, ended: CommandResult, tree: str) -> None:
        if command.strip() == self._checker.command and len(self._seen) < _MOST:
            self._seen[tree] = self._checker.read(ended)

    async def best(self, ledger: Ledger, ended: State) -> State | None:
        """The best step of the attempt that left `ended`, when it is better than the best so far
        and the check says so too. The files are those of the step then, else as they were."""
        hints = [(tree, seen) for tree, seen in self._seen.items() if tree != ended.tree]
        better = [hint for hint in hints if not hint[1].green and ledger.could_be_best(hint[1])]
        if not better:
            return None
        tree, _ = min(better, key=lambda hint: ledger.score(hint[1]))
        now = self._workspace.tree
        await self._workspace.restore(tree)
        try:
            result = await self._steering.step(self._checker.verify(ledger))
        except StepCut:
            result = None
        if result is None or not (result.complete and ledger.could_be_best(result)):
            await self._workspace.restore(now)
            return None
        return State(ended.attempt, tree, result, ended.summary)
