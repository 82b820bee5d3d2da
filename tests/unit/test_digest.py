"""What the model is told of a red check: complete, told once, within its budget."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.digest import BUDGET, failure_digest
from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, CheckResult, Failure
from selfheal_tui.core.failures.read import read_failures

OUTPUTS = Path(__file__).parent / "outputs"
TEXT = st.text(max_size=200)
FAILURES = st.lists(st.builds(Failure, TEXT, TEXT, TEXT, st.text(max_size=3000)), max_size=60)


def result(*failures, **fields):
    return CheckResult("pytest -q", 1, 2.0, tuple(failures), **fields)


@given(FAILURES, FAILURES, st.integers(0, 5000), TEXT)
def test_a_digest_never_goes_over_its_budget(now, before, budget, output):
    text = failure_digest(result(*now, output=output), result(*before), budget=budget)
    assert len(text.encode("utf-8", "surrogatepass")) <= budget


def test_a_single_failure_is_told_whole():
    failure = Failure("a.py::b", "assert 1 == 2", "a.py:3", "def b():\n>   assert 1 == 2\n")
    assert failure_digest(result(failure, passed=4), None) == (
        "`pytest -q` ended with exit code 1. 4 passed.\n"
        "Failing (1):\n- a.py::b\n\n"
        "## a.py::b at a.py:3\n"
        "assert 1 == 2\n"
        "def b():\n>   assert 1 == 2"
    )


def test_what_is_new_what_still_fails_and_what_is_fixed_is_told_apart():
    before = result(Failure("a"), Failure("b"))
    now = result(Failure("b", "assert 1", "x.py:3"), Failure("c", "KeyError: 1"))
    assert failure_digest(now, before) == (
        "`pytest -q` ended with exit code 1.\n"
        "Failing since your last change (1):\n- c\n"
        "Still failing (1):\n- b\n"
        "Fixed since the last run (1):\n- a\n\n"
        "## c\nKeyError: 1\n\n"
        "## b at x.py:3\nassert 1"
    )


def test_the_same_failures_as_before_are_said_to_be_so():
    red = result(Failure("a", "boom"))
    assert "Failing, as in the last run (1):\n- a" in failure_digest(red, red)


def test_fifty_tests_that_fail_the_same_way_are_told_once():
    why = "ModuleNotFoundError: No module named 'yaml'"
    failures = [Failure(f"t{number}.py", why, f"t{number}.py:1") for number in range(50)]
    text = failure_digest(result(*failures), None)
    assert text.count(why) == 1
    assert "## t0.py at t0.py:1 (and 49 more, the same way)" in text
    assert "- and 25 more" in text


def test_short_words_at_two_places_are_two_failures():
    failures = (Failure("a", "assert False", "a.py:1"), Failure("b", "assert False", "b.py:1"))
    text = failure_digest(result(*failures), None)
    assert text.endswith("## a at a.py:1\nassert False\n\n## b at b.py:1\nassert False")


def test_a_long_report_is_cut_in_its_middle_and_short_ones_are_not():
    long = Failure("long", "", "", "first line\n" + "noise\n" * 5000 + "E  assert 1 == 2")
    short = Failure("short", "KeyError: 'x'", "a.py:1", "detail of the short one")
    text = failure_digest(result(long, short), None)
    assert "first line" in text
    assert "E  assert 1 == 2\n\n## short at a.py:1\nKeyError: 'x'\ndetail of the short one" in text
    assert "characters left out" in text
    assert BUDGET - 200 < len(text) <= BUDGET


def test_more_ways_to_fail_than_fit_are_counted():
    failures = [Failure(f"t{number}", f"assert {number} == 0" * 30) for number in range(40)]
    text = failure_digest(result(*failures), None)
    assert "more ways to fail are not shown)" in text
    assert "## t0" in text


def test_time_and_memory_that_ran_out_are_said_in_words():
    stopped = result(Failure(TIMED_OUT, "it was still running"), timed_out=True)
    assert failure_digest(stopped, None).startswith(
        "`pytest -q` did not end within 2 s and was stopped.\n"
    )
    killed = CheckResult("make", 137, 2.0, (Failure(NOT_NAMED, "Killed"),), out_of_memory=True)
    assert failure_digest(killed, None) == (
        "`make` ended with exit code 137. It ran out of memory.\n"
        f"Failing (1):\n- {NOT_NAMED}\n\n## {NOT_NAMED}\nKilled"
    )


def test_without_a_named_failure_the_output_speaks():
    assert failure_digest(result(output="make: boom\n"), None).endswith(
        "Its output ends:\nmake: boom"
    )


def test_a_real_report_tells_every_assertion_within_the_budget():
    output = (OUTPUTS / "pytest_native.txt").read_text()
    failures, passed = read_failures("check", output, 1, timed_out=False)
    text = failure_digest(result(*failures, passed=passed, output=output), None)
    assert [failure.name for failure in failures if failure.message not in text] == []
    assert [failure.name for failure in failures if failure.location not in text] == []
    assert len(text.encode()) <= BUDGET


@given(FAILURES)
def test_the_same_result_gives_the_same_words(failures):
    red = result(*failures)
    assert failure_digest(red, None) == failure_digest(red, None)
