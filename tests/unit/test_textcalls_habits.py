"""Calls in text as servers leave them there: Mistral's marker, Hermes' tags, thinking."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.agent.ports import Message, ModelRequest, Reply, ToolCall, ToolSpec, Usage
from selfheal_tui.agent.textcalls import AutoToolsModel, TextToolsModel
from selfheal_tui.agent.textcalls.reader import read_calls, read_stray_calls

BASH = ToolSpec(
    "bash",
    "Run.",
    {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
ASKED = ModelRequest((Message("user", "go"),), (BASH,))
LS = ("bash", {"command": "ls"})
FENCED = "```tool bash\ncommand: ls\n```"


def made(found):
    return [(call.error or call.name, call.arguments) for call in found.calls]


@pytest.mark.parametrize(
    "text",
    [
        '[TOOL_CALLS][{"name": "bash", "arguments": {"command": "ls"}}]',
        'I look.\n[TOOL_CALLS] [{"name": "bash", "arguments": {"command": "ls"}}]',
        '[TOOL_CALLS]bash{"command": "ls"}',
        '[TOOL_CALLS]bash[ARGS]{"command": "ls"}',
        '[TOOL_CALLS]bash[CALL_ID]abc123[ARGS]{"command": "ls"}',
        '<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>',
        '<tool_call>{"name": "bash", "arguments": {"command": "ls"}</tool_call>',
        "<tool_call>{'name': 'bash', 'arguments': {'command': 'ls'}}</tool_call>",
        '<tool_call>{"name": "bash", "arguments": "{\\"command\\": \\"ls\\"}"}</tool_call>',
    ],
)
def test_what_a_server_leaves_in_the_text_is_read(text):
    assert made(read_stray_calls(text, (BASH,))) == [LS]
    assert made(read_calls(text, (BASH,))) == [LS]


def test_several_marked_calls_are_read_in_order():
    text = '[TOOL_CALLS]bash{"command": "ls"}[TOOL_CALLS]bash{"command": "pwd"}'
    assert made(read_stray_calls(text, (BASH,))) == [LS, ("bash", {"command": "pwd"})]


@pytest.mark.parametrize(
    "text",
    [
        '[TOOL_CALLS]bash{"command": "l',
        '[TOOL_CALLS][{"name": "bash", "arguments": {"command": "l',
        '<tool_call>{"name": "bash", "arguments": {"command": "ls"',
    ],
)
def test_a_marked_call_that_is_cut_is_told_and_has_no_arguments(text):
    ((error, arguments),) = made(read_stray_calls(text, (BASH,)))
    assert "cannot be read" in error
    assert arguments == {}


def test_a_marker_in_prose_is_prose():
    text = "Mistral writes [TOOL_CALLS] before a call."
    assert read_stray_calls(text, (BASH,)).calls == ()


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{FENCED}</think>",
        f"So: <think>{FENCED}</think> that is it.",
        f"I might do\n{FENCED}\n</think>\nI will not.",
        "```tool bash\ncommand: ls\n</think>\nI will not.",
        f"Fine. <think>\n{FENCED}",
        '<think><tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call></think>',
        'hm [TOOL_CALLS]bash{"command": "ls"}</think> no',
    ],
)
def test_calls_within_thinking_are_not_made(text):
    assert read_calls(text, (BASH,)).calls == ()
    assert read_stray_calls(text, (BASH,)).calls == ()


@pytest.mark.parametrize(
    "text",
    [
        f"hm</think>\n{FENCED}",
        f"<think>{FENCED}</think>\n{FENCED}",
        f"{FENCED}\n<think>rm?</think>",
    ],
)
def test_a_call_beside_thinking_is_made_once(text):
    assert made(read_calls(text, (BASH,))) == [LS]


def test_a_tag_within_a_call_is_its_content():
    text = "```tool bash\ncommand: <<<\necho '</think>'\n>>>\n```"
    assert made(read_calls(text, (BASH,))) == [("bash", {"command": "echo '</think>'"})]


class Answers:
    name, context_window = "any", None

    def __init__(self, reply):
        self.reply = reply

    async def complete(self, _request, _hear):
        return self.reply


@pytest.mark.parametrize("wrapped", [AutoToolsModel, TextToolsModel])
async def test_a_native_call_and_the_same_in_the_text_are_one_call(wrapped):
    native = ToolCall("x", "bash", {"command": "ls"})
    reply = Reply(FENCED, (native,), Usage(), "any", "tool_calls")
    answered = await wrapped(Answers(reply)).complete(ASKED, lambda news: None)
    assert [(call.name, call.arguments) for call in answered.calls] == [LS]


async def test_a_call_in_thinking_beside_an_answer_is_not_made():
    reply = Reply("Nothing to do.", (), Usage(), "any", "stop", reasoning=FENCED)
    answered = await TextToolsModel(Answers(reply)).complete(ASKED, lambda news: None)
    assert answered.calls == ()


PIECES = ("[TOOL_CALLS]", "<think>", "</think>", "bash", "{", "}", '"', "[", "\n", "```tool bash\n")


@given(st.lists(st.sampled_from((*PIECES, "```\n", "command: ls\n")), max_size=20).map("".join))
@settings(max_examples=200)
def test_any_text_is_taken_and_what_is_unreadable_has_no_arguments(text):
    for found in (read_calls(text, (BASH,)), read_stray_calls(text, (BASH,))):
        assert all(call.arguments == {} for call in found.calls if call.error)


@pytest.mark.parametrize("piece", ["[TOOL_CALLS]", "[TOOL_CALLS]a{", "<think>", "</think>"])
def test_hostile_text_takes_linear_time(piece):
    def seconds(size):
        text = FENCED + piece * (size // len(piece))
        start = time.process_time()
        read_calls(text, (BASH,))
        return time.process_time() - start

    seconds(1000)
    assert seconds(200_000) < 1.0
