"""Reads what Maven's Surefire and Failsafe print."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, java_frames, own_path
from selfheal_tui.core.failures.report import Report, blocks, message

_ENDED = re.compile(
    r"^(?:\[\w+\] )?Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9}),"
    r" Skipped: (\d{1,9})$",
    re.MULTILINE,
)
_HEADER = re.compile(
    r"^(?:\[ERROR\] )?(?P<name>[\w.$]+(?:[(\[{].*?)?)"
    r"(?: --)? {1,2}Time elapsed: [\d.,]+ s(?:ec)? <<< (?:FAILURE|ERROR)!$",
    re.MULTILINE,
)
_OLD_NAME = re.compile(r"^(\w[^()]*)\(([\w.$]+)\)$")
_STOP = re.compile(r"^\[\w+\] |^Tests run: |^Running |^Results ?:", re.MULTILINE)
_COMPILE = re.compile(
    r"^\[ERROR\] ([^\s:]+\.(?:java|kt|groovy|scala)):\[?(\d+)[,\]:].*?\]? (\S.*)$", re.M
)
_GOAL = re.compile(r"^\[ERROR\] Failed to execute goal .*$", re.MULTILINE)


def read(text: str, root: str) -> Report | None:
    """Failing tests as `package.Class.method`; None where this is no report of Surefire."""
    ended = list(_ENDED.finditer(text))
    if not ended:
        return _not_built(text, root)
    found = [_failure(header["name"], body, root) for header, body in blocks(text, _HEADER, _STOP)]
    failures = {failure.name: failure for failure in found}
    passed = sum(max(0, int(end[1]) - sum(int(end[n]) for n in (2, 3, 4))) for end in ended)
    return Report(tuple(failures.values()), passed)


def _not_built(text: str, root: str) -> Report | None:
    """What could not be compiled: no test ran, so it is told for the check as a whole."""
    goal = _GOAL.search(text)
    errors = [] if goal is None else list(_compile_errors(text, root))
    return Report((), None, f"nothing was tested: {errors[0]}") if errors else None


def _compile_errors(text: str, root: str) -> Iterator[str]:
    for error in _COMPILE.finditer(text):
        if path := own_path(error[1], root):
            yield f"{path}:{error[2]}: {error[3][:200]}"


def _failure(header: str, body: str, root: str) -> Failure:
    old = _OLD_NAME.match(header)
    name = f"{old[2]}.{old[1]}" if old else header.replace("()", "")
    detail = body.strip("\n")
    told = [line for line in detail.split("\n") if not line.lstrip().startswith("at ")]
    plain = re.split(r"[(\[{]", name, maxsplit=1)[0]
    frames = java_frames(detail, plain.rpartition(".")[0]) or java_frames(detail, plain)
    return Failure(name, message(told), first_own(frames, root), detail)
