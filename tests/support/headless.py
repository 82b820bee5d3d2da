"""Runs the real command line on a real repository, with folders of its own and no settings."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.support.model_server import Answer, Step, call, calls, submit, submit_plan, submit_review
from tests.support.projects import BrokenProject, Edit

LONGEST = 240.0
"""Seconds that a run may take before the test calls it a hang."""


READ_AT_START = ("PYTHON", "LC_", "LANG", "TEXTUAL", "ESCDELAY")
"""How the names of variables begin that Python or a library reads once."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code and what it printed."""

    exit_code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The object of `--output json`."""
        return json.loads(self.out)

    @property
    def last_line(self) -> str:
        return self.out.rstrip().splitlines()[-1]


class Workplace:
    """A repository with a bare remote, and a state and configuration folder beside it.

    Without files it has no commit.
    """

    forks: ClassVar[Callable[[], Any] | None] = None
    """Gives what `run` forks its runs from (tests.hostile.forking); None where each is an
    interpreter of its own, which costs seconds to load."""

    killed = False
    """Whether a run in it was ended by SIGKILL."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.remote = folder / "remote.git"
        self.state = folder / "state"
        self.repository.mkdir(parents=True)
        for path, text in files.items():
            self.write(path, text)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.invalid")
        subprocess.run(["git", "init", "-q", "--bare", self.remote], check=True, env=self._clean())
        self.git("remote", "add", "origin", str(self.remote))
        if files:
            self.git("add", "-A")
            self.git("commit", "-q", "-m", "Start")
            self.git("push", "-q", "origin", "main")

    def write(self, path: str, text: str) -> None:
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *arguments: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.repository,
            check=True,
            capture_output=True,
            text=True,
            env=self._clean(),
        )
        return done.stdout.strip()

    def remote_git(self, *arguments: str) -> str:
        return self.git(f"--git-dir={self.remote}", *arguments)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start selfheal in the repository."""
        return subprocess.Popen(
            [sys.executable, "-m", "selfheal_tui", *arguments],
            cwd=self.repository,
            env=self._environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run selfheal in the repository to its end."""
        if self.forks and not is_for_interpreters(environment):
            ran = type(self).forks().start(self, *arguments, **environment).ended(LONGEST)
            return Ended(ran.exit_code, _text(ran.out), _text(ran.err))
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=LONGEST)
        return Ended(process.returncode, out, err)

    def heal(self, base_url: str, *arguments: str, **environment: str) -> Ended:
        """`selfheal --yes` against a model server, with the result as JSON."""
        return self.run(
            "--yes", "--output", "json", "--model", "openai/scripted", "--api-base", base_url,
            *arguments, "make the tests pass", **environment,
        )  # fmt: skip

    def manifest(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the repository, `.git` too, with mode and bytes."""
        return {
            str(path.relative_to(self.repository)): (path.lstat().st_mode, _content(path))
            for path in sorted(self.repository.rglob("*"))
            if path.is_symlink() or path.is_file()
        }

    def _environment(self) -> dict[str, str]:
        """No settings of the machine but the base image, and no key of anybody."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SELFHEAL_", "GIT_")) and not name.endswith("_API_KEY")
        }
        if "SELFHEAL_BASE_IMAGE" in os.environ:
            kept["SELFHEAL_BASE_IMAGE"] = os.environ["SELFHEAL_BASE_IMAGE"]
        root = str(Path(__file__).parents[2])
        # A `python3` that is a script of a version manager takes longer than what it starts.
        path = f"{Path(sys.base_prefix, 'bin')}{os.pathsep}{os.environ['PATH']}"
        return kept | {
            "PATH": path,
            "PYTHONPATH": root,
            "SELFHEAL_STATE_DIR": str(self.state),
            "SELFHEAL_CONFIG_DIR": str(self.folder / "config"),
        }

    def _clean(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}


def is_for_interpreters(environment: Iterable[str]) -> bool:
    """Whether a variable is one that counts only for an interpreter that it was started with."""
    return any(name.startswith(READ_AT_START) for name in environment)


def _text(printed: bytes) -> str:
    """As a pipe that is opened for text has it."""
    return io.TextIOWrapper(io.BytesIO(printed)).read()


def _content(path: Path) -> bytes:
    return bytes(path.readlink()) if path.is_symlink() else path.read_bytes()


def edit(change: Edit) -> Answer:
    """A turn that makes this edit."""
    return call("edit_file", path=change.path, old=change.old, new=change.new)


def healing_script(project: BrokenProject) -> dict[str, list[Step]]:
    """Heals at the second attempt: the wrong edit first, then the right one."""
    return {
        "planner": [submit_plan("Find the cause.", "Mend it.", files=[project.right.path])],
        "coder": [
            calls(edit(project.wrong), submit("A first try.", "Try")),
            edit(project.right),
            submit("Mended.", "Mend what the tests show\n\nFound by its failing test."),
        ],
        "reviewer": [submit_review("approve", "Small and right.")],
    }
