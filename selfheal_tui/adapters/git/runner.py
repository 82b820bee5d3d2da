"""The one way that git is started: fixed settings, an environment from scratch, a closed list.

Plain `subprocess` and not GitPython's `Git().execute`: that one copies the whole environment of
the host (every inherited `GIT_*` with it), cannot feed bytes while it collects output, and
importing it already runs whatever `git` comes first on the unchecked PATH.
Refuses every subcommand that is not on the list of its runner.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from selfheal_tui.adapters.git.cord import Cord, end_group
from selfheal_tui.errors import RepositoryRefused

USER_COMMANDS = frozenset(
    {
        "rev-parse",
        "symbolic-ref",
        "for-each-ref",
        "ls-files",
        "cat-file",
        "config",
        "index-pack",
        "update-ref",
    }
)
"""All that ever runs on the user's repository. Each was measured to start nothing planted there."""

SHADOW_COMMANDS = frozenset(
    {
        "cat-file",
        "check-ref-format",
        "commit-tree",
        "diff-tree",
        "fast-import",
        "init",
        "ls-tree",
        "merge-base",
        "merge-file",
        "pack-objects",
        "rev-parse",
        "update-index",
    }
)
RULES_COMMANDS = frozenset({"init", "check-attr", "check-ignore"})
NETWORK_COMMANDS = frozenset({"ls-remote", "push"})

_SETTINGS = (
    "--no-pager",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    # A commit-graph is a file like any other: one that lies about parents makes an ancestor.
    "-c",
    "core.commitGraph=false",
    "-c",
    "safe.bareRepository=explicit",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
)
LITERAL = ("--literal-pathspecs",)
"""A path is a path, whatever characters it has. `check-ignore` alone does not take this."""

_READING_CONFIG = frozenset({"--get", "--get-all", "--get-regexp"})


class GitFailed(RepositoryRefused):
    """A git command ended with an error. `stderr` is what it said, `code` its exit code."""

    def __init__(self, command: str, code: int, stderr: bytes) -> None:
        super().__init__(f"git {command} failed: {one_line(stderr) or f'exit code {code}'}")
        self.code = code
        self.stderr = stderr.decode("utf-8", "replace")


