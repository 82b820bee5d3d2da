"""Runs of the check. The verdict is the exit codes; the names of what failed are read beside them.

Where the check is several commands, they run in their order, and stop at the first red one unless
what comes after it decides whether the state is the best so far.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from selfheal_tui.agent.checkruns import CheckRuns
from selfheal_tui.agent.ledger import Ledger
from selfheal_tui.agent.ports import CommandResult, Emit, Sandbox
from selfheal_tui.agent.surroundings import Surroundings
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import (
    NOT_NAMED,
    CheckResult,
    Failure,
    flaky_between,
    joined,
    together,
    without,
)
from selfheal_tui.core.detected import Check
from selfheal_tui.core.events import CheckChosen, CheckEnded, Warned
from selfheal_tui.core.failures.lint import is_linter
from selfheal_tui.core.focus import focused
from selfheal_tui.errors import SandboxLost, UsageError

NOT_FOUND = 127

GoesOn = Callable[[CheckResult], bool]
"""Whether the commands after a red one run too, by what the check came to so far."""


def _never(so_far: CheckResult) -> bool:
    return False


def _always(so_far: CheckResult) -> bool:
    return True


_SANDBOXES = 2
"""How many sandboxes may end under one run of the check before that is the check's own doing."""


class Checker:
    """Runs the check on trees of one workspace, and remembers which tests flake.

    `files` are the paths of the user's tree and `scripts` those of its package.json; a check that
    took `focus_after` seconds on the untouched tree runs the tests that failed first, by name.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        checks: Sequence[Check],
        timeout: float,
        emit: Emit,
        focus_after: float = float("inf"),
        files: Collection[str] = (),
        scripts: Mapping[str, str] | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._workspace = workspace
        self._checks = tuple(checks)
        self._runs = CheckRuns(workspace, timeout=timeout, files=files)
        self._emit = emit
        self._focus_after = focus_after
        self._scripts = scripts or {}
        self._surroundings = surroundings
        self._is_slow = False
        self.flaky: frozenset[str] = frozenset()

    @property
    def command(self) -> str:
        """All of the check, as one line for people."""
        return joined([check.command for check in self._checks])

    async def baseline(self) -> CheckResult:
        """The whole check on the untouched tree; a red one runs twice, to find what flakes.

        What it cannot start without is brought first. A guard that does not pass is no part of the
        check from here on. Raises UsageError when a command does not exist in the sandbox.
        """
        first = await self.here("baseline", _always)
        while self._surroundings and await self._surroundings.heal_baseline(first):
            first = await self.here("baseline", _always)
        return self._with_reason(await self._twice(first))

    async def _twice(self, first: CheckResult) -> CheckResult:
        self._is_slow = first.seconds >= self._focus_after
        for part in first.parts or (first,):
            if part.exit_code == NOT_FOUND:
                raise UsageError(_not_found(part))
        if first.green or first.timed_out:
            return first
        second = await self.here("flaky", _always, before=first)
        return second if second.green else without(first, self.flaky)

    async def verify(self, ledger: Ledger) -> CheckResult:
        """The verdict on the workspace's tree.

        The tests that failed in the best state run first where the check is slow: when they show
        that this state is no better, the rest is not paid for.
        """
        result = await self._verdict(ledger)
        while self._surroundings and await self._surroundings.heal(result):
            result = await self._verdict(ledger)
        return self._with_reason(result)

    def _with_reason(self, result: CheckResult) -> CheckResult:
        """With why what it lacks could not be brought, so that the model does not wait for it."""
        if self._surroundings is None or not result.missing:
            return result
        return replace(result, unhealed=self._surroundings.unhealed)

    async def _verdict(self, ledger: Ledger) -> CheckResult:
        first = await self._focused(ledger)
        if first is not None:
            return first
        result = await self.here("verify", ledger.could_be_best)
        if result.green or not self._is_doubtful(result, ledger):
            return without(result, self.flaky)
        # Asked once more, and no more than that: a flaky test must not decide alone.
        second = await self.here("flaky", ledger.could_be_best, before=result)
        return second if second.green else without(second, self.flaky)

    async def here(
        self, purpose: str, goes_on: GoesOn = _never, *, before: CheckResult | None = None
    ) -> CheckResult:
        """The check on the workspace's tree as it is; what the check itself writes is undone.

        What differs from a run `before` on the same tree flakes. A sandbox that ended says nothing.
        """
        tree = await self._workspace.sync()
        for _ in range(_SANDBOXES):
            try:
                result, number = await self._all(self._workspace.sandbox, purpose, goes_on)
                if before is not None:
                    self.flaky |= flaky_between(before, result)
                self._tell(number, tree, purpose, result)
                await self._workspace.restore(tree)
                return result if result.green else await self._runs.keep_log(result)
            except SandboxLost as lost:
                why = lost
                await self._workspace.replace_lost(lost)
        return self._lost(tree, purpose, why)

    async def fresh(
        self, tree: str, *, everything: bool = False, purpose: str = "proof"
    ) -> CheckResult:
        """The check on exactly `tree`, in a sandbox that nothing else has touched; with
        `everything` no command is left out after a red one."""
        goes_on = _always if everything else _never
        for _ in range(_SANDBOXES):
            try:
                async with self._workspace.fresh(tree) as sandbox:
                    result, number = await self._all(sandbox, purpose, goes_on)
                    self._tell(number, tree, purpose, result)
            except SandboxLost as lost:
                why = lost
                self._emit(Warned(f"the sandbox of the {purpose} run ended: {lost}"))
                continue
            return result if result.green else await self._runs.keep_log(result)
        return self._lost(tree, purpose, why)

    def read(self, ended: CommandResult) -> CheckResult:
        """What a run of the check that somebody else made says."""
        return without(self._runs.read(self.command, ended), self.flaky)

    def unknown(self, why: str) -> CheckResult:
        """What stands for the verdict of a run that did not come to one."""
        return CheckResult(self.command, 130, 0.0, (Failure(NOT_NAMED, why),), output=why)

    # --- whole runs ------------------------------------------------------------------------

    async def _all(
        self, sandbox: Sandbox, purpose: str, goes_on: GoesOn
    ) -> tuple[CheckResult, str]:
        """The result, and the id of the run that decided it: the first red one, or the last."""
        numbers: list[str] = []
        parts: list[CheckResult] = []
        for check in self._checks:
            if parts and not together(parts).green and not goes_on(together(parts)):
                break
            number, part = await self._runs.run(check.command, purpose, sandbox)
            numbers.append(number)
            parts.append(self._as_one_of_several(part))
        if purpose == "baseline":
            numbers, parts = self._without_guards(numbers, parts)
        rest = [check.command for check in self._checks[len(parts) :]]
        result = together(parts, rest)
        red = (at for at, part in enumerate(parts) if not part.green)
        return result, numbers[next(red, -1)]

    def _as_one_of_several(self, part: CheckResult) -> CheckResult:
        """A linter whose findings have no names fails as one thing; it hides no tests."""
        if len(self._checks) == 1 or part.named or part.timed_out or not is_linter(part.command):
            return part
        failures = (replace(failure, name=f"({part.command})") for failure in part.failures)
        return replace(part, failures=tuple(failures))

    def _without_guards(
        self, numbers: Sequence[str], parts: Sequence[CheckResult]
    ) -> tuple[list[str], list[CheckResult]]:
        """Leave out the guards that fail before any change, and tell what the check is then."""
        runs = list(zip(self._checks, numbers, parts, strict=True))
        kept = [run for run in runs if run[2].green or not run[0].guard]
        for check, _, part in runs:
            if check.guard and not part.green:
                why = _why_left_out(part)
                self._emit(Warned(f"`{check.command}` {why}: it is no part of the check"))
        if len(kept) < len(runs):
            self._checks = tuple(check for check, _, _ in kept)
            tell_checks(self._checks, self._emit)
        return [number for _, number, _ in kept], [part for _, _, part in kept]

    def _is_doubtful(self, result: CheckResult, ledger: Ledger) -> bool:
        """Whether only tests that flake, or that passed before, keep a red result from a better."""
        new = result.failing - ledger.baseline.result.failing
        return result.named and result.complete and (result.failing <= self.flaky or bool(new))

    # --- focused runs ----------------------------------------------------------------------

    async def _focused(self, ledger: Ledger) -> CheckResult | None:
        """The result of the tests that failed in the best state; None where it does not settle
        the verdict: they pass, or could not be asked for, or it may be the best state yet."""
        red = ledger.best.result.red
        names = red.failing - self.flaky
        if not self._is_slow or red.green or not red.named or not names:
            return None
        command = focused(red.command, names, self._scripts)
        if command is None:
            return None
        result = await self._by_name(command, names)
        if result is None or result.green or ledger.could_be_best(result):
            return None
        return result if result.timed_out or result.failing <= names else None

    async def _by_name(self, command: str, names: frozenset[str]) -> CheckResult | None:
        """A run of some tests in the workspace; None where the sandbox ended in it."""
        tree = await self._workspace.sync()
        try:
            number, part = await self._runs.run(command, "focused", self._workspace.sandbox)
            result = without(replace(part, asked=names), self.flaky)
            self._tell(number, tree, "focused", result)
            await self._workspace.restore(tree)
            return result if result.green else await self._runs.keep_log(result)
        except SandboxLost as lost:
            await self._workspace.replace_lost(lost)
            return None

    # --- telling ---------------------------------------------------------------------------

    def _lost(self, tree: str, purpose: str, lost: SandboxLost) -> CheckResult:
        failure = Failure(NOT_NAMED, f"the sandbox ended during the check: {lost}")
        result = CheckResult(self.command, 137, 0.0, (failure,), output=str(lost))
        self._tell("", tree, purpose, result)
        return result

    def _tell(self, number: str, tree: str, purpose: str, result: CheckResult) -> None:
        self._emit(
            CheckEnded(
                number,
                purpose,
                tree,
                result.exit_code,
                result.green,
                round(result.seconds, 3),
                tuple(sorted(result.failing)),
                tuple(sorted(self.flaky)),
                result.passed,
            )
        )


def tell_checks(checks: Sequence[Check], emit: Emit) -> None:
    """Tell the commands of the check, in their order."""
    for number, check in enumerate(checks, 1):
        emit(CheckChosen(check.command, check.source, number, len(checks)))


def _why_left_out(part: CheckResult) -> str:
    if part.exit_code == NOT_FOUND or part.cannot_start:
        return "cannot be run in the sandbox"
    return "fails before any change"


def _not_found(part: CheckResult) -> str:
    said = part.output.strip().splitlines()
    return (
        f"the check `{part.command}` cannot be run in the sandbox"
        f" ({said[-1] if said else 'command not found'}); name one with --check,"
        " or a sandbox that has it with --sandbox or --image"
    )
