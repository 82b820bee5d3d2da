"""What the model is told of a red check: complete, told once, within its budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.digest import BUDGET, failure_digest
from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, CheckResult, Failure, together
from selfheal_tui.core.environment import Missing
from selfheal_tui.core.failures.frames import own_frames
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


def test_what_was_not_run_is_told_as_such_and_not_as_fixed():
    before = result(Failure("a"), Failure("b"), Failure("c"))
    now = replace(result(Failure("b", "assert 1")), asked=frozenset(("a", "b")))
    text = failure_digest(now, before)
    assert "Only tests that failed before were run; all others wait until these pass." in text
    assert "Fixed since the last run (1):\n- a" in text
    assert "Failed before, not run this time (1):\n- c" in text


def test_of_several_commands_the_first_red_one_is_the_verdict():
    lint = CheckResult("ruff check .", 1, 1.0, (Failure("a.py: F401", "F401"),))
    tests = CheckResult("pytest", 1, 1.0, (Failure("t", "no"),), passed=3)
    stopped = together([lint], ["pytest"])
    assert failure_digest(stopped, None).startswith(
        "`ruff check .` ended with exit code 1. Not run after that: `pytest`.\nFailing (1):"
    )
    both = failure_digest(together([lint, tests]), None)
    assert both.startswith("`ruff check .` ended with exit code 1. 3 passed. Red too: `pytest`.")
    assert "- a.py: F401\n- t" in both


def test_what_the_environment_lacks_comes_before_the_names():
    red = result(Failure("a", "no yaml"), missing=(Missing("module", "yaml", "python"),))
    assert "\nThe check cannot start: its environment seems to lack: the Python module yaml.\n" in (
        failure_digest(red, None)
    )
    some = replace(red, passed=4)
    assert "\nThe environment seems to lack: the Python module yaml.\n" in failure_digest(
        some, None
    )


@given(FAILURES, st.integers(512, 5000))
def test_where_the_whole_output_is_stays_said_in_any_budget(failures, budget):
    red = result(*failures, log="/tmp/selfheal/check.log")
    text = failure_digest(red, None, budget=budget)
    assert text.endswith("(the whole output: read_file /tmp/selfheal/check.log)")
    assert len(text.encode("utf-8", "surrogatepass")) <= budget


TRACE = """\
Traceback (most recent call last):
  File "/work/till.py", line 3, in add
    return load(x)
  File "/usr/lib/python3.12/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
  File "/work/.venv/lib/python3.12/site-packages/yaml/x.py", line 1, in y
    deep(
        more)
  File "/work/till.py", line 9, in mend
    raise KeyError(1)
KeyError: 1"""


def test_frames_of_libraries_are_left_out_of_a_trace():
    assert own_frames(TRACE) == (
        "Traceback (most recent call last):\n"
        '  File "/work/till.py", line 3, in add\n'
        "    return load(x)\n"
        "    [... 5 lines of libraries left out ...]\n"
        '  File "/work/till.py", line 9, in mend\n'
        "    raise KeyError(1)\n"
        "KeyError: 1"
    )
    node = (
        "Error: no\n    at add (/work/a.js:1:2)\n    at Module._compile (node:internal/x:1:1)\n"
        "    at run (/work/node_modules/jest/x.js:3:4)\n    at node:internal/main:5:6"
    )
    assert own_frames(node) == (
        "Error: no\n    at add (/work/a.js:1:2)\n    [... 3 lines of libraries left out ...]"
    )
    java = "X: no\n\tat acme.T.a(T.java:1)\n" + "\tat java.base/java.util.A.b(A.java:1)\n" * 4
    assert own_frames(java.rstrip()) == (
        "X: no\n\tat acme.T.a(T.java:1)\n    [... 4 lines of libraries left out ...]"
    )


@given(st.lists(st.sampled_from(TRACE.split("\n")) | st.text(max_size=20), max_size=30))
def test_what_is_no_frame_of_a_library_is_never_left_out(lines):
    text = "\n".join(lines)
    assert len(own_frames(text)) <= len(text) + 60
    if "site-packages" not in text and "/lib/python" not in text:
        assert own_frames(text) == text
