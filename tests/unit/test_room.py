"""The room that a conversation has: what is refused, and what is learned for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import ScriptedModel, call
from selfheal_tui.agent.history import History
from selfheal_tui.agent.loop import Conversations, Finished, Role
from selfheal_tui.agent.ports import Reply, ToolCall, Usage
from selfheal_tui.agent.room import Fill, Room
from selfheal_tui.agent.steering import Steering
from selfheal_tui.agent.toolbox import Toolbox, final
from selfheal_tui.core.events import HistoryCompacted
from selfheal_tui.core.limits import Budget
from selfheal_tui.errors import ContextOverflow


def room(history, window):
    model = ScriptedModel([], context_window=window)
    told = []
    made = Room(role="coder", model=model, tools=(), history=history, fill=Fill(), emit=told.append)
    return made, told


def test_a_guess_of_the_tokens_refuses_nothing():
    history = History("x" * 4_000)
    made, told = room(history, 1_000)
    made.make()
    assert told == []


def test_what_the_provider_counted_refuses():
    history = History("x" * 4_000)
    made, _ = room(history, 1_000)
    made.took(Usage(1_300, 10), history.messages)
    with pytest.raises(ContextOverflow, match="choose a model with a larger context"):
        made.make()


def test_a_call_that_alone_fills_the_window_is_shortened_rather_than_the_end():
    history = History("system")
    long = {"path": "a.txt", "content": "y" * 40_000}
    history.assistant(Reply("", (ToolCall("1", "write_file", long),), Usage(), "m", ""))
    history.tool("1", "wrote a.txt")
    made, told = room(history, 4_000)
    made.make()
    assert [type(event) for event in told] == [HistoryCompacted]
    (kept,) = history.messages[1].calls
    assert kept.arguments["path"] == "a.txt"
    assert len(kept.arguments["content"]) < 3_000


async def test_a_conversation_that_goes_on_knows_what_its_tokens_are():
    """What takes few tokens by the provider's count is not shortened again by a guess."""
    told = []
    done = Toolbox([final("done", "End.", summary="string")])
    counted = replace(call("done", summary="x"), usage=Usage(260, 10))
    model = ScriptedModel([counted, call("done", summary="y")], context_window=1_600)
    talk = Conversations(
        session="s", workspace=None, budget=Budget(0, 0), emit=told.append, steering=Steering()
    )
    history = History("system")
    history.user("x" * 1_000)
    role = Role("coder", model, done)
    talk._call = lambda _number, role, asked: role.toolbox.run(asked)
    assert isinstance(await talk.converse(role, history), Finished)
    history.user("z" * 3_000)
    assert isinstance(await talk.converse(role, history), Finished)
    assert [event for event in told if isinstance(event, HistoryCompacted)] == []
