"""The LiteLLM adapter: the real library against a real server on loopback."""

from __future__ import annotations

import asyncio
import email.utils
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_tui.adapters.litellm_model import library
from selfheal_tui.adapters.model import PLACEHOLDER_KEY, LiteLLMModel
from selfheal_tui.agent.patience import PatientModel
from selfheal_tui.agent.ports import (
    Message,
    ModelRequest,
    ReasoningDelta,
    Reply,
    Retrying,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from selfheal_tui.agent.textcalls import AutoToolsModel
from selfheal_tui.core.providers import PROVIDERS
from selfheal_tui.errors import (
    ContextOverflow,
    ModelAnswerInvalid,
    ModelError,
    ModelRefusedKey,
    ModelRetryable,
    ToolsUnsupported,
)
from tests.support import model_server
from tests.support.model_server import Answer, Call, ModelServer, Raw, call, calls, say

KEY = "of-the-user-Zq8kk2vW9"
BASH = ToolSpec(
    "bash",
    "Run a command.",
    {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
HELLO = ModelRequest((Message("system", "be brief"), Message("user", "hello")))
WITH_TOOLS = ModelRequest(HELLO.messages, (BASH,))
USAGE = Usage(100, 20, 0, None)


def nobody(_news):
    """Hears nothing."""


@pytest.fixture
async def connect():
    """Makes models, and closes their connections at the end."""
    made = []

    def connected(server, name="openai/scripted", **fields):
        base = server if isinstance(server, str) else server.base_url
        model = LiteLLMModel(name, api_base=base, **({"api_key": KEY} | fields))
        made.append(model)
        return model

    yield connected
    for model in made:
        await model.close()


async def ask(connect, turn, request=WITH_TOOLS, **fields):
    """The reply to `request` when the server plays `turn`."""
    with ModelServer([turn]) as server:
        return await connect(server, **fields).complete(request, nobody)


# --- answers -------------------------------------------------------------------------------


async def test_text_and_thinking_stream_and_make_a_reply(connect):
    heard = []
    with ModelServer([say("hello world", reasoning="let me see", piece=6)]) as server:
        reply = await connect(server).complete(HELLO, heard.append)
    assert heard == [
        ReasoningDelta("let me"),
        ReasoningDelta(" see"),
        TextDelta("hello "),
        TextDelta("world"),
    ]
    assert reply == Reply("hello world", (), USAGE, "openai/scripted", "stop", "let me see")


async def test_the_request_carries_history_tools_key_and_nothing_else(connect):
    made = ToolCall("call_1", "bash", {"command": "ls"}, '{"command":  "ls"}')
    broken = ToolCall("call_2", "bash", {}, '{"command": ', "not JSON")
    history = (
        *HELLO.messages,
        Message("assistant", "", (made, broken)),
        Message("tool", "a.py", call_id="call_1"),
        Message("tool", "not JSON", call_id="call_2"),
    )
    with ModelServer([say("ok")]) as server:
        await connect(server).complete(ModelRequest(history, (BASH,), "session-1"), nobody)
        received = server.requests[0]
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    function = {"name": "bash", "description": "Run a command.", "parameters": BASH.parameters}
    assert received.json == {
        "model": "scripted",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "bash", "arguments": '{"command":  "ls"}'},
                    },
                    {
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "bash", "arguments": "{}"},
                    },
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "a.py"},
            {"role": "tool", "tool_call_id": "call_2", "content": "not JSON"},
        ],
        "tools": [{"type": "function", "function": function}],
    }


