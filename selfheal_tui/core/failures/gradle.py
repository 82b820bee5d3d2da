"""Reads Gradle's test task."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, java_frames, own_path
from selfheal_tui.core.failures.report import Report, blocks, message

_ENDED = re.compile(
    r"^(\d{1,9}) tests? completed, (\d{1,9}) failed(?:, (\d{1,9}) skipped)?$", re.MULTILINE
)
_TASK = re.compile(r"^Execution failed for task '(:\S+)'\.$", re.MULTILINE)
_HEADER = re.compile(r"^([^\s>][^>\n]*) > (\S.*) FAILED$", re.MULTILINE)
_STOP = re.compile(
    r"^(?:> Task :|\d{1,9} tests? completed|FAILURE: |[^\s>][^>\n]* > .*[A-Z]$)", re.M
)
_AT = re.compile(r" at (\w+\.(?:java|kt|groovy|scala)):(\d+)$", re.MULTILINE)
_COMPILE = re.compile(
    r"^(?:e: (?:file://)?)?([^\s:]+\.(?:java|kt)):(\d+):(?:\d+)?:? ?(?:error: )(.*)$", re.M
)


def read(text: str, root: str) -> Report | None:
    """Failing tests as `Class > method`; None where this is no report of Gradle.

    Gradle prints classes without their packages: its XML reports name tests better.
    """
    ended = list(_ENDED.finditer(text))
    if not ended:
        return _not_built(text, root)
    found = [_failure(header, body, root) for header, body in blocks(text, _HEADER, _STOP)]
    failures = {failure.name: failure for failure in found}
    passed = sum(int(end[1]) - int(end[2]) - int(end[3] or 0) for end in ended)
    return Report(tuple(failures.values()), max(passed, 0), vague=True)


def _not_built(text: str, root: str) -> Report | None:
    if _TASK.search(text) is None:
        return None
    for error in _COMPILE.finditer(text):
        if path := own_path(error[1], root):
            why = f"nothing was tested: {path}:{error[2]}: {error[3][:200]}"
            return Report((), None, why)
    return None


def _failure(header: re.Match[str], body: str, root: str) -> Failure:
    lines = body.strip("\n").split("\n")
    detail = "\n".join(line.removeprefix("    ") for line in lines).rstrip("\n")
    where = first_own(java_frames(detail, header[1]), root)
    if not where and (at := _AT.search(detail)):
        where = f"{at[1]}:{at[2]}"
    name = f"{header[1]} > {header[2]}".replace("()", "")
    return Failure(name, message(detail.split("\n")), where, detail)
