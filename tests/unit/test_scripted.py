"""The scripted model that ships."""

from __future__ import annotations

import json

import pytest

from selfheal_tui.adapters.scripted import (
    ScriptedModel,
    Turn,
    call,
    calling,
    fail,
    say,
    script_from_json,
)
from selfheal_tui.agent.ports import (
    Message,
    ModelRequest,
    ReasoningDelta,
    Reply,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from selfheal_tui.errors import ModelError, ModelRetryable, SettingsError


def asking(text="hello", *tools):
    specs = tuple(ToolSpec(name, "", {"type": "object"}) for name in tools)
    return ModelRequest((Message("user", text),), specs)


def nobody(_news):
    """Hears nothing."""


async def test_turns_are_played_in_order_and_streamed_in_pieces():
    heard = []
    model = ScriptedModel([say("hello", reasoning="hmm"), call("bash", command="ls")], piece=3)
    first = await model.complete(asking(), heard.append)
    second = await model.complete(asking("more"), heard.append)
    assert heard == [ReasoningDelta("hmm"), TextDelta("hel"), TextDelta("lo")]
    assert first == Reply("hello", (), Usage(cost=0.0), "scripted", "stop", "hmm")
    made = ToolCall("scripted_1", "bash", {"command": "ls"}, '{"command": "ls"}')
    assert second == Reply("", (made,), Usage(cost=0.0), "scripted", "tool_calls")
    assert model.requests == [asking(), asking("more")]


async def test_several_calls_of_one_answer_have_ids_of_their_own():
    model = ScriptedModel([calling(("a", {}), ("b", {"x": 1})), call("c")])
    first = await model.complete(asking(), nobody)
    second = await model.complete(asking(), nobody)
    assert [made.id for made in (*first.calls, *second.calls)] == [
        "scripted_1",
        "scripted_2",
        "scripted_3",
    ]


async def test_roles_are_told_by_the_tools_on_offer():
    model = ScriptedModel({"planner": [say("p")], "coder": [say("c")], "reviewer": [say("r")]})
    requests = (
        asking("", "read_file", "submit_review"),
        asking("", "bash", "submit"),
        asking("", "bash", "submit_plan"),
    )
    texts = [(await model.complete(request, nobody)).text for request in requests]
    assert texts == ["r", "c", "p"]


async def test_a_step_can_look_at_the_request():
    model = ScriptedModel([lambda request: say(f"you said {request.messages[-1].text}")])
    reply = await model.complete(asking("x"), nobody)
    assert reply.text == "you said x"


async def test_a_turn_can_fail():
    model = ScriptedModel([fail(ModelRetryable("busy")), say("ok")])
    with pytest.raises(ModelRetryable, match="busy"):
        await model.complete(asking(), nobody)
    assert (await model.complete(asking(), nobody)).text == "ok"


async def test_a_script_that_is_used_up_says_so():
    model = ScriptedModel([say("only")], name="demo")
    await model.complete(asking(), nobody)
    with pytest.raises(ModelError, match="demo: the script is used up after 1 turns"):
        await model.complete(asking(), nobody)
    by_role = ScriptedModel({"coder": []})
    with pytest.raises(ModelError, match="the coder's script is used up after 0 turns"):
        await by_role.complete(asking(), nobody)


async def test_pieces_come_with_the_pause_that_is_asked_for():
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    model = ScriptedModel([say("abcd")], piece=2, pause=0.5, sleep=sleep)
    await model.complete(asking(), nobody)
    assert slept == [0.5, 0.5]


async def test_a_script_can_come_from_a_file(tmp_path):
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"coder": [{"text": "x", "calls": [{"name": "submit"}]}]}))
    model = ScriptedModel.from_json(path, name="from-file")
    reply = await model.complete(asking(), nobody)
    assert reply == Reply(
        "x",
        (ToolCall("scripted_1", "submit", {}, "{}"),),
        Usage(cost=0.0),
        "from-file",
        "tool_calls",
    )


def test_a_list_of_turns_is_a_script_too():
    made = ToolCall("", "bash", {"command": "ls"})
    assert script_from_json(
        '[{"reasoning": "r"}, {"calls": [{"name": "bash", "arguments": {"command": "ls"}}]}]'
    ) == [Turn(reasoning="r"), Turn(calls=(made,))]


@pytest.mark.parametrize(
    "text", ["", "{", "3", '["x"]', '[{"words": "x"}]', '[{"calls": [{}]}]', '[{"calls": {}}]']
)
def test_what_is_not_a_script_is_refused(text):
    with pytest.raises(SettingsError, match="not a script of model turns"):
        script_from_json(text)
