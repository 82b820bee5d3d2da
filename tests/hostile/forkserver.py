"""The program that loads the heavy libraries once and forks selfheal's command line from then on:
one JSON line a request, one a start and one an end. `tests.hostile.forking` speaks with it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

from tests.support.model_server import ModelServer, submit

LOADED = (
    "adapters.litellm_model.library", "cli.run", "cli.models", "cli.dispatch",
    "adapters.git.repository", "adapters.outline_process", "adapters.local_provision",
    "adapters.docker.provision", "adapters.incidents", "adapters.recall",
)  # fmt: skip
"""What is loaded before the first run. What that one loads besides is loaded after it."""


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
        # The folder of the server's own environment, once it was asked for.
        tempfile.tempdir = None
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