async def test_each_request_begins_with_the_bytes_of_the_one_before(connect):
    script = [
        call("bash", command="ls"),
        calls(say("so"), call("bash", command="cat 'ü'")),
        say("x"),
    ]
    with ModelServer(script) as server:
        model, history = connect(server), list(HELLO.messages)
        for _ in script:
            reply = await model.complete(ModelRequest(tuple(history), (BASH,)), nobody)
            history.append(Message("assistant", reply.text, reply.calls))
            history += [Message("tool", "done", call_id=made.id) for made in reply.calls]
        bodies = [received.body for received in server.requests]
    for earlier, later in itertools.pairwise(bodies):
        messages_so_far = earlier[: earlier.index(b'],"model"')]
        assert messages_so_far.startswith(b'{"messages":[')
        assert later.startswith(messages_so_far)


async def test_without_a_key_an_own_server_gets_a_harmless_one(connect, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "must-not-be-taken")
    with ModelServer([say("ok")]) as server:
        await connect(server, api_key=None).complete(HELLO, nobody)
        assert server.requests[0].headers["authorization"] == f"Bearer {PLACEHOLDER_KEY}"


async def test_without_key_and_endpoint_nothing_is_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "must-not-be-taken")
    with pytest.raises(ModelRefusedKey, match="no key for openai: set OPENAI_API_KEY"):
        await LiteLLMModel("openai/gpt-x").complete(HELLO, nobody)


async def test_usage_counts_cached_tokens_and_costs_what_the_list_says(connect):
    turn = say("ok", usage=(1000, 100, 600))
    reply = await ask(connect, turn, name="openai/gpt-4o")
    expected = pytest.approx(400 * 2.5e-06 + 600 * 1.25e-06 + 100 * 1e-05)
    assert reply.usage == Usage(1000, 100, 600, expected)


async def test_a_model_without_a_known_price_costs_nothing_known(connect):
    reply = await ask(connect, say("ok"), name="openai/my-own")
    assert reply.usage.cost is None


def test_a_listed_model_that_the_library_cannot_price_has_no_price():
    litellm = library.load()
    usage = litellm.Usage(prompt_tokens=9, completion_tokens=1, total_tokens=10)
    assert library.cost_of(litellm, "azure/mistral-large-latest", usage) is None
    assert library.cost_of(litellm, "a-name-without-provider", usage) is None


async def test_the_window_of_a_listed_model_is_known_and_can_be_overridden():
    listed, unlisted = LiteLLMModel("openai/gpt-4o"), LiteLLMModel("openai/my-own")
    assert (listed.context_window, listed.takes_tools()) == (None, None)
    await listed.prepare()
    await unlisted.prepare()
    assert (listed.context_window, listed.takes_tools()) == (128_000, True)
    assert (unlisted.context_window, unlisted.takes_tools()) == (None, None)
    assert LiteLLMModel("openai/my-own", context_window=9).context_window == 9


async def test_thinking_in_tags_at_the_beginning_is_not_text(connect):
    heard = []
    turn = say("<think>hm, <b></think>\n\nthe <think> answer", piece=5)
    with ModelServer([turn]) as server:
        reply = await connect(server).complete(HELLO, heard.append)
    assert (reply.reasoning, reply.text) == ("hm, <b>", "the <think> answer")
    assert "".join(n.text for n in heard if isinstance(n, ReasoningDelta)) == "hm, <b>"
    assert "".join(n.text for n in heard if isinstance(n, TextDelta)) == "the <think> answer"


# --- tool calls ----------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["pieces", "whole", "named", "one-index"])
async def test_calls_are_put_together_whatever_the_servers_habit(connect, style):
    two = calls(call("bash", command="ls -la /some/where"), call("bash", command='echo "{}" }'))
    reply = await ask(connect, Answer(calls=two.calls, style=style, piece=5))
    assert reply.calls == (
        ToolCall("call_0_bash", "bash", {"command": "ls -la /some/where"}, two.calls[0].arguments),
        ToolCall("call_1_bash", "bash", {"command": 'echo "{}" }'}, two.calls[1].arguments),
    )
    assert reply.finish == "tool_calls"


