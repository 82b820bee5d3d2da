"""Conversations that are made shorter: by rule, and on whole runs with a small window."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.model import LiteLLMModel
from selfheal_tui.agent.compaction import CUTS, shorter
from selfheal_tui.agent.ports import Message, ToolCall
from selfheal_tui.core.events import AttemptEnded, HistoryCompacted, MessageSent, SessionEnded
from selfheal_tui.settings import LimitSettings
from tests.support import model_server
from tests.support.model_server import ModelServer, call
from tests.support.sessions import Bench

WINDOW = 6_000
"""Tokens; the system prompt and the tools take about 1,500 of them."""

FILES = {
    "check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n",
    "a.txt": "a\n",
    "long.txt": "".join(f"{number}: a line among many others\n" for number in range(150)),
}


def conversation(turns, text="x" * 5_000):
    messages = [Message("system", "You heal."), Message("user", "Task: heal\n\nPlan:\n1. look")]
    for number in range(turns):
        made = ToolCall("same-id", "bash", {"command": f"cat {number}"}, "{}")
        messages.append(Message("assistant", "", (made,)))
        messages.append(Message("tool", f"[exit code {number}]\n{text}\nend", call_id="same-id"))
    return messages


def never(_messages):
    return False


def test_older_results_become_notes_and_the_last_turns_stay_whole():
    before = conversation(8)
    after = shorter(before, lambda _kept: True)
    note = '[bash {"command": "cat 1"}: [exit code 1] ... end; 5018 characters, shortened]'
    assert after[5] == replace(before[5], text=note)
    assert after[6:] == tuple(before[6:])
    assert after[:3] == tuple(before[:3])


def test_a_long_argument_is_cut_and_stays_an_object():
    made = ToolCall("c", "write_file", {"path": "a.py", "content": "y" * 9_000}, '{"long": 1}')
    history = [*conversation(0), Message("assistant", "", (made,)), Message("tool", "ok", (), "c")]
    short = shorter([*history, *conversation(7)[2:]], lambda _kept: True)[2].calls[0]
    assert short.arguments["path"] == "a.py"
    assert len(short.arguments["content"]) <= 200
    assert json.loads(short.raw) == short.arguments


def test_what_is_short_already_is_not_touched_again():
    once = shorter(conversation(8), lambda _kept: True)
    assert shorter(once, lambda _kept: True) == once


def test_the_oldest_turns_are_left_out_where_notes_are_not_enough():
    after = shorter(conversation(8), lambda kept: len(kept) < 10)
    assert after[2] == Message("user", "[5 earlier turns of yours were left out here: bash 5x]")
    assert [message.role for message in after[3:]] == ["assistant", "tool"] * 3


def turn(draw_text):
    calls = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), draw_text), max_size=3)
    return st.tuples(draw_text, calls, st.booleans())


def built(turns):
    messages = [Message("system", "s"), Message("user", "the task")]
    for number, (text, calls, spoke) in enumerate(turns):
        made = tuple(
            ToolCall(f"{name}{at}", "bash", {"c": raw}, raw) for at, (name, raw) in enumerate(calls)
        )
        messages.append(Message("assistant", text, made))
        messages += [Message("tool", c.raw * 3, call_id=c.id) for c in made]
        if spoke or not made:
            messages.append(Message("user", f"word {number}: {text}"))
    return messages


def assert_paired(messages):
    """Each call is answered once, right after the message that makes it, and nothing else is."""
    open_calls = []
    for message in messages:
        if message.role == "tool":
            assert message.call_id == open_calls.pop(0)
            continue
        assert open_calls == []
        open_calls = [made.id for made in message.calls]
    assert open_calls == []


@settings(max_examples=150)
@given(st.lists(turn(st.text(max_size=600)), max_size=12), st.integers(0, len(CUTS)))
def test_pairs_stay_valid_and_every_word_of_role_user_stays(turns, allowed):
    before, asked = built(turns), []
    after = shorter(before, lambda kept: len(asked) >= allowed or asked.append(kept))
    assert_paired(after)
    said = [message for message in before if message.role in ("user", "system")]
    assert [message for message in after if message in said] == said
    assert sum(len(m.text) for m in shorter(before, never)) <= sum(
        len(m.text) for m in before
    ) + 80 * (len(turns) + 1)


# --- whole runs ----------------------------------------------------------------------------


def counted(body):
    """Tokens of a request as the scripted server counts them."""
    return len(json.dumps([body["messages"], body.get("tools")])) // 4


def honest(answer):
    """An answer whose usage is what the request takes; too long a request is refused."""

    def step(body):
        tokens = counted(body)
        if tokens > WINDOW:
            return model_server.context_overflow()
        return replace(answer, usage=(tokens, 20, 0))

    return step


def looking(times):
    return [honest(call("bash", command=f"cat long.txt; echo {at}")) for at in range(times)]


def mending():
    write = honest(call("write_file", path="a.txt", content="b\n"))
    return [write, honest(model_server.submit("Wrote b."))]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    bench.settings = replace(bench.settings, limits=LimitSettings(max_cost=0, max_steps=0))
    yield bench
    bench.store.close()


async def run(bench, server, window=WINDOW, show=None):
    model = LiteLLMModel(
        "openai/scripted", api_base=server.base_url, api_key="k", context_window=window
    )
    try:
        return await bench.session(model, show=show).run()
    finally:
        await model.close()


def assert_prefixes_are_stable(requests, compactions):
    """Each request begins with all of the one before, but after a compaction."""
    pairs = itertools.pairwise(requests)
    breaks = sum(
        later.messages[: len(former.messages)] != former.messages for former, later in pairs
    )
    assert breaks == compactions


async def test_a_long_run_in_a_small_window_keeps_what_counts(bench):
    failing = [
        honest(call("write_file", path="a.txt", content="c\n")),
        honest(model_server.submit("Wrote c.")),
    ]
    session = None

    def show(event):
        bench.events.append(event)
        if isinstance(event, AttemptEnded) and event.number == 1:
            session.say("mind the second line")

    with ModelServer([*looking(8), *failing, *looking(20), *mending()]) as server:
        model = LiteLLMModel(
            "openai/scripted", api_base=server.base_url, api_key="k", context_window=WINDOW
        )
        session = bench.session(model, show=show)
        await session.run()
        await model.close()
    assert bench.outcomes == ["same", "green"]
    assert server.remaining == 0
    compactions = bench.of(HistoryCompacted)
    assert len(compactions) >= 3
    assert all(event.after < event.before for event in compactions)
    assert all(counted(request.json) <= WINDOW for request in server.requests)
    assert_prefixes_are_stable(server.requests, len(compactions))
    last = server.requests[-1].text
    assert "Task: try" in last
    assert "FAIL: no b" in last
    assert [event.text for event in bench.of(MessageSent)] == ["mind the second line"]
    assert "mind the second line" in last
    assert "What your attempts reached so far:\n- attempt 1: 0 of 1 fixed, none broken" in last
    assert last.count("What your attempts reached") == 1
    assert "you said: Wrote c." in last


async def test_a_provider_that_finds_it_too_long_is_asked_once_more_with_less(bench):
    script = [*looking(5), model_server.context_overflow(), *mending()]
    with ModelServer(script) as server:
        await run(bench, server, window=100_000)
    assert bench.outcomes == ["green"]
    assert len(bench.of(HistoryCompacted)) == 1
    refused, again = server.requests[5:7]
    assert counted(again.json) < counted(refused.json) * 0.7


async def test_a_provider_that_always_finds_it_too_long_ends_the_run_honestly(bench):
    with ModelServer([*looking(5)], forever=model_server.context_overflow()) as server:
        end = await run(bench, server, window=100_000)
    assert (end.exit_code, len(server.requests)) == (5, 7)
    assert "larger than the model's context" in end.text


async def test_a_first_request_that_cannot_fit_is_not_sent(bench):
    with ModelServer([]) as server:
        end = await run(bench, server, window=500)
    assert (end.exit_code, server.requests) == (5, [])
    assert "choose a model with a larger context" in bench.of(SessionEnded)[0].text
