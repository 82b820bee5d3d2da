"""Runs of the check. The verdict is the exit code; the names of what failed are read beside it."""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.agent.ports import CommandResult, Emit, Sandbox
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import NOT_NAMED, CheckResult, Failure
from selfheal_tui.core.events import CheckEnded
from selfheal_tui.core.failures.read import read_failures
from selfheal_tui.core.text import fold_terminal
from selfheal_tui.errors import SandboxLost, UsageError

NOT_FOUND = 127


class Checker:
    """Runs one check command on trees of one workspace, and remembers which tests flake."""

    def __init__(self, workspace: Workspace, *, command: str, timeout: float, emit: Emit) -> None:
        self._workspace = workspace
        self._timeout = timeout
        self._emit = emit
        self.command = command
        self.flaky: frozenset[str] = frozenset()

    async def baseline(self) -> CheckResult:
        """The check on the untouched tree; a red one runs twice, to find what flakes.

        Raises UsageError when the command does not exist in the sandbox.
        """
        first = await self.here("baseline")
        if first.exit_code == NOT_FOUND:
            said = first.output.strip().splitlines()
            raise UsageError(
                f"the check `{self.command}` cannot be run in the sandbox"
                f" ({said[-1] if said else 'command not found'}); name one with --check,"
                " or a sandbox that has it with --sandbox or --image"
            )
        if first.green or first.timed_out:
            return first
        second = await self.here("flaky")
        self.flaky = first.failing ^ second.failing
        return second if second.green else _without(first, self.flaky)

    async def here(self, purpose: str) -> CheckResult:
        """The check on the workspace's tree as it is; what the check itself writes is undone."""
        tree = await self._workspace.sync()
        try:
            result = await self._run(self._workspace.sandbox, tree, purpose)
        except SandboxLost as lost:
            await self._workspace.replace_lost(lost)
            return self._lost(tree, purpose, lost)
        await self._workspace.restore(tree)
        return await self._once_more(result, purpose)

    async def fresh(self, tree: str, purpose: str = "proof") -> CheckResult:
        """The check on exactly `tree`, in a sandbox that nothing else has touched."""
        try:
            async with self._workspace.fresh(tree) as sandbox:
                return await self._run(sandbox, tree, purpose)
        except SandboxLost as lost:
            return self._lost(tree, purpose, lost)

    def unknown(self, why: str) -> CheckResult:
        """What stands for the verdict of a run that did not come to one."""
        return CheckResult(self.command, 130, 0.0, (Failure(NOT_NAMED, why),), output=why)

    async def _once_more(self, result: CheckResult, purpose: str) -> CheckResult:
        """A red verdict that only flaky tests made is asked for a second time."""
        if purpose != "verify" or result.green or not result.failing <= self.flaky:
            return result
        return await self.here("flaky")

    async def _run(self, sandbox: Sandbox, tree: str, purpose: str) -> CheckResult:
        number, ended = await self._workspace.run(
            self.command,
            purpose=purpose,
            timeout=self._timeout,
            shell_state=False,
            sandbox=sandbox,
        )
        result = self._read(ended, sandbox.facts.workdir)
        self._tell(number, tree, purpose, result)
        return result

    def _read(self, ended: CommandResult, root: str) -> CheckResult:
        output = fold_terminal(ended.output.decode("utf-8", "replace"))
        failures, passed = read_failures(
            self.command, output, ended.exit_code, ended.timed_out, root=root
        )
        return CheckResult(
            self.command,
            ended.exit_code,
            ended.seconds,
            failures,
            passed,
            ended.timed_out,
            ended.out_of_memory,
            output,
        )

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


def _without(result: CheckResult, flaky: frozenset[str]) -> CheckResult:
    """The result with the flaky tests left out, where any other is left."""
    steady = tuple(failure for failure in result.failures if failure.name not in flaky)
    return replace(result, failures=steady or result.failures)