@dataclass(frozen=True)
class Runner:
    """Starts git in `folder` with exactly `environment`; only the subcommands in `allowed`.

    `umask` -1 keeps the user's own. `timeout` is in seconds and ends the whole process group, as
    does the `cord`.
    """

    executable: str
    folder: Path
    environment: Mapping[str, str]
    allowed: frozenset[str]
    settings: tuple[str, ...] = LITERAL
    umask: int = -1
    timeout: float = 120.0
    cord: Cord = field(default_factory=Cord, compare=False)

    def adding(self, **environment: str) -> Runner:
        """The same runner with some variables more."""
        return replace(self, environment={**self.environment, **environment})

    def within(self, seconds: float) -> Runner:
        """The same runner with another time limit."""
        return replace(self, timeout=seconds)

    def call(
        self,
        *arguments: str,
        feed: bytes | IO[bytes] = b"",
        accept: tuple[int, ...] = (0,),
        into: IO[bytes] | None = None,
    ) -> bytes:
        """Run one command and return its standard output (empty when it goes to the file `into`).

        Raises GitFailed for an exit code that is not in `accept`, and RepositoryRefused when git
        is missing or takes too long.
        """
        return self.result(*arguments, feed=feed, accept=accept, into=into).out

    def result(
        self,
        *arguments: str,
        feed: bytes | IO[bytes] = b"",
        accept: tuple[int, ...] = (0,),
        into: IO[bytes] | None = None,
    ) -> Finished:
        """As `call`, with the exit code."""
        source = subprocess.PIPE if isinstance(feed, bytes) else feed
        process = self._start(arguments, stdin=source, stdout=into or subprocess.PIPE)
        with process, self.cord.holding(process):
            try:
                out, err = process.communicate(
                    feed if isinstance(feed, bytes) else None, timeout=self.timeout
                )
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise _too_slow(arguments[0], self.timeout) from error
            except BaseException:
                _end(process)
                raise
        if process.returncode not in accept:
            raise GitFailed(arguments[0], process.returncode, err)
        return Finished(process.returncode, out or b"", err)

    def talk(self, *arguments: str) -> Conversation:
        """Start a command that is spoken to while it runs; a context manager that ends it."""
        process = self._start(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return Conversation(arguments[0], process, self.timeout)

    def _start(
        self, arguments: tuple[str, ...], *, stdin: int | IO[bytes], stdout: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        self._check(arguments)
        try:
            return subprocess.Popen(
                [self.executable, *_SETTINGS, *self.settings, *arguments],
                cwd=self.folder,
                env=dict(self.environment),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                # A session of its own: no terminal to ask for a password on, one group to end.
                start_new_session=True,
                umask=self.umask,
            )
        except OSError as error:
            raise RepositoryRefused(f"git cannot be started: {error}") from error

    def _check(self, arguments: tuple[str, ...]) -> None:
        command = arguments[0]
        if command not in self.allowed:
            raise ValueError(f"git {command} is not on the list of this runner")
        if command == "config" and not _READING_CONFIG.intersection(arguments):
            raise ValueError("git config is for reading only")


@dataclass(frozen=True)
class Finished:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: bytes
    err: bytes


_MOMENT = 2.0
"""Seconds that a git has to end by itself."""


class Conversation:
    """A running git command: write to it, read lines from it.

    Leaving it as a context manager waits for its end and raises GitFailed when that is an error;
    with an exception it ends its input, then kills it. After `timeout` seconds it is killed in any
    case.
    """

    def __init__(self, command: str, process: subprocess.Popen[bytes], timeout: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._command = command
        self._process = process
        self._timeout = timeout
        self._in, self._out, self._err = process.stdin, process.stdout, process.stderr
        self._too_slow = False
        self._watch = threading.Timer(timeout, self._give_up)
        self._watch.daemon = True
        self._watch.start()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._let_go()
        finally:
            self.abandon()

    def _let_go(self) -> None:
        """End its input, and give it a moment: a git that is killed leaves its locks behind."""
        with contextlib.suppress(OSError):
            self._in.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_MOMENT)

    def say(self, data: bytes) -> None:
        """Write to its standard input. Raises GitFailed when it has ended."""
        try:
            self._in.write(data)
        except BrokenPipeError as error:
            raise self._failed() from error

    def hear(self) -> bytes:
        """The next line of its output, without the newline. Raises GitFailed when none comes."""
        try:
            self._in.flush()
        except BrokenPipeError as error:
            raise self._failed() from error
        line = self._out.readline()
        if not line.endswith(b"\n"):
            raise self._failed()
        return line[:-1]

    def abandon(self) -> None:
        """Kill it if it still runs, and release everything."""
        self._watch.cancel()
        _end(self._process)
        for pipe in (self._in, self._out, self._err):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def _finish(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._in.close()
        self._out.read()
        if self._process.wait() != 0:
            raise self._failed()

    def _failed(self) -> RepositoryRefused:
        code, stderr = self._process.wait(), self._err.read()
        if self._too_slow:
            return _too_slow(self._command, self._timeout)
        return GitFailed(self._command, code, stderr)

    def _give_up(self) -> None:
        self._too_slow = True
        _end(self._process)


def _too_slow(command: str, seconds: float) -> RepositoryRefused:
    return RepositoryRefused(f"git {command} did not end within {seconds:g} s; it was stopped")


def _end(process: subprocess.Popen[bytes]) -> None:
    end_group(process, signal.SIGKILL)


def one_line(data: bytes, limit: int = 400) -> str:
    """What git said as one line of printable text, without its `fatal:`; cut at `limit`."""
    text = data.decode("utf-8", "replace").strip()
    words = "".join(c if c.isprintable() else " " for c in text).split()
    if words and words[0] in {"fatal:", "error:"}:
        words = words[1:]
    line = " ".join(words)
    return line if len(line) <= limit else line[: limit - 1] + "…"
