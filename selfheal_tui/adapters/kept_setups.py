"""The set-up commands that healed a repository's environment, in the user's configuration folder.

One private file a repository, keyed by its path; never in the worktree. Refuses commands that hold
a secret, and to fail on a file that is odd: it is named and holds nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import SelfhealError, SettingsError, UsageError

FOLDER = "environments"
MOST = 20
"""Commands of a repository that are kept."""

_MAX_BYTES = 256 * 1024

_LOGIN = re.compile(
    r"https?://[^\s/@'\"$]+@|_auth(?:Token)?[ =]+[^\s$'\"]|--password[ =]+[^\s$'\"]"
    r"|curl .*(?:-u|--user)[ =]*[^\s:$'\"]+:[^\s$]"
)
"""A login in a command, whatever it looks like. One that a variable gives is none."""


@dataclass(frozen=True)
class KeptSetup:
    """What is kept of one repository.

    `commands` run in their order, after `detected`: the set-up that the project's own files asked
    for when the last one was kept. `profile` is the sandbox's name.
    """

    repository: str
    profile: str = ""
    detected: str = ""
    commands: tuple[str, ...] = ()


class KeptSetups:
    """Reads and writes what is kept of `repository` below `config`. `redactor` knows secrets."""

    def __init__(self, config: Path, repository: str, redactor: Redactor | None = None) -> None:
        self._repository = repository
        self._redactor = redactor or Redactor()
        name = hashlib.sha256(repository.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.file = config / FOLDER / f"{name}.json"

    def read(self) -> KeptSetup:
        """What is kept; nothing where there is no file. Raises SettingsError for an odd one."""
        try:
            with self.file.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return KeptSetup(self._repository)
        except OSError as error:
            raise SettingsError(f"{self.file}: {error.strerror}") from error
        return self._parsed(content)

    def _parsed(self, content: bytes) -> KeptSetup:
        try:
            data = json.loads(content)
            if not isinstance(data["commands"], list):
                raise ValueError("`commands` is no list")
            kept = KeptSetup(**{**data, "commands": tuple(data["commands"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise SettingsError(f"{self.file} is not one of ours: {error}; delete it") from error
        texts = (kept.repository, kept.profile, kept.detected, *kept.commands)
        if len(content) > _MAX_BYTES or not all(isinstance(text, str) for text in texts):
            raise SettingsError(f"{self.file} is not one of ours; delete it")
        if kept.repository != self._repository:
            raise SettingsError(f"{self.file} is another repository's: {kept.repository}")
        return kept

    def add(self, command: str, *, profile: str = "", detected: str = "") -> None:
        """Keep one more command, once. Raises UsageError for what must not be kept."""
        command = command.strip()
        if not command or "\0" in command:
            raise UsageError("a set-up command must not be empty")
        if self._redactor.redact(command) != command or _LOGIN.search(command):
            raise UsageError("the set-up command holds a secret: it is not kept")
        with self._alone():
            kept = self.read()
            if command not in kept.commands and len(kept.commands) >= MOST:
                raise UsageError(f"{MOST} set-up commands are kept already; forget one first")
            self._write(
                replace(
                    kept,
                    profile=profile or kept.profile,
                    detected=detected or kept.detected,
                    commands=tuple(dict.fromkeys((*kept.commands, command))),
                )
            )

    def forget(self, number: int = 0) -> tuple[str, ...]:
        """Forget the command of this number, from 1; all of them for 0. Gives what was forgotten.
        Raises UsageError where there is none."""
        with self._alone():
            kept = self.read()
            if number < 0 or number > len(kept.commands) or not kept.commands:
                raise UsageError(
                    f"{len(kept.commands)} set-up commands are kept for this repository"
                )
            gone = kept.commands[number - 1 : number] if number else kept.commands
            left = tuple(command for command in kept.commands if command not in gone)
            if left:
                self._write(replace(kept, commands=left))
            else:
                self.file.unlink(missing_ok=True)
        return gone

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two sessions in one repository must not lose each other's commands."""
        folder = self.file.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise SelfhealError(f"cannot write to {folder}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, kept: KeptSetup) -> None:
        """Whole or not at all, for the user only."""
        new = self.file.with_name(f"{self.file.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(kept), indent=2) + "\n")
                new.replace(self.file)
            finally:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise SelfhealError(f"cannot write {self.file}: {error.strerror}") from error
