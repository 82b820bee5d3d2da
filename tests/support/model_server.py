"""A scripted model behind a real HTTP server on loopback that speaks the OpenAI protocol.

    with ModelServer([say("hello"), call("bash", command="ls"), submit("fixed")]) as server:
        LiteLLMModel("openai/any", api_base=server.base_url)

A script is a list of turns played in order, or a dict of such lists by role (`planner`, `coder`,
`reviewer`: told by the tools on offer; `coder 1` and so on: the coder of that part). A turn is an
`Answer`, a `Raw`, or a function of the request's parsed body that makes one. Everything received is
in `server.requests`.
As a program: `python -m tests.support.model_server script.json` prints its URL and serves.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# --- turns ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A tool call as it goes over the wire; `arguments` is the JSON text, broken or not."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True)
class Answer:
    """A streamed answer.

    `style` is how calls stream: `pieces` (name first, arguments in pieces), `whole` (one chunk
    a call, as Ollama does), `named` (the name again in every piece), `one-index` (all calls at
    index 0). `finish` None leaves the finish reason out. `ending`: `done`, `cut` (the connection
    is dropped after the first pieces), `stall` (silence after them, until the client leaves).
    `drip` is seconds between pieces. `usage` is prompt, completion and cached tokens, or None.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str | None = "auto"
    style: str = "pieces"
    ending: str = "done"
    drip: float = 0.0
    usage: tuple[int, int, int] | None = (100, 20, 0)
    piece: int = 24

    @property
    def finish_reason(self) -> str | None:
        if self.finish != "auto":
            return self.finish
        return "tool_calls" if self.calls else "stop"


@dataclass(frozen=True)
class Raw:
    """Exactly this response, whatever was asked."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


_PART = re.compile(r"Yours is part (\d)")

Turn = Answer | Raw
Step = Turn | Callable[[dict[str, Any]], Turn]
Script = Sequence[Step] | Mapping[str, Sequence[Step]]


def say(text: str, **fields: Any) -> Answer:
    """An answer of text alone."""
    return Answer(text=text, **fields)


def think(reasoning: str, then: Answer) -> Answer:
    """`then`, with this reasoning before it."""
    return replace(then, reasoning=reasoning)


def call(name: str, /, **arguments: Any) -> Answer:
    """An answer of one tool call."""
    return Answer(calls=(Call(name, json.dumps(arguments)),))


def calls(*answers: Answer) -> Answer:
    """One answer with the calls (and texts) of all of these, in order."""
    return Answer(
        text="\n".join(answer.text for answer in answers if answer.text),
        calls=tuple(made for answer in answers for made in answer.calls),
    )


def submit(summary: str, commit_message: str = "Heal the check") -> Answer:
    """The coder's last call."""
    return call("submit", summary=summary, commit_message=commit_message)


def submit_plan(
    *steps: str, files: Sequence[str] = (), parts: Sequence[Mapping[str, object]] = ()
) -> Answer:
    """The planner's last call."""
    more = {"parts": list(parts)} if parts else {}
    return call("submit_plan", steps=list(steps), files=list(files), **more)


def submit_review(
    verdict: str = "approve", comments: str = "", risks: Sequence[str] = ()
) -> Answer:
    """The reviewer's last call."""
    return call("submit_review", verdict=verdict, comments=comments, risks=list(risks))


# --- faults --------------------------------------------------------------------------------


def broken_call(name: str, arguments: str) -> Answer:
    """A call whose arguments are this text, JSON or not."""
    return Answer(calls=(Call(name, arguments),))


