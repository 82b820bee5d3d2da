"""A conversation that goes in circles is nudged once, then it ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.stuck import Stuck, Watch

SAME_LS = (
    "You called bash 3 times with the same arguments; its answer will not change."
    " Do something else."
)
SILENT = ("", {}, False)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["bash", "edit_file", "read_file", ""]),
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
        st.booleans(),
    ),
    max_size=60,
)


def seen(*calls):
    watch = Watch()
    return [watch.see(name, arguments, ok=ok) for name, arguments, ok in calls]


def bash(command):
    return ("bash", {"command": command}, True)


def failing_edit(number):
    return ("edit_file", {"path": "a.py", "old": str(number)}, False)


def test_different_calls_are_no_circle():
    assert seen(*(bash(str(number)) for number in range(20))) == [None] * 20


def test_the_same_call_three_times_is_a_nudge_and_the_next_circle_the_end():
    assert seen(*[bash("ls")] * 6) == [
        None, None, Stuck(SAME_LS, ends=False), None, None, Stuck(SAME_LS, ends=True),
    ]  # fmt: skip


def test_the_order_of_arguments_makes_no_other_call():
    calls = [
        ("read_file", {"path": "a", "start": 1}, True),
        ("read_file", {"start": 1, "path": "a"}, True),
        ("read_file", {"path": "a", "start": 1}, True),
    ]
    assert seen(*calls)[-1] is not None


def test_the_same_call_with_another_between_is_no_circle():
    assert seen(bash("ls"), bash("ls"), bash("cat a"), bash("ls"), bash("ls")) == [None] * 5


def test_two_calls_in_turn_are_a_circle_after_three_rounds():
    assert seen(*[bash("a"), bash("b")] * 3) == [None] * 5 + [
        Stuck("You go back and forth between the same two calls; do something else.", ends=False)
    ]


def test_testing_after_each_different_edit_is_no_circle():
    calls = [
        call
        for number in range(8)
        for call in (("edit_file", {"new": str(number)}, True), bash("pytest"))
    ]
    assert seen(*calls) == [None] * 16


def test_four_edits_that_fail_are_a_circle_whatever_is_read_between():
    calls = [call for number in range(4) for call in (failing_edit(number), bash(str(number)))]
    results = seen(*calls)
    assert results[:6] == [None] * 6
    assert results[6] == Stuck(
        "Your last 4 edits failed; read the file again and copy the lines exactly,"
        " or write the whole file.",
        ends=False,
    )


def test_an_edit_that_works_starts_the_count_anew():
    calls = [*map(failing_edit, range(3)), ("edit_file", {}, True), *map(failing_edit, range(3))]
    assert seen(*calls) == [None] * 7


def test_two_answers_without_a_call_are_a_circle():
    nudge = Stuck("You answered 2 times without calling a tool; call one.", ends=False)
    assert seen(SILENT, SILENT) == [None, nudge]
    assert seen(SILENT, bash("ls"), SILENT) == [None] * 3


def test_a_second_circle_of_another_kind_ends_the_attempt_too():
    results = seen(*[bash("ls")] * 3, SILENT, SILENT)
    assert [result.ends for result in results if result] == [False, True]


@given(CALLS)
def test_only_the_first_circle_is_a_nudge(calls):
    ends = [result.ends for result in seen(*calls) if result]
    assert ends == [number > 0 for number in range(len(ends))]
