"""A host of its own for one scenario: HOME, temporary folder, repository with neighbours, a remote
and a decoy remote, state and settings; and the runs of selfheal there.

    folder/home  tmp  ran  repository  neighbour  remote.git  decoy.git  state  config  out

Whatever a planted payload does on the host, it leaves a file in `ran`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.headless import LONGEST, Workplace, is_for_interpreters
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
MODULE = [sys.executable, "-m", "selfheal_tui"]
KEY = "sk-sentinel-4f1c9a7be2d05586"
"""The key of the model: in the environment of every run, and nowhere else but in its requests'
headers."""

HOME_SECRET = "sentinel-home-93ab20c4d7f1"
CONFIG_SECRET = "sentinel-gitconfig-5e07d1c8a2b9"
IGNORED_SECRET = "sentinel-dotenv-c41f6e0b83da"
SECRETS = (KEY, HOME_SECRET, CONFIG_SECRET, IGNORED_SECRET)
"""What every scene holds: in the environment, in HOME, in `.git/config` and in an ignored file."""


@dataclass(frozen=True)
class Ran:
    """How a run ended. `drawn` is what went to a terminal, where it had one; `arguments` are
    those of the command line."""

    exit_code: int
    out: bytes = b""
    err: bytes = b""
    drawn: bytes = b""
    arguments: tuple[str, ...] = ()

    @property
    def result(self) -> dict[str, Any]:
        """The object of `--output json`."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    @property
    def last_line(self) -> str:
        """The last line of standard output; empty for none."""
        lines = self.out.decode("utf-8", "replace").rstrip().splitlines()
        return lines[-1] if lines else ""

    @property
    def says(self) -> str:
        """Everything that was printed."""
        return (self.out + self.err).decode("utf-8", "replace")


class Scene(Workplace):
    """See the module. With `secrets` off it holds none of the sentinels but the key."""

    def __init__(self, folder: Path, files: dict[str, str], *, secrets: bool = True) -> None:
        self.home, self.temporary = folder / "home", folder / "tmp"
        self.ran, self.neighbour = folder / "ran", folder / "neighbour"
        self.out, self.config = folder / "out", folder / "config"
        self.command = MODULE
        for made in (self.home, self.temporary, self.ran, self.neighbour, self.config):
            made.mkdir(parents=True)
        super().__init__(folder, files)
        self.git_dir = self.repository / ".git"
        self.decoy = folder / "decoy.git"
        self.git("clone", "-q", "--bare", str(self.remote), str(self.decoy))
        (self.neighbour / "notes.txt").write_text("somebody else's\n")
        (self.home / ".gitconfig").write_text("[user]\n\tname = Ada\n")
        if secrets:
            self._hide_secrets()

    def marking(self, name: str) -> str:
        """A shell command that leaves `name` among the marks of what ran."""
        return f"touch '{self.ran}/{name}'"

    def payload(self, path: Path, name: str) -> Path:
        """An executable that leaves `name` among the marks."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{self.marking(name)}\n")
        path.chmod(0o755)
        return path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start selfheal in the repository; its output comes as bytes."""
        return subprocess.Popen(
            self._command(arguments),
            cwd=self.repository,
            env=self._environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **environment: str) -> Ran:
        """Run selfheal in the repository to its end."""
        if self.forks and self.command is MODULE and not is_for_interpreters(environment):
            ran: Ran = type(self).forks().start(self, *arguments, **environment).ended(LONGEST)
            return ran
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=LONGEST)
        return Ran(process.returncode, out, err, arguments=arguments)

    @contextmanager
    def interface(
        self, *arguments: str, columns: int = 120, lines: int = 36, **environment: str
    ) -> Iterator[Terminal]:
        """The interface in a real terminal. When it has ended, `ran_in` makes a Ran of it."""
        terminal = Terminal(
            self._command(arguments),
            cwd=self.repository,
            env=self._environment() | {"TERM": "xterm-256color"} | environment,
            columns=columns,
            lines=lines,
        )
        try:
            yield terminal
        finally:
            terminal.close()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [*self.command, *arguments]

    def _environment(self) -> dict[str, str]:
        """That of a workplace, with a home of this scene and a key."""
        own = {"HOME": self.home, "TMPDIR": self.temporary, "OPENAI_API_KEY": KEY}
        kept = {name: value for name, value in super()._environment().items() if "XDG" not in name}
        return kept | {name: str(value) for name, value in own.items()}

    def _hide_secrets(self) -> None:
        (self.home / ".netrc").write_text(f"machine example.invalid password {HOME_SECRET}\n")
        (self.home / ".ssh").mkdir(mode=0o700)
        (self.home / ".ssh" / "id_ed25519").write_text(f"{HOME_SECRET}\n")
        url = f"https://ada:{CONFIG_SECRET}@example.invalid/x.git"
        header = f"Authorization: Bearer {CONFIG_SECRET}"
        # Not by a command: a scene beside this one would find it among its arguments.
        with (self.repository / ".git" / "config").open("a") as config:
            config.write(f'[remote "private"]\n\turl = {url}\n[http]\n\textraHeader = {header}\n')
        exclude = self.repository / ".git" / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(".env\n")
        (self.repository / ".env").write_text(f"PASSWORD={IGNORED_SECRET}\n")


def ran_in(terminal: Terminal, *arguments: str, timeout: float = 20.0) -> Ran:
    """Wait for the end of what runs in a terminal, and tell of it."""
    return Ran(terminal.ended(timeout), drawn=bytes(terminal.raw), arguments=arguments)


def marks(folder: Path) -> list[str]:
    """The names of the payloads that ran."""
    return sorted(file.name for file in folder.iterdir())
