"""What a run of the check said, as values. Reading its output is `core.failures`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfheal_tui.core.environment import Missing

TIMED_OUT = "(the check did not end in time)"
NOT_NAMED = "(the check as a whole)"

UNNAMED = frozenset((NOT_NAMED, TIMED_OUT))
"""What stands for failures that nobody could count."""


@dataclass(frozen=True)
class Failure:
    """One failing test: its name as the runner takes it, one line of why, where, and the detail.

    `location` is `path:line` within the tree, or empty. `detail` is the runner's own report.
    """

    name: str
    message: str = ""
    location: str = ""
    detail: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One run of the check on one tree. The exit code is the verdict, nothing else.

    `failures` is never empty for a red run: where no test could be named it holds one
    `NOT_NAMED` or `TIMED_OUT`. `passed` is None where the runner's report does not tell.
    `output` is text as the command printed it, cut in the middle when very long.

    Where the check is several commands, `parts` holds the run of each and `not_run` those that
    did not run after a red one. `asked` names the tests of a focused run, None for the whole
    check. `missing` is what the environment seems to lack, and
    `unhealed` why it could not be brought; `log` the path, inside the sandbox, of
    the whole output, empty where it was not kept.
    """

    command: str
    exit_code: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    passed: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    output: str = ""
    asked: frozenset[str] | None = None
    parts: tuple[CheckResult, ...] = ()
    not_run: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    unhealed: str = ""
    log: str = ""

    @property
    def green(self) -> bool:
        return self.exit_code == 0 and not self.timed_out

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(failure.name for failure in self.failures)

    @property
    def named(self) -> bool:
        """Whether every failure has a name, so that they can be counted and asked for."""
        return not self.failing & UNNAMED

    @property
    def complete(self) -> bool:
        """Whether all of the check ran: what it does not name does not fail."""
        return self.asked is None and not self.not_run

    @property
    def cannot_start(self) -> bool:
        """Whether the environment lacks something, and no test passed: it is to be healed first."""
        return not self.green and bool(self.missing) and not self.passed

    @property
    def red(self) -> CheckResult:
        """The run of the first command that is red; this one, where the check is one command."""
        return next((part for part in self.parts if not part.green), self)


def joined(commands: Sequence[str]) -> str:
    """Several commands as one line, for people."""
    if len(commands) == 1:
        return commands[0]
    return " && ".join(f"({c})" if re.search(r"[;|&\n]", c) else c for c in commands)


def together(parts: Sequence[CheckResult], not_run: Sequence[str] = ()) -> CheckResult:
    """The result of a check that is several commands: green when all of them are."""
    if len(parts) == 1 and not not_run:
        return parts[0]
    first = next((part for part in parts if not part.green), parts[-1])
    failures = {failure.name: failure for part in parts for failure in part.failures}
    counts = [part.passed for part in parts if part.passed is not None]
    return replace(
        first,
        command=joined([*(part.command for part in parts), *not_run]),
        seconds=sum(part.seconds for part in parts),
        failures=tuple(failures.values()),
        passed=sum(counts) if counts else None,
        timed_out=any(part.timed_out for part in parts),
        out_of_memory=any(part.out_of_memory for part in parts),
        output="\n".join(f"$ {part.command}\n{part.output.strip()}\n" for part in parts),
        parts=tuple(parts),
        not_run=tuple(not_run),
        missing=tuple(dict.fromkeys(missing for part in parts for missing in part.missing)),
    )


def without(result: CheckResult, flaky: frozenset[str]) -> CheckResult:
    """The result with the flaky tests left out, where any other failure is left."""
    steady = tuple(failure for failure in result.failures if failure.name not in flaky)
    return replace(result, failures=steady) if steady else result


def flaky_between(first: CheckResult, second: CheckResult) -> frozenset[str]:
    """Tests that failed in one of two runs on the same tree, and passed in the other.

    Only what ran in both can be told, and nothing where failures could not be named.
    """
    if not (first.named and second.named):
        return frozenset()
    if not first.parts and not second.parts:
        return first.failing ^ second.failing
    seconds = {part.command: part for part in second.parts}
    pairs = [(part, seconds.get(part.command)) for part in first.parts]
    return frozenset().union(*(a.failing ^ b.failing for a, b in pairs if b is not None))
