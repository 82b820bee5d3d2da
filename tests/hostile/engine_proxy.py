"""A proxy on the engine's socket that plays a fault at the n-th call, counted from 1.

A call is a request, or a piece that goes into an attached connection: so the middle of what a
command is told counts as well. Points nowhere but to the engine that is there already.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import docker
import docker.errors

from tests.hostile import tally

ENGINE = "/var/run/docker.sock"
_REQUEST = re.compile(rb"(GET|POST|PUT|HEAD|DELETE) (\S+) HTTP/1")
_PIECES = 6
"""Pieces of one attached connection that count, from its beginning."""

FAULTS = ("refuse", "cut", "500", "delay", "restart", "gone")
"""What can be played: the connection is closed unanswered; it is cut after the first byte of the
answer; an error is answered; the answer comes late; the engine restarts (all connections are cut,
the containers end); it goes away for good."""

LATE = 2.0
"""Seconds that a delayed call waits."""


class EngineProxy:
    """A context. `host` is for DOCKER_HOST; `calls` are those that came; `fired` is the one that
    the fault was played at, empty for none."""

    def __init__(self, folder: Path, fault: str = "", number: int = 0) -> None:
        self.host = f"unix://{folder / 'engine.sock'}"
        self.calls: list[str] = []
        self.fired = ""
        self.owner = 0
        """The process whose containers end when the engine restarts."""
        self._path = folder / "engine.sock"
        self._fault = fault
        self._number = number
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_gone = False

    def __enter__(self) -> EngineProxy:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._path))
        self._listening.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_gone = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._cut_all()
        self._path.unlink(missing_ok=True)
        self._thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._is_gone:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        with client, engine, contextlib.suppress(OSError):
            engine.connect(ENGINE)
            with self._lock:
                self._open |= {client, engine}
            told = _Told()
            back = threading.Thread(target=self._answer, args=(engine, client, told), daemon=True)
            back.start()
            self._ask(client, engine, told)
            back.join()
        with self._lock:
            self._open -= {client, engine}

    def _ask(self, client: socket.socket, engine: socket.socket, told: _Told) -> None:
        attached = pieces = 0
        while data := client.recv(65536):
            request = None if attached else _REQUEST.match(data)
            pieces += attached
            if request or 0 < pieces <= _PIECES:
                name = b" ".join(request.groups()).decode() if request else "a piece"
                if not self._goes_on(name, client, told):
                    return
            attached = attached or _attaches(data)
            engine.sendall(data)
        with contextlib.suppress(OSError):
            engine.shutdown(socket.SHUT_WR)

    def _answer(self, engine: socket.socket, client: socket.socket, told: _Told) -> None:
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                if told.cut:
                    client.sendall(data[:1])
                    break
                client.sendall(data)
            _close(client)

    def _goes_on(self, name: str, client: socket.socket, told: _Told) -> bool:
        """Count a call and play what is to be played at it; whether it reaches the engine."""
        with self._lock:
            self.calls.append(name)
            if len(self.calls) != self._number:
                return True
            self.fired = name
            tally.count(tally.FAULTS)
        played: dict[str, Callable[[], bool]] = {
            "refuse": lambda: _close(client),
            "cut": told.cut_next,
            "500": lambda: _answer_500(client),
            "delay": _wait,
            "restart": self._restart,
            "gone": self._go,
        }
        return played[self._fault]()

    def _restart(self) -> bool:
        self._cut_all()
        end_containers(self.owner)
        return False

    def _go(self) -> bool:
        self._is_gone = True
        self._cut_all()
        return False

    def _cut_all(self) -> None:
        with self._lock:
            for connection in self._open:
                _close(connection)


class _Told:
    """What the asking half tells the answering half of a connection."""

    cut = False

    def cut_next(self) -> bool:
        self.cut = True
        return True


def end_containers(owner: int) -> None:
    """Kill the containers of the process `owner`, and of nobody else, as a restart does."""
    client = docker.from_env()
    try:
        for one in client.containers.list(filters={"label": "selfheal.session"}):
            if one.labels.get("selfheal.owner", "").split(":")[1:2] == [str(owner)]:
                with contextlib.suppress(docker.errors.APIError):
                    one.kill()
    finally:
        client.close()


def _attaches(data: bytes) -> bool:
    head = data.partition(b"\r\n\r\n")[0].lower()
    return b"upgrade: tcp" in head or (b"/exec/" in head and b"/start" in head)


def _close(connection: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    return False


def _answer_500(client: socket.socket) -> bool:
    body = json.dumps({"message": "the engine has an error of its own"}).encode()
    head = f"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {len(body)}\r\n"
    with contextlib.suppress(OSError):
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    return _close(client)


def _wait() -> bool:
    time.sleep(LATE)
    return True