async def test_calls_with_the_same_id_get_ids_of_their_own(connect):
    same = Answer(calls=(Call("bash", "{}", "x"), Call("bash", "{}", "x")))
    reply = await ask(connect, same)
    assert [made.id for made in reply.calls] == ["x", "call_2_2"]


async def test_broken_arguments_become_an_error_and_are_never_executed(connect):
    reply = await ask(connect, model_server.broken_call("bash", '{"command": "ls'))
    (made,) = reply.calls
    assert (made.name, made.arguments, made.raw) == ("bash", {}, '{"command": "ls')
    assert made.error.startswith("the arguments of bash cannot be read: this is not valid JSON")


async def test_half_a_call_at_the_length_limit_says_so(connect):
    half = Answer(calls=(Call("bash", '{"command": "l'),), finish="length")
    reply = await ask(connect, half)
    assert reply.finish == "length"
    assert reply.calls[0].error == (
        "the answer was cut at the length limit in the middle of bash; "
        "make the call smaller, or split it"
    )


async def test_an_unknown_tool_reaches_the_caller_as_it_is(connect):
    reply = await ask(connect, call("no_such_tool", x=1))
    assert reply.calls[0].name == "no_such_tool"


# --- answers that are none -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [
        (model_server.unfinished(say("half an ans")), "without a finish reason: it was cut off"),
        (model_server.unfinished(call("bash", command="ls")), "without a finish reason"),
        (say(""), "the answer is empty"),
        (say(" \n"), "the answer is empty"),
        (say("", reasoning="hmm"), "the model thought, but answered nothing"),
        (say("", finish="content_filter"), "the provider's content filter stopped the answer"),
        (model_server.html(), "something that is no completion"),
        (model_server.not_a_completion(), "something that is no completion"),
        (Raw(200, b"", {}), "something that is no completion"),
        (
            Raw(200, b"data: {not json}\n\n", {"Content-Type": "text/event-stream"}),
            "is not understood",
        ),
    ],
)
async def test_what_is_no_answer_is_never_taken_for_one(connect, turn, sentence):
    with pytest.raises(ModelAnswerInvalid, match=sentence):
        await ask(connect, turn)


async def test_a_connection_dropped_in_mid_answer_can_be_retried(connect):
    with pytest.raises(ModelRetryable, match=r"http://127\.0\.0\.1"):
        await ask(connect, model_server.cut(say("a long answer " * 20)))


async def test_an_error_within_the_stream_is_an_error(connect):
    body = b'data: {"error": {"message": "overloaded right now", "code": 529}}\n\n'
    with pytest.raises(ModelRetryable, match="overloaded right now"):
        await ask(connect, Raw(200, body, {"Content-Type": "text/event-stream"}))


SILENCE = """
import asyncio, gc
from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.ports import Message, ModelRequest
from selfheal_tui.errors import ModelRetryable
from tests.support import model_server

def nobody(news):
    pass

HELLO = ModelRequest((Message("user", "hello"),))

async def main():
    long = model_server.say("a long answer " * 20)
    with model_server.ModelServer([long, model_server.stalled(long)]) as server:
        # The first request loads half the library: on a busy machine that outlasts the silence.
        await LiteLLMModel("openai/any", api_base=server.base_url).complete(HELLO, nobody)
        model = LiteLLMModel("openai/any", api_base=server.base_url, stall=3)
        try:
            await model.complete(HELLO, nobody)
        except ModelRetryable as error:
            print(error)
        print("asked", len(server.requests))
        print("seen", await asyncio.to_thread(server.disconnected.wait, 10))
    open_ends, asked = [], 0
    for number in range(20):
        with model_server.ModelServer([], forever=model_server.stalled(long)) as server:
            stall = 0.03 + number * 0.004
            try:
                await LiteLLMModel("openai/any", api_base=server.base_url, stall=stall).complete(
                    HELLO, nobody
                )
            except ModelRetryable:
                pass
            asked += len(server.requests)
            if server.requests and not await asyncio.to_thread(server.disconnected.wait, 10):
                open_ends.append(stall)
    print("left open", open_ends, "of many" if asked >= 5 else "of too few")

# Whoever forgets a connection has it closed in time otherwise, while the answer is paid for.
gc.disable()
asyncio.run(main())
"""


