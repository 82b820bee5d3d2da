"""Serves the interface to browsers of this machine: one page, the client of textual-serve, and a
websocket for each tab.

Listens on the loopback address only. Prints and logs nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import textual_serve
from aiohttp import WSMessage, WSMsgType, web

from selfheal_tui.adapters.web.door import HOST, Door
from selfheal_tui.adapters.web.tab import Tab
from selfheal_tui.errors import UsageError

HEARTBEAT = 15.0
"""Seconds between two questions whether a browser is still there."""

SIZES = range(1, 1001)
"""Columns and lines that a browser may ask for."""

PAGE = Path(__file__).with_name("page.html")


class WebServer:
    """Runs `argv` in `folder`, with `environment` besides its own, for each tab that is opened."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], port: int
    ) -> None:
        self._argv = argv
        self._folder = folder
        self._environment = environment
        self._port = port
        self._tabs: set[Tab] = set()
        self._runner: web.AppRunner | None = None
        self._closing = False

    async def open(self) -> str:
        """Listen; the URL that lets one browser in. Raises UsageError where the port is taken."""
        listening = _listening(self._port)
        self._door = Door(listening.getsockname()[1])
        app = web.Application(middlewares=[self._door.guard])
        app.on_response_prepare.append(self._door.add_headers)
        static = Path(textual_serve.__file__).parent / "static"
        app.add_routes(
            [
                web.get(self._door.room, self._page),
                web.get(f"{self._door.room}ws", self._socket),
                web.static(f"{self._door.room}static", static),
            ]
        )
        # What is asked for may hold the token: no log of it is kept.
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        return self._door.url

    async def close(self) -> None:
        """End every tab with its process, then the server."""
        self._closing = True
        await asyncio.gather(*(tab.stop() for tab in self._tabs))
        if self._runner:
            await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if "token" in request.query:
            # The printed link, opened again: the address bar is no place for a token.
            raise web.HTTPSeeOther(self._door.room)
        page = Template(PAGE.read_text(encoding="utf-8"))
        text = page.substitute(socket=self._door.socket_url("ws"))
        return web.Response(text=text, content_type="text/html")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self._closing:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT)
        await socket.prepare(request)
        tab = Tab(self._argv, self._folder, self._environment, socket)
        self._tabs.add(tab)
        try:
            await tab.start(_size(request.query.get("width")), _size(request.query.get("height")))
            async for message in socket:
                await _obey(message, tab, socket)
        except _Unfit:
            await socket.close(code=1003)
        finally:
            await tab.stop()
            self._tabs.discard(tab)
        return socket


class _Unfit(Exception):
    """A message that our page does not send."""


async def _obey(message: WSMessage, tab: Tab, socket: web.WebSocketResponse) -> None:
    match _read(message):
        case ["stdin", str(text)]:
            await tab.send_bytes(text.encode("utf-8", "replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            await tab.set_terminal_size(_size(width), _size(height))
        case ["ping", str(data)]:
            await socket.send_json(["pong", data])
        case ["blur", *_]:
            await tab.blur()
        case ["focus", *_]:
            await tab.focus()
        case _:
            raise _Unfit


def _read(message: WSMessage) -> object:
    if message.type is not WSMsgType.TEXT:
        raise _Unfit
    try:
        return json.loads(message.data)
    except ValueError as error:
        raise _Unfit from error


def _size(given: object) -> int:
    """A number of columns or lines that can be drawn."""
    try:
        return min(max(int(str(given)), SIZES[0]), SIZES[-1])
    except ValueError:
        return 80


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(16)
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(f"--port {port}: {error}") from error
    return listening