def refuse(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Raw:
    """An error in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    return Raw(status, body, {"Content-Type": "application/json"} | dict(headers or {}))


def rate_limited(retry_after: str | None = None) -> Raw:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return refuse(429, "Rate limit reached", code="rate_limit_exceeded", headers=headers)


def server_error(status: int = 500) -> Raw:
    return refuse(status, "The server had an error while processing your request")


def wrong_key(shown: str = "sk-wrong") -> Raw:
    return refuse(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def unknown_model(name: str = "no-such-model") -> Raw:
    return refuse(404, f"The model `{name}` does not exist", code="model_not_found")


def tools_unsupported() -> Raw:
    return refuse(400, "this model does not support tools")


def context_overflow() -> Raw:
    return refuse(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in"
        " 9001 tokens. Please reduce the length of the messages.",
        code="context_length_exceeded",
    )


def html() -> Raw:
    page = b"<!doctype html><html><body><h1>It works</h1></body></html>"
    return Raw(200, page, {"Content-Type": "text/html"})


def not_a_completion() -> Raw:
    return Raw(200, b'{"status": "ok"}', {"Content-Type": "application/json"})


def unfinished(turn: Answer) -> Answer:
    """The stream ends in order, but no finish reason was given."""
    return replace(turn, finish=None)


def cut(turn: Answer) -> Answer:
    """The connection is dropped in the middle of the stream."""
    return replace(turn, ending="cut")


def stalled(turn: Answer) -> Answer:
    """Silence in the middle of the stream, until the client leaves."""
    return replace(turn, ending="stall")


def dripped(turn: Answer, seconds: float) -> Answer:
    """One character at a time with a pause between."""
    return replace(turn, drip=seconds, piece=1)


def unreachable() -> str:
    """A base URL where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


# --- what was received ---------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation in OpenAI's form."""
        return list(self.json["messages"])

    @property
    def tools(self) -> list[str]:
        """Names of the tools on offer."""
        return tool_names(self.json)

    @property
    def text(self) -> str:
        """All texts of the conversation, joined: to look for words in."""
        return "\n".join(_text_of(message) for message in self.messages)


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


def tool_names(body: Mapping[str, Any]) -> list[str]:
    """Names of the tools on offer, in OpenAI's form or in Anthropic's."""
    return [tool.get("function", tool).get("name", "") for tool in body.get("tools") or ()]


def role_of(body: Mapping[str, Any]) -> str:
    """Planner, coder or reviewer, by the tools on offer (or named in a text protocol's prompt);
    the coder of a part, by its brief."""
    names = tool_names(body)
    known = json.dumps(body.get("messages", [{}])[0]) if not names else ""
    if "submit_plan" in names or "submit_plan" in known:
        return "planner"
    if "submit_review" in names or "submit_review" in known:
        return "reviewer"
    part = _PART.search("\n".join(map(_text_of, body.get("messages", ())[:2])))
    return f"coder {part[1]}" if part else "coder"


# --- the server ----------------------------------------------------------------------------


class ModelServer:
    """The server, as a context manager. `forever` answers when the script is used up."""

    def __init__(self, script: Script, *, forever: Step | None = None, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.received = threading.Event()
        """Set when the first request came in."""
        self.disconnected = threading.Event()
        """Set when a client left before its answer was complete."""
        self._script = script
        self._forever = forever
        self._played: dict[str, int] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        """To be given as `--api-base`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def remaining(self) -> int:
        """How many turns of the script were not played."""
        total = (
            sum(map(len, self._script.values()))
            if isinstance(self._script, Mapping)
            else len(self._script)
        )
        return total - sum(self._played.values())

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._server.serve_forever()

    def next_turn(self, received: Received) -> Turn:
        """Record a request and pick what it gets."""
        body = received.json
        with self._lock:
            self.requests.append(received)
            step = self._step(role_of(body))
        self.received.set()
        return step(body) if callable(step) else step

    def _step(self, role: str) -> Step:
        key = role if isinstance(self._script, Mapping) else ""
        steps = self._script.get(key, ()) if isinstance(self._script, Mapping) else self._script
        index = self._played.get(key, 0)
        if index < len(steps):
            self._played[key] = index + 1
            return steps[index]
        if self._forever is not None:
            return self._forever
        return refuse(400, f"the script of the {role} is used up after {index} turns")

    def pause(self, connection: socket.socket, seconds: float | None) -> bool:
        """Wait; false when the client left meanwhile. None waits until it does."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._ending.is_set():
            wait = 0.02 if until is None else min(0.02, max(0.0, until - time.monotonic()))
            readable, _, _ = select.select([connection], [], [], wait)
            if readable and not _still_there(connection):
                return False
            if until is not None and time.monotonic() >= until:
                return True
        return False


def _still_there(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except OSError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no fault of ours; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: what was received is in `requests`."""

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "scripted", "object": "model"}]}
        self._whole(
            Raw(200, json.dumps(models).encode(), {"Content-Type": "application/json"})
            if self.path.endswith("/models")
            else refuse(404, "no such page")
        )

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        if len(body) < length:
            return self._client_left()
        received = Received("POST", self.path, headers, body)
        turn = self.server.owner.next_turn(received)
        try:
            if isinstance(turn, Raw):
                self._whole(turn)
            elif received.json.get("stream"):
                self._stream(turn, received.json)
            else:
                self._whole(_whole_answer(turn, received.json))
        except OSError:
            self._client_left()
        return None

    def _whole(self, raw: Raw) -> None:
        self.send_response(raw.status)
        for name, value in raw.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw.body)))
        self.end_headers()
        self.wfile.write(raw.body)

    def _stream(self, answer: Answer, body: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks(answer, body):
            self._chunk(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            if answer.drip and not self.server.owner.pause(self.connection, answer.drip):
                return self._client_left()
        if answer.ending != "done":
            return self._break_off(answer.ending)
        self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        return None

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _break_off(self, how: str) -> None:
        if how == "stall":
            self.server.owner.pause(self.connection, None)
            return self._client_left()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return None

    def _client_left(self) -> None:
        self.close_connection = True
        self.server.owner.disconnected.set()


# --- the wire format -----------------------------------------------------------------------


def chunks(answer: Answer, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The stream's chunks in OpenAI's form."""
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": body.get("model", "scripted"),
    }
    for count, delta in enumerate(_deltas(answer)):
        if answer.ending != "done" and count == 3:
            return
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    if answer.ending != "done":
        return
    if answer.finish_reason is not None:
        last = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
        yield head | {"choices": [last]}
    if answer.usage is not None and (body.get("stream_options") or {}).get("include_usage"):
        yield head | {"choices": [], "usage": _usage(answer.usage)}


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for piece in _pieces(answer.reasoning, answer.piece):
        yield {"reasoning_content": piece}
    for piece in _pieces(answer.text, answer.piece):
        yield {"content": piece}
    for index, made in enumerate(answer.calls):
        for delta in _call_deltas(index, made, answer):
            yield {"tool_calls": [delta]}


def _call_deltas(index: int, made: Call, answer: Answer) -> Iterator[dict[str, Any]]:
    place = 0 if answer.style == "one-index" else index
    first = {"index": place, "id": _call_id(index, made), "type": "function"}
    if answer.style == "whole":
        yield first | {"function": {"name": made.name, "arguments": made.arguments}}
        return
    yield first | {"function": {"name": made.name, "arguments": ""}}
    for piece in _pieces(made.arguments, answer.piece):
        again = {"name": made.name} if answer.style == "named" else {}
        yield {"index": place, "function": again | {"arguments": piece}}


def _call_id(index: int, made: Call) -> str:
    return made.id or f"call_{index}_{made.name}"


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _usage(usage: tuple[int, int, int]) -> dict[str, Any]:
    prompt, completion, cached = usage
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _whole_answer(answer: Answer, body: Mapping[str, Any]) -> Raw:
    made = [
        {
            "id": _call_id(index, one),
            "type": "function",
            "function": {"name": one.name, "arguments": one.arguments},
        }
        for index, one in enumerate(answer.calls)
    ]
    message = {"role": "assistant", "content": answer.text or None} | (
        {"tool_calls": made} if made else {}
    )
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body.get("model", "scripted"),
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason}],
    }
    if answer.usage is not None:
        whole["usage"] = _usage(answer.usage)
    return Raw(200, json.dumps(whole).encode(), {"Content-Type": "application/json"})