def test_silence_in_mid_answer_is_ended_and_the_server_sees_it():
    # In a process of its own: what other tests left in the library's caches must not count.
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SILENCE], cwd=root, capture_output=True, text=True, check=True
    )
    told, *seen = done.stdout.splitlines()
    assert "nothing came for 3 s" in told
    assert seen == ["asked 2", "seen True", "left open [] of many"]


async def test_a_slow_drip_ends_at_the_deadline(connect):
    turn = model_server.dripped(say("a long answer " * 20), 0.5)
    with ModelServer([turn]) as server:
        with pytest.raises(ModelRetryable, match="not complete after 3 s"):
            await connect(server, deadline=3).complete(HELLO, nobody)
        assert await asyncio.to_thread(server.disconnected.wait, 10)


async def test_cancelling_closes_the_connection(connect):
    started = asyncio.Event()
    with ModelServer([model_server.stalled(say("a long answer " * 20))]) as server:
        task = asyncio.ensure_future(connect(server).complete(HELLO, lambda _news: started.set()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.disconnected.wait, 10)


async def test_cancelling_before_the_first_byte_closes_the_connection_too(connect):
    with ModelServer([model_server.dripped(say("x"), 60)]) as server:
        task = asyncio.ensure_future(connect(server).complete(HELLO, nobody))
        assert await asyncio.to_thread(server.received.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.disconnected.wait, 10)


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "kind", "sentence"),
    [
        (model_server.wrong_key(KEY), ModelRefusedKey, "does not accept the key; set OPENAI_API_K"),
        (
            model_server.refuse(403, "region not allowed"),
            ModelRefusedKey,
            r"does not allow this request \(region not allowed\); set OPENAI_API_KEY",
        ),
        (model_server.unknown_model("scripted"), ModelError, "unknown model 'openai/scripted' at"),
        (
            model_server.refuse(400, "The model `scripted` does not exist"),
            ModelError,
            "unknown model 'openai/scripted' at",
        ),
        (model_server.rate_limited(), ModelRetryable, "asks to slow down: Rate limit reached"),
        (
            model_server.refuse(429, "You exceeded your current quota", code="insufficient_quota"),
            ModelError,
            "no credit left: You exceeded your current quota",
        ),
        (model_server.server_error(), ModelRetryable, r"failed \(500\): The server had an error"),
        (model_server.server_error(503), ModelRetryable, r"failed \(503\)"),
        (model_server.server_error(529), ModelRetryable, r"failed \(529\)"),
        (Raw(502, b"<html><h1>Bad Gateway</h1></html>", {}), ModelRetryable, "502.*Bad Gateway"),
        (model_server.context_overflow(), ContextOverflow, "larger than the model's context"),
        (
            model_server.refuse(400, "the request exceeds the available context size"),
            ContextOverflow,
            "available context size",
        ),
        (model_server.tools_unsupported(), ToolsUnsupported, "takes no tool calls"),
        (
            model_server.refuse(400, "registry.example/x does not support tools"),
            ToolsUnsupported,
            "takes no tool calls",
        ),
        (
            model_server.refuse(400, '"auto" tool choice requires --enable-auto-tool-choice'),
            ToolsUnsupported,
            "takes no tool calls",
        ),
        (
            model_server.refuse(404, "No endpoints found that support tool use."),
            ToolsUnsupported,
            "takes no tool calls",
        ),
        (
            model_server.refuse(400, "temperature must be 1"),
            ModelError,
            r"refuses the request \(400\): temperature must be 1",
        ),
    ],
)
async def test_refusals_say_what_happened_and_what_helps(connect, turn, kind, sentence):
    with pytest.raises(ModelError, match=sentence) as caught:
        await ask(connect, turn)
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "litellm" not in str(caught.value).lower()


