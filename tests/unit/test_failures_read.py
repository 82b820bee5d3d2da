"""All readers together: what holds for any output of any check."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import OUTPUTS, recorded

NAMES = sorted(path.name for path in OUTPUTS.iterdir())
REAL_LINES = [line for name in NAMES for line in recorded(name).split("\n")]
LINES = st.lists(st.sampled_from(REAL_LINES) | st.text(max_size=40), max_size=60)


@pytest.mark.parametrize("name", NAMES)
def test_exit_0_is_green_whatever_the_text_says(name):
    assert read_failures("check", recorded(name), 0, timed_out=False)[0] == ()


@given(LINES, st.integers(0, 255), st.booleans())
@settings(max_examples=200)
def test_no_reader_ever_raises_and_a_red_run_always_names_something(lines, code, timed_out):
    failures, passed = read_failures("check", "\n".join(lines), code, timed_out)
    assert bool(failures) == (code != 0 or timed_out)
    assert passed is None or passed >= 0
    assert [failure for failure in failures if not failure.name.strip()] == []
    assert [failure for failure in failures if "\n" in failure.name + failure.message] == []


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_read(output):
    failures, _ = read_failures("check", output.decode("utf-8", "replace"), 1, timed_out=False)
    assert failures != ()


@pytest.mark.parametrize("name", NAMES)
def test_reading_the_same_output_twice_tells_the_same(name):
    text = recorded(name)
    assert read_failures("a", text, 1, False) == read_failures("a", text, 1, False)


def test_progress_bars_and_colours_hide_nothing():
    text = recorded("pytest_quiet.txt")
    drawn = "".join(f"\r{part} %" for part in range(100)) + "\r\x1b[K" + text
    coloured = drawn.replace("FAILED", "\x1b[31mFAILED\x1b[0m").replace("\n", "\r\n")
    assert read_failures("a", coloured, 1, False) == read_failures("a", text, 1, False)


def test_several_runners_in_one_output_are_all_read():
    names = ["pytest_quiet.txt", "node20_tap.txt", "cargo.txt", "go.txt"]
    text = "\n".join(recorded(name) for name in names)
    together, _ = read_failures("make test", text, 1, timed_out=False)
    apart = {
        failure.name
        for name in names
        for failure in read_failures("make test", recorded(name), 1, timed_out=False)[0]
    }
    assert {failure.name for failure in together} == apart


def test_places_are_within_the_tree_wherever_it_stood():
    text = recorded("unittest_311.txt").replace("/work/", "/tmp/elsewhere/")
    moved, _ = read_failures("a", text, 1, False, root="/tmp/elsewhere")
    assert {failure.location for failure in moved} == {
        failure.location
        for failure in read_failures("a", recorded("unittest_311.txt"), 1, False)[0]
    }
    strange, _ = read_failures("a", text, 1, False, root="/work")
    assert {failure.location for failure in strange} == {""}


def test_a_detail_without_end_is_cut_in_its_middle():
    body = "noise\n" * 20_000
    text = f"not ok 1 - a\n{body}last words\n1..1\n"
    (failure,), _ = read_failures("a", text, 1, timed_out=False)
    assert len(failure.detail) <= 8_000
    assert failure.detail.endswith("last words\n1..1") or failure.detail.endswith("last words")


def test_names_come_once_even_if_told_twice():
    text = "TAP version 13\nnot ok 1 - a\nnot ok 2 - a\n1..2\n"
    assert read_failures("a", text, 1, timed_out=False)[0] == (Failure("a"),)


HOSTILE = [
    "_" * 100, "FAILED a", "1 failed, " * 10, "not ok 1 - x\n", " - ", "---- a stdout ----\n",
    "=" * 70 + "\nFAIL: a\n", "error: '", "_ a _\n", "_ ", "a:1: ", "x\n", "  ---\n",
    "    # Subtest: a\n", "FAIL a.js\n  \u25cf b\n", ".py::", "a.py::b FAILED\n", "a\b",
    '  File "a", line 1\n', "<testsuite>", '{"Action":"fail","Package":"a","Test":"a/b"}\n',
    "--- FAIL: a/a/a/a/a/a/a (0.0s)\n", "at (", "at a.b:1:1 ", "  1) a\n", "a b:1: error: ",
    "[ERROR] a(b) -- Time elapsed: 1 s <<< ERROR!\n", "a > ", "A > b FAILED\n", " at a.b.c(",
    "[ERROR] a.java:1:", "\tat a/b/c.d.e(F.java:1)\n", "a.py:1:1: F401 b\n",
    "/a.js\n  1:1  error  b\n",
]  # fmt: skip
MARKS = (
    "\n\u2139 pass 1\nRan 1 test in 1s\n1 failed in 1s\nTAP version 13\n1..1\nFAIL\ta\t1s\n"
    "Tests: 1 failed, 1 total\n Tests  1 failed (1)\n  1 passing (1ms)\n  1 failing\n"
    "50% tests passed, 1 tests failed out of 2\ntest result: FAILED. 1 passed; 1 failed\n"
    "Tests run: 2, Failures: 1, Errors: 0, Skipped: 0\n2 tests completed, 1 failed\n"
    "Found 1 error.\n"
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_reports_of_five_megabytes_take_linear_time(piece):
    text = MARKS + piece * (5_000_000 // len(piece)) + MARKS
    started = time.process_time()
    assert read_failures("make lint", text, 1, timed_out=False)[0] != ()
    # About a second where nothing else runs; a quadratic reader takes minutes.
    assert time.process_time() - started < 10
