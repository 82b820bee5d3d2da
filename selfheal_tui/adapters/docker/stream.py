"""Long requests to the engine (a build, a pull, a set-up), and the lines of text they give.

docker-py's own calls cannot be stopped from outside while they wait for the engine.
"""

from __future__ import annotations

import codecs
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import docker
import docker.errors
import docker.types
import requests

from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS

STREAM_FAULTS = (*ENGINE_FAULTS, ValueError)
"""What reading a stream may raise: also what is no JSON, because the connection broke."""

Hear = Callable[[str], None]

_LONGEST_LINE = 64 * 1024


class EngineStream:
    """One long request whose answer is a stream of JSON values; `stop` breaks the connection.

    The engine takes a broken connection as the end of the work.
    """

    def __init__(self, client: docker.DockerClient) -> None:
        self._api = client.api
        self._lock = threading.Lock()
        self._open: docker.types.CancellableStream | None = None
        self.stopped = False

    def values(
        self, path: str, *, params: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Iterator[dict[str, Any]]:
        """The answer, value by value. Raises what the client raises, and APIError for a refusal."""
        url = f"{self._api.base_url}/v{self._api.api_version}{path}"
        with self._api.post(
            url, params=params, headers=headers, data=body, stream=True, timeout=None
        ) as response:
            if response.status_code >= 400:
                raise docker.errors.APIError(response.reason, response, _message(response))
            with self._lock:
                self._open = docker.types.CancellableStream(iter(()), response)
                stopped = self.stopped
            if stopped:
                return
            for line in response.iter_lines():
                if line.strip():
                    yield json.loads(line)

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            stream = self._open
        if stream is not None:
            stream.close()


def _message(response: requests.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text


@contextmanager
def attached(handle: Any) -> Iterator[Any]:
    """The socket behind docker-py's handle, which waits without limit; closed in the end."""
    connection = getattr(handle, "_sock", handle)
    # docker-py leaves its request timeout on; silence is not an error here.
    connection.settimeout(None)
    try:
        yield connection
    finally:
        with suppress(OSError, EOFError):
            connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, EOFError):
            handle.close()
            connection.close()


def said(error: Exception) -> str:
    """What the engine itself says of an error, in one line."""
    explanation = getattr(error, "explanation", None)
    return " ".join(str(explanation or error).split())


class Lines:
    """Bytes in, whole lines of text out. A carriage return ends a line too."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._open = ""

    def feed(self, piece: bytes) -> list[str]:
        text = self._open + self._decoder.decode(piece)
        *lines, self._open = re.split(r"[\r\n]+", text)
        if len(self._open) > _LONGEST_LINE:
            lines, self._open = [*lines, self._open], ""
        return [line for line in lines if line.strip()]

    def rest(self) -> list[str]:
        """What is left when no more bytes come."""
        text, self._open = self._open + self._decoder.decode(b"", final=True), ""
        return [text] if text.strip() else []