async def test_a_request_without_tools_is_never_answered_with_tools_unsupported(connect):
    with pytest.raises(ModelError, match="refuses the request") as caught:
        await ask(connect, model_server.tools_unsupported(), HELLO)
    assert not isinstance(caught.value, ToolsUnsupported)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        (email.utils.formatdate(1_700_000_030, usegmt=True), 30.0),
        (email.utils.formatdate(1_600_000_000, usegmt=True), 0.0),
        ("soon", None),
        (None, None),
    ],
)
async def test_how_long_the_server_asks_to_wait_is_read(connect, header, seconds):
    with pytest.raises(ModelRetryable) as caught:
        await ask(connect, model_server.rate_limited(header), now=lambda: 1_700_000_000.0)
    assert caught.value.retry_after == seconds


async def test_an_endpoint_where_nobody_listens_is_named(connect):
    base = model_server.unreachable()
    with pytest.raises(ModelRetryable, match=f"cannot reach {base}"):
        await connect(base).complete(HELLO, nobody)


async def test_a_password_in_the_endpoint_is_not_shown(connect):
    base = model_server.unreachable().replace("http://", "http://me:hunter22@")
    with pytest.raises(ModelRetryable, match="cannot reach http://127") as caught:
        await connect(base).complete(HELLO, nobody)
    assert "hunter22" not in str(caught.value)


async def test_a_name_without_a_provider_is_an_unknown_model(connect):
    with pytest.raises(ModelError, match="unknown model 'just-a-name'") as caught:
        await connect(model_server.unreachable(), name="just-a-name").complete(HELLO, nobody)
    assert type(caught.value) is ModelError


# --- other providers' protocols ------------------------------------------------------------


def server_sent(*datas, named=False):
    """A stream of server-sent events; with their names, or as data alone."""
    name = (lambda data: f"event: {data['type']}\n") if named else (lambda data: "")
    lines = [f"{name(data)}data: {json.dumps(data)}\n\n" for data in datas]
    return Raw(200, "".join(lines).encode(), {"Content-Type": "text/event-stream"})


def claude_says(*, stop):
    ending = {
        "type": "message_delta",
        "delta": {"stop_reason": stop},
        "usage": {"output_tokens": 9},
    }
    whole = (
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-5",
                "content": [],
                "usage": {"input_tokens": 30, "output_tokens": 1, "cache_read_input_tokens": 70},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "I look."},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"command": "ls"}'},
        },
        {"type": "content_block_stop", "index": 1},
        ending,
        {"type": "message_stop"},
    )
    return server_sent(*(whole if stop else whole[:-2]), named=True)


async def test_claude_gets_cache_marks_and_its_answer_is_read(connect):
    made = ToolCall("toolu_0", "bash", {"command": "pwd"}, '{"command": "pwd"}')
    history = (
        *HELLO.messages,
        Message("assistant", "", (made,)),
        Message("tool", "/", (), "toolu_0"),
    )
    with ModelServer([claude_says(stop="tool_use")]) as server:
        model = connect(server, "anthropic/claude-sonnet-5")
        reply = await model.complete(ModelRequest(history, (BASH,)), nobody)
        received = server.requests[0]
    mark = {"type": "ephemeral"}
    assert received.headers["x-api-key"] == KEY
    assert received.json["system"] == [{"type": "text", "text": "be brief", "cache_control": mark}]
    assert received.json["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_0", "content": "/", "cache_control": mark}
    ]
    assert json.dumps(received.json["messages"][:-1]).count("cache_control") == 0
    assert (reply.text, reply.finish) == ("I look.", "tool_calls")
    assert reply.calls == (ToolCall("toolu_1", "bash", {"command": "ls"}, '{"command": "ls"}'),)
    assert (reply.usage.input_tokens, reply.usage.cached_tokens) == (100, 70)
    assert reply.usage.cost is not None
    assert reply.usage.cost > 0


