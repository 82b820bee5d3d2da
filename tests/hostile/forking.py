"""An interpreter with the heavy libraries loaded that forks selfheal's command line: a run costs
a fraction of a second, and is a process of its own that can be killed.

    with Forks() as forks:
        child = forks.start(scene, "--yes", ...)
        ran = child.ended()

As a program it is that interpreter: one JSON line a request, one a start and one an end.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from tests.hostile.scene import ROOT, Ran, Scene

LOADED_LATE = (
    "litellm.responses.mcp.chat_completions_handler",
    "litellm.responses.mcp.litellm_proxy_mcp_handler",
    "litellm.llms.openai.chat.gpt_audio_transformation",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
    "httpcore",
    "h11",
    "anyio.streams.text",
    "logging.handlers",
    "litellm.litellm_core_utils.default_encoding",
)
"""What the library loads with its first request, which takes a second and more."""

LONGEST = 120.0
"""Seconds that a run may take before the test calls it a hang."""


class Child:
    """One run. `spoil` names what was planted in it; `marks` is what that wrote of itself."""

    def __init__(self, forks: Forks, pid: int, files: Path, arguments: tuple[str, ...]) -> None:
        self.pid = pid
        self._forks = forks
        self._files = files
        self._arguments = arguments

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self, timeout: float = LONGEST) -> Ran:
        """How it ended: its exit code, negative for a signal."""
        try:
            code = self._forks.code_of(self.pid, timeout)
        except AssertionError:
            # The next one could not be started before its end.
            self.kill()
            raise
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
    """The forking interpreter, as a context. Not to be shared between threads. With `interface`
    on it has loaded what the terminal interface needs, too."""

    def __init__(self, *, interface: bool = False) -> None:
        self._also = ["interface"] if interface else []
        self._number = 0
        self._codes: dict[int, int] = {}

    def __enter__(self) -> Forks:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.forking", *self._also],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line(LONGEST) == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(
        self,
        scene: Scene,
        *arguments: str,
        spoil: tuple[Any, ...] = (),
        terminal: str = "",
        **environment: str,
    ) -> Child:
        """Start a run in `scene`. `spoil` is `(module, function, argument...)` to be called in it
        first, with the path of a file to tell in where it acted. `terminal` is the device that
        it runs at; its output goes to files without one."""
        self._number += 1
        files = scene.folder.parent / f"run-{self._process.pid}-{self._number}"
        request = {
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
        while "started" not in (line := self._line(30.0)):
            self._codes[line["ended"]] = line["code"]
        return Child(self, line["started"], files, arguments)

    def run(self, scene: Scene, *arguments: str, **more: Any) -> tuple[Ran, str]:
        """Run to the end; how it ended, and where what was planted acted."""
        child = self.start(scene, *arguments, **more)
        return child.ended(), child.fired

    def code_of(self, pid: int, timeout: float) -> int:
        end = time.monotonic() + timeout
        while pid not in self._codes:
            line = self._line(end - time.monotonic())
            self._codes[line["ended"]] = line["code"]
        return self._codes.pop(pid)

    def _line(self, timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], max(timeout, 0))
        assert ready, "the run did not end in time"
        read: dict[str, Any] = json.loads(self._process.stdout.buffer.readline())
        return read


def heal(base_url: str, *arguments: str) -> tuple[str, ...]:
    """The arguments of `Workplace.heal`."""
    return (
        "--yes", "--output", "json", "--model", "openai/scripted", "--api-base", base_url,
        *arguments, "make the tests pass",
    )  # fmt: skip


# --- the program ---------------------------------------------------------------------------


def _serve() -> None:
    for name in ("adapters.litellm_model.library", "cli.run", "cli.models", "cli.dispatch",
                 "adapters.git.repository", "adapters.outline_process", "adapters.local_provision",
                 "adapters.docker.provision", "adapters.incidents", "adapters.recall"):  # fmt: skip
        importlib.import_module(f"selfheal_tui.{name}")
    from selfheal_tui.adapters.litellm_model.library import errors, load

    if sys.argv[1:] == ["interface"]:
        _load_interface()
    load()
    errors()
    for name in LOADED_LATE:
        importlib.import_module(name)
    assert threading.active_count() == 1, "what forks must have one thread"
    _say({"ready": True})
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be_selfheal(json.loads(line))
        _say({"started": pid})
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _load_interface() -> None:
    from selfheal_tui.cli.loading import INTERFACE, SESSION

    for name in ("selfheal_tui.cli.tui", "selfheal_tui.cli.interactive", *INTERFACE, *SESSION,
                 "textual.drivers.linux_driver"):  # fmt: skip
        importlib.import_module(name)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _be_selfheal(request: dict[str, Any]) -> None:
    """Never returns."""
    code = 99
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
