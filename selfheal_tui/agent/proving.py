"""What a change is worth when nothing but its tree counts: fresh sandboxes, the guard, what is left
of it without the hunks that the user refused.

Refuses to judge what comes of it: a red verdict is the caller's to tell.
"""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.agent.guarding import Guarding
from selfheal_tui.agent.outcome import Healed
from selfheal_tui.agent.ports import Emit, Repository, Shadow, Snapshot
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.takeout import Rest, take_out
from selfheal_tui.agent.verify import Checker
from selfheal_tui.core.approval import RefusedHunk
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.events import HunksRefused
from selfheal_tui.errors import RepositoryRefused


class Proving:
    """Proves the changes of one run; `checker` is None where there is no check."""

    def __init__(
        self,
        *,
        snapshot: Snapshot,
        repository: Repository,
        shadow: Shadow,
        checker: Checker | None,
        guarding: Guarding,
        steering: Steering,
        emit: Emit,
    ) -> None:
        self._snapshot = snapshot
        self._repository = repository
        self._shadow = shadow
        self._checker = checker
        self._guarding = guarding
        self._steering = steering
        self._emit = emit

    async def fresh(self, tree: str) -> CheckResult | None:
        """The verdict of a fresh sandbox on `tree`; a second one, where only flaky tests fail."""
        if self._checker is None:
            return None
        proof = await self._checker.fresh(tree)
        if not proof.green and proof.failing <= self._checker.flaky:
            proof = await self._checker.fresh(tree)
        return proof

    async def passes(self, tree: str) -> bool:
        """Whether a fresh sandbox is green with `tree`, as a step that the user can cut."""
        proof = await self._steering.step(self.fresh(tree))
        return proof is not None and proof.green

    async def guarded(self, healed: Healed) -> Healed:
        """The change with what it does to what decides its verdict."""
        guarded = await self._guarding.judge(healed.tree, healed.check, healed.baseline)
        return replace(healed, guarded=guarded)

    async def without(self, healed: Healed, refused: tuple[RefusedHunk, ...]) -> Healed:
        """The change without the `refused` hunks, with the verdict of the check on just that,
        which may be red. Raises RepositoryRefused where that cannot be."""
        rest = await self.taken_out(healed, refused)
        if rest.commit_tree == self._snapshot.head_tree:
            raise RepositoryRefused("nothing would be left of the change")
        try:
            check = await self._steering.step(self.fresh(rest.commit_tree))
            left = replace(
                healed,
                tree=rest.tree,
                commit_tree=rest.commit_tree,
                check=check,
                refused=(*healed.refused, *rest.words),
                partial="" if check is not None and check.green else healed.partial,
            )
            return await self._steering.step(self.guarded(left))
        except StepCut as cut:
            raise RepositoryRefused("the check of what is left was ended early") from cut

    async def taken_out(self, healed: Healed, refused: tuple[RefusedHunk, ...]) -> Rest:
        """What is left of the change without the `refused` hunks, which is told."""
        rest = await take_out(
            healed.tree,
            healed.commit_tree,
            refused,
            snapshot=self._snapshot,
            repository=self._repository,
            shadow=self._shadow,
        )
        self._emit(HunksRefused(rest.hunks))
        return rest
