"""The conversation with one role: what is appended, and what a call is known by."""

from __future__ import annotations

from selfheal_tui.agent.history import History
from selfheal_tui.agent.ports import Reply, ToolCall, Usage


def answer(*ids):
    calls = tuple(ToolCall(name, "bash", {"command": name}) for name in ids)
    return Reply("", calls, Usage(), "m", "tool_calls")


def test_ids_that_a_server_repeats_become_ids_of_their_own():
    history = History("system")
    kept = [history.assistant(answer("a", "b")), history.assistant(answer("a", "a"))]
    assert [[call.id for call in reply.calls] for reply in kept] == [["a", "b"], ["a_2", "a_3"]]
    assert [[call.id for call in message.calls] for message in history.messages] == [
        [], ["a", "b"], ["a_2", "a_3"],
    ]  # fmt: skip


def test_a_number_that_a_compaction_frees_for_a_second_time_is_not_taken_twice():
    history = History("system")
    for number in range(1, 4):
        history.assistant(answer(f"text_{number}"))
        history.tool(f"text_{number}", "done")
    history.compact((history.messages[0], *history.messages[3:]))
    assert history.assistant(answer("text_3")).calls[0].id == "text_3_2"
