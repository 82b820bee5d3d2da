"""One browser tab and the process behind it: keys go in, what is drawn goes out.

The process never outlives its tab: it is asked to end, then made to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from selfheal_tui.core.text import printable

GREETING = b"__GANGLION__\n"
"""The line after which a Textual app speaks in packets."""

GRACE = 15.0
"""Seconds that a session has to end and to remove its container; then its process is ended."""

LAST_GRACE = 3.0
"""Seconds between the request to end and the kill."""

STDERR_PIECES = 16


class Tab(AppService):
    """Runs `argv` in `folder` for one websocket. `start` once, `stop` as often as you like."""

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        socket: web.WebSocketResponse,
    ) -> None:
        super().__init__(
            shlex.join(argv),
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=_closer(socket),
            # The interface writes its files itself; none is sent to the browser.
            download_manager=DownloadManager(),
        )
        self._argv = tuple(argv)
        self._folder = folder
        self._own = dict(environment)
        self._ending: asyncio.Future[None] | None = None
        self._complaint: deque[bytes] = deque(maxlen=STDERR_PIECES)

    async def stop(self) -> None:
        """End the process, its session and everything of it."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        await asyncio.shield(self._ending)

    async def run(self) -> None:
        """Pass on what the process draws until it ends; a tab that is gone is no reason to stop
        reading, for a process that cannot write cannot end."""
        process = self._running
        assert process.stdout is not None
        complaints = asyncio.ensure_future(self._hear_complaints())
        try:
            if await _greets(process.stdout):
                await self._pass_on(process.stdout)
        finally:
            await process.wait()
            await complaints
        await self._tell_failure(process.returncode)
        await self.remote_close()

    async def on_data(self, payload: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await super().on_data(payload)

    async def on_meta(self, data: bytes) -> None:
        """Only links are passed on: the end is told when the process has ended, not before."""
        told = json.loads(data)
        if told.get("type") == "open_url" and urlsplit(told["url"]).scheme in ("http", "https"):
            with contextlib.suppress(ConnectionError):
                await super().on_meta(data)

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        made = super()._build_environment(width, height)
        return made | self._own

    async def _open_app_process(
        self, width: int = 80, height: int = 24
    ) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        # A session of its own: Ctrl-C at our terminal is for us, and we end it in good order.
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=self._folder,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._stdin = self._process.stdin
        return self._process

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "start() opens the process first"
        return self._process

    async def _pass_on(self, stdout: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                kind = await stdout.readexactly(1)
                payload = await stdout.readexactly(
                    int.from_bytes(await stdout.readexactly(4), "big")
                )
                if kind == b"D":
                    await self.on_data(payload)
                elif kind == b"M":
                    await self.on_meta(payload)

    async def _hear_complaints(self) -> None:
        assert self._running.stderr is not None
        while piece := await self._running.stderr.read(4096):
            self._complaint.append(piece)

    async def _tell_failure(self, code: int | None) -> None:
        """A process that ends with a complaint has not said it in the interface."""
        text = b"".join(self._complaint).decode("utf-8", "replace").strip()
        if code and text:
            lines = "\r\n".join(printable(text).split("\n"))
            await self.on_data(f"\x1b[?1049l\x1b[2J\x1b[H{lines}\r\n".encode())

    async def _end(self) -> None:
        if self._task is None:
            return
        # The end of its input is what tells it to leave.
        self.stdin.close()
        for seconds, number in ((GRACE, signal.SIGTERM), (LAST_GRACE, signal.SIGKILL)):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._running.wait()), seconds)
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, number)
        await self._task


async def _greets(stdout: asyncio.StreamReader) -> bool:
    """Whether the process became an interface; what it says before that is nobody's."""
    while line := await stdout.readline():
        if line == GREETING:
            return True
    return False


def _closer(socket: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await socket.close()

    return close
