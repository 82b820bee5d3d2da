"""An interpreter with the heavy libraries loaded that forks selfheal's command line: a run costs
a fraction of a second, and is a process of its own that can be killed.

    with Forks() as forks:
        child = forks.start(scene, "--yes", ...)
        ran = child.ended()

As a program it is that interpreter: one JSON line a request, one a start and one an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.scene import ROOT, Ran
from tests.hostile.tally import FAULTS, KILLS, count
from tests.support.headless import Workplace
from tests.support.model_server import ModelServer, submit

LOADED = (
    "adapters.litellm_model.library", "cli.run", "cli.models", "cli.dispatch",
    "adapters.git.repository", "adapters.outline_process", "adapters.local_provision",
    "adapters.docker.provision", "adapters.incidents", "adapters.recall",
)  # fmt: skip
"""What is loaded before the first run. What that one loads besides is loaded after it."""

LONGEST = 120.0
"""Seconds that a run may take before the test calls it a hang."""


class Child:
    """One run. `spoil` names what was planted in it; `marks` is what that wrote of itself."""

    def __init__(self, forks: Forks, pid: int, files: Path, arguments: tuple[str, ...]) -> None:
        self.pid = pid
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
            [sys.executable, "-m", "tests.hostile.forking"],
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
        return Child(self, self._started[number], files, arguments)

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


# --- the program ---------------------------------------------------------------------------


def _serve() -> None:
    for name in LOADED:
        importlib.import_module(f"selfheal_tui.{name}")
    from selfheal_tui.adapters.litellm_model.library import errors, load

    _load_interface()
    load().token_counter(model="scripted", text="one")
    errors()
    _ask_once()
    _settle()
    wake = _woken_by_ends()
    _say({"number": 0, "pid": os.getpid()})
    waiting = b""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            _tell_ends()
        if 0 in ready:
            if not (data := os.read(0, 65536)):
                return
            *requests, waiting = (waiting + data).split(b"\n")
            for line in requests:
                _fork(json.loads(line))


def _ask_once() -> None:
    """The first answer of a process takes half a second longer: the library makes its types
    ready for it. No connection, thread or loop of it is left."""
    from selfheal_tui.adapters.model import LiteLLMModel
    from selfheal_tui.agent.ports import Message, ModelRequest, ToolSpec

    async def ask(base_url: str) -> None:
        model = LiteLLMModel("openai/scripted", api_base=base_url)
        tool = ToolSpec("submit", "Tell.", {"type": "object", "properties": {}})
        request = ModelRequest((Message("user", "hello"),), (tool,))
        await model.complete(request, lambda _news: None)
        await model.close()

    with ModelServer([submit("Done.")]) as server:
        asyncio.run(ask(server.base_url))


def _settle() -> None:
    """What is loaded stays: no run has to look through it, which would copy its memory, too."""
    assert threading.active_count() == 1, "what forks must have one thread"
    gc.collect()
    gc.freeze()


def _woken_by_ends() -> int:
    """A descriptor that can be read from when a run has ended."""
    wake, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    return wake


_learned: dict[int, Path] = {}
"""Where the runs that still go on will have told which modules they loaded."""


def _tell_ends() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            _learn(_learned.pop(pid))
            code = os.waitstatus_to_exitcode(status)
            _say({"pid": pid, "code": code, "peak": used.ru_maxrss})


def _learn(told: Path) -> None:
    """Load what a run that ended well had to load, so that the next ones have it."""
    if told.exists():
        for name in told.read_text().split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        _settle()


def _fork(request: dict[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _be_selfheal(request)
    _learned[pid] = Path(f"{request['files']}.modules")
    _say({"number": request["number"], "pid": pid})


def _load_interface() -> None:
    from selfheal_tui.cli.loading import INTERFACE, SESSION

    for name in ("selfheal_tui.cli.tui", "selfheal_tui.cli.interactive", *INTERFACE, *SESSION,
                 "textual.drivers.linux_driver"):  # fmt: skip
        importlib.import_module(name)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _be_selfheal(request: dict[str, Any]) -> None:
    """Never returns."""
    code, known = 99, set(sys.modules)
    try:
        os.setsid()
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        _connect(request)
        if request["spoil"]:
            module, function, *rest = request["spoil"]
            planted = getattr(importlib.import_module(module), function)
            planted(Path(f"{request['files']}.fired"), *rest)
        from selfheal_tui.cli import main

        code = main(request["arguments"])
        _flush(sys.stdout)
        if code == 0 and not request["spoil"]:
            Path(f"{request['files']}.modules").write_text("\n".join(set(sys.modules) - known))
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - the fork must not go on as the server
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        _flush(sys.stderr)
        os._exit(code)


def _flush(stream: Any) -> None:
    """A terminal may be gone by now."""
    with contextlib.suppress(OSError):
        stream.flush()


def _connect(request: dict[str, Any]) -> None:
    if device := request["terminal"]:
        # They would count for more than the size of the terminal.
        os.environ.pop("COLUMNS", None)
        os.environ.pop("LINES", None)
        # The first terminal that the leader of a session opens becomes its own.
        for number in (0, 1, 2):
            _redirect(number, device, os.O_RDWR)
        # Those of the server are for pipes.
        for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
            stream = os.fdopen(number, "w" if number else "r", 1, closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return
    _redirect(0, os.devnull, os.O_RDONLY)
    for number, name in ((1, "out"), (2, "err")):
        _redirect(number, f"{request['files']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def _redirect(number: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)


if __name__ == "__main__":
    _serve()
