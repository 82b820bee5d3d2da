"""An endpoint of a model as the attacker: it sends requests elsewhere, packs its answers, and never
comes to an end. Nobody else gets the key or the code, and the app stays small."""

from __future__ import annotations

import asyncio
import gzip
import json
import time

import pytest

from selfheal_tui.adapters.litellm_model import answer as answers
from selfheal_tui.adapters.litellm_model.answer import MOST_CHARACTERS, AnswerAssembly
from selfheal_tui.adapters.litellm_model.calls import MOST_CALLS, CallAssembly, CallPiece
from selfheal_tui.adapters.litellm_model.connections import MOST_ERROR, MOST_LINE
from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.patience import RetryPolicy
from selfheal_tui.agent.ports import Message, ModelRequest
from selfheal_tui.errors import ModelAnswerInvalid, ModelError
from tests.hostile.rig import MIB, resident
from tests.support.model_server import Answer, Call, ModelServer, Raw, chunks, say

KEY = "sk-sentinel-0f3e7c5a91b2"
CODE = "the code of the user, word for word"
ASKED = ModelRequest((Message("system", "be brief"), Message("user", CODE)))
EVENTS = {"Content-Type": "text/event-stream"}
PROVIDERS = ("openai/x", "anthropic/claude-sonnet-4-5", "gemini/gemini-1.5-pro", "ollama/x",
             "mistral/x", "openrouter/x")  # fmt: skip


def nobody(_news):
    """Hears nothing."""


async def ask(name, base, **more):
    model = LiteLLMModel(name, api_base=base, api_key=KEY, **more)
    try:
        return await model.complete(ASKED, nobody)
    finally:
        await model.close()


# --- redirects -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_request_is_never_sent_on_with_its_key_and_its_code(name):
    with ModelServer([], forever=say("hi")) as decoy:
        elsewhere = decoy.base_url.replace("127.0.0.1", "localhost")
        for status in (301, 302, 303, 307, 308):
            sent_on = Raw(status, b"", {"Location": f"{elsewhere}/chat/completions"})
            with ModelServer([], forever=sent_on) as server:
                with pytest.raises(ModelError) as refused:
                    await ask(name, server.base_url)
                assert len(server.requests) == 1
            assert type(refused.value) is ModelError, "it is not tried again"
            assert "never followed" in str(refused.value)
            assert KEY not in str(refused.value)
        assert decoy.requests == []


async def test_a_redirect_within_the_endpoint_is_not_followed_either():
    server = ModelServer([], forever=Raw(307, b"", {"Location": "/v1/elsewhere"}))
    with server, pytest.raises(ModelError, match="never followed"):
        await ask("openai/x", server.base_url)
    assert [request.path for request in server.requests] == ["/v1/chat/completions"]


# --- size ------------------------------------------------------------------------------------


def streamed(answer):
    body = b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks(answer, {}))
    return body + b"data: [DONE]\n\n"


@pytest.mark.parametrize("packing", ["gzip", "GZIP, br"])
@pytest.mark.parametrize("name", ["openai/x", "anthropic/claude-sonnet-4-5"])
async def test_a_packed_answer_is_not_taken(name, packing):
    bomb = gzip.compress(streamed(say("x")) + b"\n" * 64 * MIB)
    server = ModelServer([], forever=Raw(200, bomb, {**EVENTS, "Content-Encoding": packing}))
    before = resident()
    with server, pytest.raises(ModelAnswerInvalid, match="packed"):
        await ask(name, server.base_url)
    assert resident() - before < 48 * MIB
    assert server.requests[0].headers["accept-encoding"] == "identity"


class Endless:
    """A socket server that sends `head`, then `piece` for ever; `sent` counts its bytes."""

    def __init__(self, head, piece):
        self._head, self._piece, self.sent = head, piece, 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _serve(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self._head)
            while True:
                writer.write(self._piece)
                await writer.drain()
                self.sent += len(self._piece)
        except OSError:
            pass
        finally:
            writer.close()


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
REFUSED = b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n\r\n"
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TOKEN = (
    b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"' + b"x" * 60_000 + b'"}}]}\n\n'
)
CALL = (
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"bash",'
    b'"arguments":"' + b"x" * 60_000 + b'"}}]}}]}\n\n'
)
ENDLESS = {
    "a line without end": (STREAM, b"x" * 65_536, 4 * MOST_LINE),
    "thinking without end": (STREAM, TOKEN, 4 * MOST_CHARACTERS),
    "a call without end": (STREAM, CALL, 4 * MOST_CHARACTERS),
    "an error without end": (REFUSED, b" \n" * 32_768, 16 * MOST_ERROR),
    "headers without end": (HEADERS, b"X-Y: " + b"x" * 60_000 + b"\r\n", 8 * MIB),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_answer_without_end_is_ended_and_takes_little_memory(kind):
    head, piece, most = ENDLESS[kind]
    before = resident()
    async with Endless(head, piece) as server:
        with pytest.raises(ModelError) as ended:
            await asyncio.wait_for(ask("openai/x", server.base_url, deadline=50, stall=40), 55)
        assert server.sent < most, f"{ended.value}"
    assert resident() - before < 220 * MIB


async def test_ten_thousand_calls_in_one_answer_are_none():
    many = Answer(calls=tuple(Call("bash", "{}", f"c{n}") for n in range(10_000)), style="whole")
    server = ModelServer([], forever=Raw(200, streamed(many), EVENTS))
    with server, pytest.raises(ModelAnswerInvalid, match=f"more than {MOST_CALLS} tool calls"):
        await ask("openai/x", server.base_url)


def test_a_call_that_never_is_whole_is_read_in_time_that_grows_with_its_length():
    def seconds(pieces):
        assembly = CallAssembly()
        began = time.process_time()
        assembly.add(CallPiece(0, "", "bash", '{"a": "{}'))
        for _ in range(pieces):
            assembly.add(CallPiece(0, "", "bash", "{" + " " * 500 + "}"))
        (made,) = assembly.finish(prefix="c", cut=False)
        assert made.error
        return time.process_time() - began

    few, twice = seconds(2_000), seconds(4_000)
    assert twice < 20 * max(few, 0.02)
    assert twice < 5


def test_what_a_server_asks_to_wait_is_waited_two_minutes_at_most():
    assert RetryPolicy().delay(1, 1e9, 0.5) == 120.0


def test_an_answer_of_the_largest_length_is_one(monkeypatch):
    monkeypatch.setattr(answers, "MOST_CHARACTERS", 20)
    assembly = AnswerAssembly(nobody)
    chunk = type("Chunk", (), {"usage": None, "choices": [delta_of("x" * 20)]})()
    assembly.take(chunk)
    assert assembly.end(finish_was_given=True, call_prefix="c") == ("x" * 20, ())
    with pytest.raises(ModelAnswerInvalid, match="longer than 20 characters"):
        assembly.take(chunk)


def delta_of(text):
    delta = type("Delta", (), {"content": text, "tool_calls": None})()
    return type("Choice", (), {"delta": delta, "finish_reason": "stop"})()
