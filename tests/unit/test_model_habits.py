"""Documented habits of Ollama and vLLM, played byte by byte: the harness takes each of them.

Ollama: ollama/ollama#15457 and #7881 (index), vLLM: vllm-project/vllm#31871 (calls left in the
text), its "Reasoning Outputs" page (`reasoning`, once `reasoning_content`).
"""

from __future__ import annotations

import json

import pytest

from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.ports import Message, ModelRequest, ToolSpec
from selfheal_tui.agent.runaway import ENDLESS_THINKING, BoundedModel, Patience
from selfheal_tui.agent.textcalls import AutoToolsModel
from selfheal_tui.errors import ModelError
from tests.support.model_server import Answer, Call, ModelServer, Raw, calls, dripped, say
from tests.support.model_server import call as native

BASH = ToolSpec(
    "bash",
    "Run a command.",
    {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
ASKED = ModelRequest((Message("user", "hello"),), (BASH,))
LS = ("bash", {"command": "ls"}, "")
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def delta(finish=None, **fields):
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


def piece(index=0, **fields):
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return delta(tool_calls=[{"index": index, "type": "function", "function": function} | fields])


def stream(*chunks):
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    body = "".join([*lines, "data: [DONE]\n\n"]).encode()
    return Raw(200, body, {"Content-Type": "text/event-stream"})


async def answered(turn, *, bounds=None):
    with ModelServer([turn]) as server:
        model = LiteLLMModel("openai/any", api_base=server.base_url)
        try:
            wrapped = BoundedModel(AutoToolsModel(model), bounds)
            return await wrapped.complete(ASKED, lambda news: None)
        finally:
            await model.close()


def made(reply):
    return [(call.name, call.arguments, call.error) for call in reply.calls]


HABITS = {
    "ollama: whole calls, all at index 0": stream(
        piece(id="a", name="bash", arguments='{"command": "ls"}'),
        piece(id="b", name="bash", arguments='{"command": "ls"}'),
        delta("tool_calls", content=""),
    ),
    "the same ids for two calls": stream(
        piece(0, id="a", name="bash", arguments='{"command": "ls"}'),
        piece(1, id="a", name="bash", arguments='{"command": "ls"}'),
        delta("tool_calls"),
    ),
    "no ids": stream(
        piece(0, name="bash", arguments='{"command": "ls"}'),
        piece(1, name="bash", arguments='{"command": "ls"}'),
        delta("tool_calls"),
    ),
}


@pytest.mark.parametrize("habit", HABITS)
async def test_two_calls_stay_two_with_ids_of_their_own(habit):
    reply = await answered(HABITS[habit])
    assert made(reply) == [LS, LS]
    assert len({call.id for call in reply.calls}) == 2
    assert all(call.id for call in reply.calls)


ONE_CALL = {
    "vllm: no role, an empty name, one letter a piece, usage in a chunk without choices": stream(
        delta(role=None, content=None),
        piece(id="a", name="", arguments=""),
        piece(name="bash", arguments=""),
        *(piece(arguments=letter) for letter in '{"command": "ls"}'),
        delta("tool_calls"),
        {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": USAGE},
    ),
    "finish is stop": stream(
        piece(id="a", name="bash", arguments='{"command": "ls"}'), delta("stop")
    ),
    "arguments are an object": stream(
        piece(id="a", name="bash", arguments={"command": "ls"}), delta("tool_calls")
    ),
    "vllm: hermes tags in the text": say(
        '<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>', piece=3
    ),
    "vllm: mistral marker in the text": say(
        '[TOOL_CALLS][{"name": "bash", "arguments": {"command": "ls"}}]', piece=3
    ),
    "ollama: think tags, then a call in the text": say(
        '<think>rm -rf?</think>\n{"name": "bash", "arguments": {"command": "ls"}}', piece=4
    ),
    "python's quotes": Answer(calls=(Call("bash", "{'command': 'ls',}"),)),
    "the last brace is missing": Answer(calls=(Call("bash", '{"command": "ls"'),)),
    "native and in the text": calls(
        say('<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>'),
        native("bash", command="ls"),
    ),
}


@pytest.mark.parametrize("habit", ONE_CALL)
async def test_one_call_is_one_call(habit):
    assert made(await answered(ONE_CALL[habit])) == [LS]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_thinking_comes_in_either_field(field):
    turn = stream(delta(**{field: "hm"}), delta(content="so"), delta("stop"))
    reply = await answered(turn)
    assert (reply.reasoning, reply.text) == ("hm", "so")


async def test_without_usage_tokens_are_the_librarys_own_count_and_the_cost_is_not_known():
    usage = (await answered(stream(delta(content="hi"), delta("stop")))).usage
    assert usage.input_tokens > 0
    assert (usage.cached_tokens, usage.cost) == (0, None)


@pytest.mark.parametrize("arguments", ['{"command": "ls"', '{"command": "l', ""])
async def test_a_call_at_the_length_limit_is_never_completed(arguments):
    reply = await answered(Answer(calls=(Call("bash", arguments),), finish="length"))
    ((_, given, error),) = made(reply)
    assert (given, error[:31]) == ({}, "the answer was cut at the lengt")


async def test_an_error_in_a_stream_that_began_well_is_an_error():
    broken = {"error": {"message": "the engine died", "type": "BadRequestError", "code": 400}}
    with pytest.raises(ModelError, match="the engine died"):
        await answered(stream(delta(content="I be"), broken))


async def test_endless_thinking_closes_the_connection():
    turn = dripped(say("", reasoning="".join(map(str, range(2000)))), 0.001)
    with ModelServer([turn]) as server:
        model = LiteLLMModel("openai/any", api_base=server.base_url)
        bounded = BoundedModel(model, Patience(characters=50))
        reply = await bounded.complete(ASKED, lambda news: None)
        assert reply.finish == ENDLESS_THINKING
        assert server.disconnected.wait(10)
        await model.close()
