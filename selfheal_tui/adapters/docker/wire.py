"""One attached connection to the engine: what a process prints comes, what it reads goes.

A thread of its own reads and reports on the loop; it never runs far ahead of who listens, so
that a flood of output stays in the container. Any socket will do: unix, TCP, TLS, ssh.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from selfheal_tui.adapters.docker.calls import in_thread

STDERR = 2
PIECE = 64 * 1024

_AHEAD = 32
_HEADER = 8
_COMPLAINTS = 2048


class Wire:
    """Made on the loop. `hear` gets the process's standard output piece by piece, on the loop;
    `ended` is done when the connection has ended. `complaints` keeps what came as an error.
    `process` is what the engine calls the process, if it is not a container's main one."""

    def __init__(self, handle: Any, hear: Callable[[bytes], None], process: str = "") -> None:
        self.process = process
        # docker-py's handle keeps the connection's file open, and must not be collected.
        self._handle = handle
        self._socket = connection_of(handle)
        # docker-py leaves its request timeout on; silence is not an error here.
        self._socket.settimeout(None)
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(_AHEAD)
        self._closed = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.complaints = b""
        threading.Thread(target=self._read, name="selfheal-wire", daemon=True).start()

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Write `pieces`. Raises OSError when the connection has ended."""
        await in_thread(self._send, pieces)

    def end_input(self) -> None:
        """Nothing more is sent; what the process prints still comes."""
        with contextlib.suppress(OSError, EOFError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection; what the process has not printed yet is lost."""
        self._closed = True
        self._room.release()
        close_handle(self._handle)

    def _send(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._socket.sendall(piece)

    def _read(self) -> None:
        # The loop may have ended first (RuntimeError); a reset connection is an ended one.
        with contextlib.suppress(RuntimeError, OSError):
            for stream, piece in frames(self._socket.recv):
                self._room.acquire()
                if self._closed:
                    break
                self._loop.call_soon_threadsafe(self._deliver, stream, piece)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    def _deliver(self, stream: int, piece: bytes) -> None:
        self._room.release()
        if stream == STDERR:
            self.complaints = (self.complaints + piece)[-_COMPLAINTS:]
        else:
            self._hear(piece)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def connection_of(handle: Any) -> Any:
    """The socket (or what acts as one) under what docker-py gives for an attached process."""
    return getattr(handle, "_sock", handle)


def close_handle(handle: Any) -> None:
    """End the connection of a docker-py handle, also under a thread that reads from it."""
    connection = connection_of(handle)
    if connection is None:
        return  # It was closed before.
    # It may have ended already.
    with contextlib.suppress(OSError, EOFError):
        connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError):
        handle.close()
        connection.close()


def frames(receive: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """The engine's multiplexed stream as pairs of stream number and bytes, as they come.

    A frame is a byte for the stream, three zeros, four bytes of length, and the content; a long
    frame is passed on in pieces.
    """
    header, stream, left = b"", 0, 0
    while data := receive(PIECE):
        at = 0
        while at < len(data):
            if not left:
                taken = data[at : at + _HEADER - len(header)]
                header += taken
                at += len(taken)
                if len(header) == _HEADER:
                    stream, left, header = header[0], int.from_bytes(header[4:], "big"), b""
                continue
            piece = data[at : at + left]
            at += len(piece)
            left -= len(piece)
            yield stream, piece
