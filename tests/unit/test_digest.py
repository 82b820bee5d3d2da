from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.digest import failure_digest
from selfheal_tui.core.checks import CheckResult, Failure

TEXT = st.text(max_size=200)
FAILURES = st.lists(st.builds(Failure, TEXT, TEXT, TEXT, st.text(max_size=3000)), max_size=60)


def result(*failures, **fields):
    return CheckResult("pytest -q", 1, 2.0, tuple(failures), **fields)


@given(FAILURES, FAILURES, st.integers(200, 5000), TEXT)
def test_a_digest_never_goes_over_its_budget(now, before, budget, output):
    text = failure_digest(result(*now, output=output), result(*before), budget=budget)
    assert len(text.encode("utf-8", "surrogatepass")) <= budget


def test_what_is_new_what_still_fails_and_what_is_fixed_is_told_apart():
    before = result(Failure("a"), Failure("b"))
    text = failure_digest(result(Failure("b", "", "x.py:3", "E assert 1"), Failure("c")), before)
    assert text == (
        "`pytest -q` ended with exit code 1.\n"
        "Failing since your last change (1):\n- c\n"
        "Still failing (1):\n- b\n"
        "Fixed since the last run (1):\n- a\n\n"
        "## b at x.py:3\nE assert 1"
    )


def test_the_same_words_are_told_once():
    text = failure_digest(result(Failure("a", "boom"), Failure("b", "boom")), None)
    assert text.count("boom") == 1
    assert "the same as a" in text


def test_time_and_memory_that_ran_out_are_said_in_words():
    assert "did not end within 2 s" in failure_digest(result(timed_out=True), None)
    assert "ran out of memory" in failure_digest(result(out_of_memory=True), None)


def test_without_a_named_failure_the_output_speaks():
    assert failure_digest(result(output="make: boom"), None).endswith(
        "Its output ends:\nmake: boom"
    )