# --- as a program --------------------------------------------------------------------------


def script_from_json(text: str) -> Script:
    """A script from JSON: a list of turns, or lists by role.

    A turn is `{"text", "reasoning", "calls": [{"name", "arguments": {...} or text}], ...}` with
    the other fields of `Answer`, or `{"status": 429, "message": "...", "headers": {...}}`.
    """
    data = json.loads(text)
    if isinstance(data, dict):
        return {role: [_turn_from(item) for item in turns] for role, turns in data.items()}
    return [_turn_from(item) for item in data]


def _turn_from(item: dict[str, Any]) -> Turn:
    if "status" in item:
        return refuse(item["status"], item.get("message", ""), headers=item.get("headers"))
    made = tuple(_call_from(one) for one in item.get("calls", ()))
    return Answer(**{**item, "calls": made})


def _call_from(item: dict[str, Any]) -> Call:
    given = item.get("arguments", {})
    arguments = given if isinstance(given, str) else json.dumps(given)
    return Call(item["name"], arguments, item.get("id", ""))


def main(arguments: Sequence[str]) -> None:
    """Serve a script file; the URL is the first line on stdout. `--port N` after the file."""
    port = int(arguments[2]) if arguments[1:2] == ["--port"] else 0
    server = ModelServer(script_from_json(Path(arguments[0]).read_text()), port=port)
    print(server.base_url, flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
