"""Whether fewer tests ran than before: told by the runner's own count, in any language.

The count says nothing where it is not told, so that nothing is made of that alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.failures.read import read_failures
from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.finding import Finding


def fewer_ran(before: CheckResult | None, now: CheckResult | None) -> Iterator[Finding]:
    """A finding where a green run does not report what passed before any change."""
    if before is None or now is None or not now.green:
        return
    then = passed_by_output(before)
    if then is None or (then == 0 and not before.named):
        return
    if now.passed is None:
        text = "the check passes without the runner's report: no test is known to have run"
        yield Finding("", 0, kinds.FEWER, text)
    elif now.passed < max(then, 1):
        text = f"the check passes with {now.passed} tests passing; {then} passed before the change"
        yield Finding("", 0, kinds.FEWER, text)


def passed_by_output(result: CheckResult) -> int | None:
    """How many tests passed as the output says: reports that were written are read for red runs
    only, and cannot be compared with."""
    counts = [
        read_failures(part.command, part.output, part.exit_code, part.timed_out)[1]
        for part in result.parts or (result,)
    ]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
