"""Heals what surrounds the code: what a red check's environment lacks is brought by a set-up.

Each set-up is approved, run with network in a build container, and kept only when the next run of
the check no longer lacks what it was to bring. Refuses to try anything twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.agent.approvals import Approvals
from selfheal_tui.agent.ports import Emit, Shadow
from selfheal_tui.agent.steering import Steering, StepCut
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.approval import Granted, SetupRequest
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.environment import Missing
from selfheal_tui.core.events import (
    EnvironmentHealed,
    EnvironmentLacked,
    EnvironmentNotHealed,
    Warned,
)
from selfheal_tui.core.setup_asked import AskedSetup, asked_setup
from selfheal_tui.core.setup_plan import SetupPlan, plan_setup
from selfheal_tui.errors import ApprovalRefused, SandboxError, SelfhealError

ROUNDS = 5
"""Set-ups of one run at most. Each has to bring something that none before it was tried for."""

NOT_FOUND = 127

Say = Callable[[str], None]
Step = Callable[[str, str], AbstractAsyncContextManager[Say]]
"""Opens a step of the run by its name and detail; what it yields hears its progress."""


class Extendable(Protocol):
    """What sandboxes are opened from, as far as a set-up can add to it."""

    @property
    def place(self) -> str:
        """The command that ends the filling of each new sandbox; may be empty."""

    def extension(self, command: str, reason: str) -> SetupRequest | str:
        """The request for one more set-up; or why there can be none, as a sentence."""

    async def extend(self, granted: Granted[SetupRequest], say: Say) -> str:
        """Run it; the name of the image from now on. Raises SandboxError with the end of its
        output, and then nothing has changed."""

    def keep_extension(self) -> None:
        """Keep what was added last for the next sessions. Raises SelfhealError where it cannot."""

    def drop_extension(self) -> None:
        """Go back to what there was before `extend`."""


@dataclass(frozen=True)
class _Trial:
    """A set-up that ran, and has not shown yet that it helps."""

    plan: SetupPlan
    image: str


@dataclass(frozen=True)
class Asked:
    """What became of a set-up that the model asked for, as a sentence for it."""

    done: bool
    text: str


class Surroundings:
    """One run's environment. `guess` says that somebody looks at each command before it runs."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        shadow: Shadow,
        images: Extendable,
        approvals: Approvals,
        steering: Steering,
        step: Step,
        emit: Emit,
        guess: bool,
    ) -> None:
        self._workspace = workspace
        self._shadow = shadow
        self._images = images
        self._approvals = approvals
        self._steering = steering
        self._step = step
        self._emit = emit
        self._guess = guess
        self._rounds = 0
        self._seen: set[tuple[str, str]] = set()
        self._asked: set[str] = set()
        self._trial: _Trial | None = None
        self.unhealed = ""
        """Why the last thing that was missing could not be brought; for the model."""

    async def heal_baseline(self, result: CheckResult) -> bool:
        """Whether the environment has changed, so that the check on the untouched tree is to run
        again. Raises ApprovalRefused."""
        await self._settle(result)
        if not (result.cannot_start or _has_no_program(result)):
            # What is missing beside tests that pass was not missed so far.
            self._seen |= {_key(missing) for missing in result.missing}
            return False
        return await self._heal(result)

    async def heal(self, result: CheckResult) -> bool:
        """As `heal_baseline` for a later check: for what none before it lacked, and a no is told
        and not raised."""
        await self._settle(result)
        try:
            return await self._heal(result)
        except ApprovalRefused as refused:
            self._not_healed("", str(refused))
            return False

    async def ask(self, command: str) -> Asked | None:
        """A command of the model's, as a set-up, where it is one; None for every other. Raises
        StepCut when the user ended it."""
        asked = asked_setup(command)
        if asked is None:
            return None
        base = await self._shadow.files(self._workspace.base)
        unknown = asked.unknown({file.path: file.content for file in base})
        request = self._images.extension(asked.command, _why_asked(unknown))
        if isinstance(request, str):
            # Where there are no set-ups it is a command like any other.
            return None
        if why := self._why_not(asked, unknown):
            return Asked(False, why)
        self._rounds += 1
        self._asked.add(asked.command)
        try:
            granted = await self._approvals.get(request)
        except ApprovalRefused as refused:
            return Asked(False, str(refused))
        await self._extend(granted, SetupPlan(asked.command, "", ()))
        trial, self._trial = self._trial, None
        if trial is None:
            return Asked(False, self.unhealed)
        self._keep(trial)
        return Asked(True, f"installed by the set-up `{asked.command}`; the shell is a new one")

    def _why_not(self, asked: AskedSetup, unknown: tuple[str, ...]) -> str:
        if asked.command in self._asked:
            return "this set-up was asked for already"
        if self._rounds >= ROUNDS:
            return f"{ROUNDS} set-ups were run already"
        if unknown and not self._guess:
            return (
                f"{', '.join(unknown)}: not a name that the project or selfheal knows, and nobody"
                " is there to look at it; do without it"
            )
        return ""

    async def _heal(self, result: CheckResult) -> bool:
        new = [missing for missing in result.missing if _key(missing) not in self._seen]
        if result.green or not new:
            return False
        self._seen |= {_key(missing) for missing in new}
        plan = await self._plan(new)
        command, why = plan.command, "; ".join(plan.left)
        if command and self._rounds >= ROUNDS:
            command, why = "", f"{ROUNDS} set-ups were run already"
        request = self._images.extension(command, plan.reason) if command else ""
        if isinstance(request, str):
            lacks = tuple(missing.words for missing in new)
            self.unhealed = "; ".join(filter(None, (request, why)))
            self._emit(EnvironmentLacked(lacks, "", self.unhealed))
            return False
        self._rounds += 1
        words = tuple(missing.words for missing in new)
        self._emit(EnvironmentLacked(words, command, why))
        granted = await self._approvals.get(request)
        try:
            return await self._extend(granted, plan)
        except StepCut:
            return False

    async def _plan(self, missing: list[Missing]) -> SetupPlan:
        base = await self._shadow.files(self._workspace.base)
        now = await self._shadow.files(self._workspace.tree)
        content = {file.path: file.content for file in base}
        return plan_setup(missing, content, [file.path for file in now], guess=self._guess)

    async def _extend(self, granted: Granted[SetupRequest], plan: SetupPlan) -> bool:
        command = granted.request.command
        try:
            async with self._step("set-up", command) as say:
                image = await self._steering.step(self._images.extend(granted, say))
        except StepCut:
            self._not_healed(command, "the set-up was ended early")
            raise
        except SandboxError as error:
            self._not_healed(command, str(error))
            return False
        self._trial = _Trial(plan, image)
        await self._workspace.reopen(self._images.place)
        return True

    async def _settle(self, result: CheckResult) -> None:
        """Keep a set-up that helped; go back to the image before one that did not."""
        trial, self._trial = self._trial, None
        if trial is None:
            return
        still = {_key(missing) for missing in result.missing}
        left = [missing.words for missing in trial.plan.brings if _key(missing) in still]
        if len(left) < len(trial.plan.brings):
            self._keep(trial)
            return
        self._images.drop_extension()
        reason = f"it ran, but does not bring {'; '.join(left)}: it is not kept"
        self._not_healed(trial.plan.command, reason)
        await self._workspace.reopen(self._images.place)

    def _keep(self, trial: _Trial) -> None:
        try:
            self._images.keep_extension()
        except SelfhealError as error:
            # This run has it all the same.
            self._emit(Warned(f"the set-up is not kept for the next session: {error}"))
        self._emit(EnvironmentHealed(trial.plan.command, trial.image))

    def _not_healed(self, command: str, reason: str) -> None:
        self.unhealed = f"A set-up was tried: {reason}"
        self._emit(EnvironmentNotHealed(command, reason))


def _why_asked(unknown: tuple[str, ...]) -> str:
    """Why a set-up of the model's is to run, with what somebody has to look at."""
    asks = "the model asks for it"
    if not unknown:
        return asks
    return f"{asks}, and that {', '.join(unknown)} is meant is a GUESS: look at the name"


def _key(missing: Missing) -> tuple[str, str]:
    return missing.kind, missing.name


def _has_no_program(result: CheckResult) -> bool:
    parts = result.parts or (result,)
    return bool(result.missing) and any(part.exit_code == NOT_FOUND for part in parts)