async def test_claudes_stream_without_a_stop_reason_is_no_answer(connect):
    with pytest.raises(ModelAnswerInvalid, match="without a finish reason"):
        await ask(connect, claude_says(stop=""), name="anthropic/claude-sonnet-5")


async def test_claudes_refusals_are_read(connect):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    turn = Raw(529, json.dumps(error).encode(), {"Content-Type": "application/json"})
    with pytest.raises(ModelRetryable, match="Overloaded"):
        await ask(connect, turn, name="anthropic/claude-sonnet-5")


GEMINI = (
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "I look."}]}, "index": 0}]},
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"functionCall": {"name": "bash", "args": {"command": "ls"}}}],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
    },
)


async def test_gemini_is_read_and_a_stream_without_finish_reason_is_no_answer(connect):
    reply = await ask(connect, server_sent(*GEMINI), name="gemini/gemini-2.5-pro")
    assert (reply.text, [made.arguments for made in reply.calls]) == (
        "I look.",
        [{"command": "ls"}],
    )
    with pytest.raises(ModelAnswerInvalid, match="without a finish reason"):
        await ask(connect, server_sent(*GEMINI[:1]), name="gemini/gemini-2.5-pro")


async def test_geminis_refusals_are_read(connect):
    error = {"error": {"code": 429, "message": "Resource exhausted"}}
    turn = Raw(429, json.dumps(error).encode(), {"Retry-After": "5"})
    with pytest.raises(ModelRetryable, match="Resource exhausted") as caught:
        await ask(connect, turn, name="gemini/gemini-2.5-pro")
    assert caught.value.retry_after == 5.0


