"""An interpreter with the heavy libraries loaded that forks selfheal's command line: a run costs
a fraction of a second, and is a process of its own that can be killed.

    with Forks() as forks:
        child = forks.start(scene, "--yes", ...)
        ran = child.ended()

The interpreter itself is `tests.hostile.forkserver`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.scene import ROOT, Ran
from tests.hostile.tally import FAULTS, KILLS, count
from tests.support.headless import Workplace

LONGEST = 120.0
"""Seconds that a run may take before the test calls it a hang."""


class Child:
    """One run. `spoil` names what was planted in it; `marks` is what that wrote of itself."""

    def __init__(
        self,
        forks: Forks,
        scene: Workplace,
        pid: int,
        files: Path,
        arguments: tuple[str, ...],
    ) -> None:
        self.pid = pid
        self._scene = scene
        self.peak = 0
        """KiB of memory that it had at most, once it has ended."""
        self._forks = forks
        self._files = files
        self._arguments = arguments

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self, timeout: float = LONGEST) -> Ran:
        """How it ended: its exit code, negative for a signal."""
        try:
            code, self.peak = self._forks.end_of(self.pid, timeout)
        except AssertionError:
            # What hangs would hold its scene.
            self.kill()
            raise
        if code == -signal.SIGKILL:
            self._scene.killed = True
            count(KILLS)
        elif self.fired:
            count(FAULTS)
        out, err = (self._written(name) for name in ("out", "err"))
        return Ran(code, out, err, arguments=self._arguments)

    def _written(self, name: str) -> bytes:
        file = Path(f"{self._files}.{name}")
        return file.read_bytes() if file.exists() else b""

    @property
    def fired(self) -> str:
        """The place where what was planted acted; empty where it never did."""
        file = Path(f"{self._files}.fired")
        return file.read_text() if file.exists() else ""


class Forks:
    """The forking interpreter, as a context. Threads may share it: runs go beside each other."""

    def __init__(self) -> None:
        # That of now: a test changes it for itself.
        self._environment = os.environ | {"PYTHONPATH": f"{ROOT}"}
        self._number = 0
        self._started: dict[int, int] = {}
        self._ends: dict[int, tuple[int, int]] = {}
        self._news = threading.Condition()

    def __enter__(self) -> Forks:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.forkserver"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        self._wait_for(lambda: 0 in self._started, LONGEST)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._listening.join(10)
        self._process.stdout.close()

    def start(
        self,
        scene: Workplace,
        *arguments: str,
        spoil: tuple[Any, ...] = (),
        terminal: str = "",
        **environment: str,
    ) -> Child:
        """Start a run in `scene`. `spoil` is `(module, function, argument...)` to be called in it
        first, with the path of a file to tell in where it acted. `terminal` is the device that
        it runs at; its output goes to files without one."""
        with self._news:
            self._number += 1
            number = self._number
            files = scene.folder.parent / f"run-{self._process.pid}-{number}"
            request = {
                "number": number,
                "arguments": arguments,
                "cwd": str(scene.repository),
                "environment": scene._environment() | environment,
                "files": str(files),
                "spoil": spoil,
                "terminal": terminal,
            }
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        self._wait_for(lambda: number in self._started, 30.0)
        return Child(self, scene, self._started[number], files, arguments)

    def run(self, scene: Workplace, *arguments: str, **more: Any) -> tuple[Ran, str]:
        """Run to the end; how it ended, and where what was planted acted."""
        child = self.start(scene, *arguments, **more)
        return child.ended(), child.fired

    def end_of(self, pid: int, timeout: float) -> tuple[int, int]:
        """The exit code of a run, and the most memory that it had (KiB)."""
        self._wait_for(lambda: pid in self._ends, timeout)
        with self._news:
            return self._ends.pop(pid)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            with self._news:
                if "number" in told:
                    self._started[told["number"]] = told["pid"]
                    # That of an earlier process of this number, which nobody asked for.
                    self._ends.pop(told["pid"], None)
                else:
                    self._ends[told["pid"]] = (told["code"], told["peak"])
                self._news.notify_all()

    def _wait_for(self, is_so: Callable[[], bool], timeout: float) -> None:
        with self._news:
            assert self._news.wait_for(is_so, timeout), "the run did not end in time"


def heal(base_url: str, *arguments: str) -> tuple[str, ...]:
    """The arguments of `Workplace.heal`."""
    return (
        "--yes", "--output", "json", "--model", "openai/scripted", "--api-base", base_url,
        *arguments, "make the tests pass",
    )  # fmt: skip
