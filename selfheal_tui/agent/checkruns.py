"""One command of the check, run in a sandbox and read: its output, and the reports it wrote.

A report is text from outside and only names tests: the verdict stays the exit code.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from selfheal_tui.agent.ports import CommandResult, Sandbox
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.checks import CheckResult
from selfheal_tui.core.environment import missing_in
from selfheal_tui.core.failures.junit import MAX_DOCUMENT
from selfheal_tui.core.failures.places import by_name, resolved
from selfheal_tui.core.failures.read import read_failures
from selfheal_tui.core.text import fold_terminal
from selfheal_tui.errors import SandboxError, SandboxLost

LOG = "../tmp/selfheal/check.log"
"""Where a red check's output is kept, from the tree's root: in the sandbox, beside the tree."""

_REPORT = re.compile(
    r"(?:^|/)(?:TEST-[^/]+|[^/]*(?:junit|test-?results?|test-?report)[^/]*|report)\.xml$"
    r"|(?:^|/)(?:test-results|surefire-reports|failsafe-reports|test-reports)/(?:[^/]+/)*[^/]+\.xml$",
    re.IGNORECASE,
)
_MOST_REPORTS = 200
_MOST_BYTES = 8 * 1024 * 1024


class CheckRuns:
    """Runs commands of the check. `files` are the paths of the user's tree."""

    def __init__(self, workspace: Workspace, *, timeout: float, files: Collection[str]) -> None:
        self._workspace = workspace
        self._timeout = timeout
        self._files = files
        self._by_name = by_name(files)

    async def run(self, command: str, purpose: str, sandbox: Sandbox) -> tuple[str, CheckResult]:
        """Run one command; the id of its events, and what it said. Raises SandboxLost."""
        number, ended = await self._workspace.run(
            command, purpose=purpose, timeout=self._timeout, shell_state=False, sandbox=sandbox
        )
        documents: list[str] = []
        if ended.exit_code != 0 or ended.timed_out:
            documents = await _reports(sandbox)
        return number, self.read(command, ended, documents, sandbox.facts.workdir)

    async def keep_log(self, result: CheckResult) -> CheckResult:
        """Write the output of a red check into the session's sandbox, to be looked at there."""
        sandbox = self._workspace.sandbox
        path = posixpath.normpath(posixpath.join(sandbox.facts.workdir, LOG))
        try:
            await sandbox.write(path, result.output.encode("utf-8", "replace"))
        except SandboxLost:
            raise
        except (SandboxError, OSError):
            # Its disk may be full: what the digest holds of the output has to do then.
            return result
        return replace(result, log=path)

    def read(
        self, command: str, ended: CommandResult, documents: Sequence[str] = (), root: str = ""
    ) -> CheckResult:
        """What a command of the check said that ended so, with the reports that it wrote; `root`
        is where the tree was, empty for the session's sandbox."""
        root = root or self._workspace.sandbox.facts.workdir
        output = fold_terminal(ended.output.decode("utf-8", "replace"))
        failures, passed = read_failures(
            command, output, ended.exit_code, ended.timed_out, root=root, documents=documents
        )
        located = (replace(f, location=resolved(f.location, self._by_name)) for f in failures)
        return CheckResult(
            command,
            ended.exit_code,
            ended.seconds,
            tuple(located),
            passed,
            ended.timed_out,
            ended.out_of_memory,
            output,
            missing=missing_in(output, own=self._files) if failures else (),
        )


async def _reports(sandbox: Sandbox) -> list[str]:
    """The reports that were written since the tree was last settled: this run's own."""
    found: list[str] = []
    room = _MOST_BYTES
    changed = (path for path in (await sandbox.scan()).changed if _REPORT.search(path))
    for _, path in zip(range(_MOST_REPORTS), changed, strict=False):
        try:
            content = await sandbox.read(path, MAX_DOCUMENT)
        except SandboxLost:
            raise
        except (SandboxError, OSError):
            # Not a file, or gone again: it says nothing.
            continue
        room -= len(content)
        if room < 0:
            break
        found.append(content.decode("utf-8", "replace"))
    return found
