"""What a run of the check command said, as values. Reading its output is `core.failures`."""

from __future__ import annotations

from dataclasses import dataclass

TIMED_OUT = "(the check did not end in time)"
NOT_NAMED = "(the check as a whole)"


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
    """

    command: str
    exit_code: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    passed: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    output: str = ""

    @property
    def green(self) -> bool:
        return self.exit_code == 0 and not self.timed_out

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(failure.name for failure in self.failures)
