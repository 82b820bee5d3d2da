from __future__ import annotations

from selfheal_tui.agent.stuck import Watch


def seen(*calls):
    watch = Watch()
    return [watch.see(name, arguments, ok=ok) for name, arguments, ok in calls]


def bash(command):
    return ("bash", {"command": command}, True)


def test_different_calls_are_no_circle():
    assert seen(*(bash(str(number)) for number in range(20))) == [None] * 20


def test_the_same_call_three_times_is_a_nudge_and_then_the_end():
    results = seen(*[bash("ls")] * 6)
    assert [bool(result) for result in results] == [False, False, True, False, False, True]
    assert [result.ends for result in results if result] == [False, True]


def test_two_calls_in_turn_are_a_circle():
    results = seen(*[bash("a"), bash("b")] * 3)
    assert [bool(result) for result in results] == [False] * 5 + [True]


def test_edits_that_keep_failing_are_a_circle():
    results = seen(*(("edit_file", {"old": str(number)}, False) for number in range(4)))
    assert results[:3] == [None] * 3
    assert "read the file again" in results[3].reason


def test_answers_without_a_call_are_a_circle():
    results = seen(("", {}, False), ("", {}, False))
    assert results[0] is None
    assert "without calling a tool" in results[1].reason