def ollama_says(*, done):
    at = {"model": "q", "created_at": "2025-01-01T00:00:00Z"}
    made = [{"function": {"name": "bash", "arguments": {"command": word}}} for word in ("a", "b")]
    lines = [
        at | {"message": {"role": "assistant", "content": "So."}, "done": False},
        at | {"message": {"role": "assistant", "content": "", "tool_calls": made}, "done": False},
        at
        | {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        | {"prompt_eval_count": 10, "eval_count": 5},
    ]
    body = "".join(json.dumps(line) + "\n" for line in (lines if done else lines[:1]))
    return Raw(200, body.encode(), {"Content-Type": "application/x-ndjson"})


@pytest.mark.parametrize("prefix", ["ollama", "ollama_chat"])
async def test_ollamas_own_protocol_is_read(connect, prefix):
    with ModelServer([], forever=ollama_says(done=True)) as server:
        model = connect(server.base_url.removesuffix("/v1"), f"{prefix}/q")
        reply = await model.complete(WITH_TOOLS, nobody)
        assert server.requests[0].path == "/api/chat"
    assert reply.model == f"{prefix}/q"
    assert [made.arguments for made in reply.calls] == [{"command": "a"}, {"command": "b"}]
    assert len({made.id for made in reply.calls}) == 2


async def test_ollamas_stream_without_an_end_is_no_answer(connect):
    with ModelServer([], forever=ollama_says(done=False)) as server:
        model = connect(server.base_url.removesuffix("/v1"), "ollama_chat/q")
        with pytest.raises(ModelAnswerInvalid, match="without a finish reason"):
            await model.complete(WITH_TOOLS, nobody)


def responses_say():
    """The events of OpenAI's Responses protocol, which its newest models need for tools."""
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "in_progress",
        "model": "gpt-x",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    made = {"type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "bash"}
    whole = made | {"arguments": '{"command":"ls"}', "status": "completed"}
    usage = {
        "input_tokens": 50,
        "output_tokens": 9,
        "total_tokens": 59,
        "input_tokens_details": {"cached_tokens": 40},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    ended = response | {"status": "completed", "output": [whole], "usage": usage}
    piece = {"item_id": "fc_1", "output_index": 0}
    return (
        {"type": "response.created", "response": response},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": made | {"arguments": "", "status": "in_progress"},
        },
        {"type": "response.function_call_arguments.delta", "delta": '{"command":"ls"}'} | piece,
        {"type": "response.function_call_arguments.done", "arguments": whole["arguments"]} | piece,
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {"type": "response.completed", "response": ended},
    )


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_the_responses_protocol_is_read_and_its_cut_streams_are_no_answers(connect):
    name = "openai/responses/gpt-6.1-sol"
    events = [event | {"sequence_number": at} for at, event in enumerate(responses_say())]
    reply = await ask(connect, server_sent(*events, named=True), name=name)
    assert [(made.id, made.arguments) for made in reply.calls] == [("call_a", {"command": "ls"})]
    assert (reply.usage.input_tokens, reply.usage.cached_tokens) == (50, 40)
    with pytest.raises(ModelRetryable, match="closed the responses stream"):
        await ask(connect, server_sent(*events[:-1], named=True), name=name)


# --- put together --------------------------------------------------------------------------


async def test_a_busy_server_without_tools_is_retried_and_then_spoken_to_in_text(connect):
    async def no_sleep(_seconds):
        return None

    block = "I look.\n\n```tool bash\ncommand: ls\n```"
    script = [model_server.rate_limited("1"), model_server.tools_unsupported(), say(block)]
    heard = []
    with ModelServer(script) as server:
        one = connect(server)
        auto = AutoToolsModel(one, takes_tools=one.takes_tools)
        model = PatientModel([auto], sleep=no_sleep)
        reply = await model.complete(WITH_TOOLS, heard.append)
        assert [len(received.tools) for received in server.requests] == [1, 1, 0]
        assert "- bash(command): Run a command." in server.requests[2].text
    assert (reply.text, [made.arguments for made in reply.calls]) == (
        "I look.",
        [{"command": "ls"}],
    )
    assert isinstance(heard[0], Retrying)


# --- the library ---------------------------------------------------------------------------


async def test_every_default_model_is_listed_with_tools_and_a_window():
    for provider in PROVIDERS:
        if provider.model:
            model = LiteLLMModel(provider.model)
            await model.prepare()
            assert (provider.model, model.takes_tools()) == (provider.model, True)
            assert (model.context_window or 0) >= 100_000


ALONE = """
import asyncio, os, sys
from selfheal_tui.adapters.litellm_model import library
from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.ports import Message, ModelRequest
from selfheal_tui.errors import ModelError

async def ask(base, name):
    model = LiteLLMModel(name, api_base=base)
    try:
        await model.complete(ModelRequest((Message("user", "hi"),)), lambda news: None)
    except ModelError:
        pass
    await model.close()

assert "litellm" not in sys.modules, "imported too early"
for name in sys.argv[2:]:
    asyncio.run(ask(sys.argv[1], name))
assert "litellm" in sys.modules
assert "FROM_DOTENV" not in os.environ, "a .env was read"
"""


async def test_the_library_is_silent_and_reads_no_dotenv(tmp_path):
    """In a process of its own, in a folder as a repository could prepare it."""
    (tmp_path / ".env").write_text("FROM_DOTENV=1\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    events = [event | {"sequence_number": at} for at, event in enumerate(responses_say())]
    script = [
        model_server.wrong_key(),
        model_server.cut(say("x" * 200)),
        server_sent(*events, named=True),
        say("ok"),
    ]
    names = ["openai/x", "openai/x", "openai/responses/gpt-6.1-sol", "openai/x"]
    with ModelServer(script) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ALONE,
            server.base_url,
            *names,
            cwd=tmp_path,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed = await process.communicate()
        assert (process.returncode, printed) == (0, (b"", b""))
        assert len(server.requests) == 4
