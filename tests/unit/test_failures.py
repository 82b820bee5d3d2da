"""Readers over reports that real runners printed (`outputs/`), and over anything at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT
from selfheal_tui.core.failures.read import read_failures

OUTPUTS = Path(__file__).parent / "outputs"

EXPECTED = {
    "pytest-quiet": (
        {
            "test_a.py::test_plain": ("AssertionError: assert {'a': 1} == {'a': 2}", "test_a.py:6"),
            "test_a.py::TestIt::test_method": ("AssertionError: not two", "test_a.py:3"),
            "test_a.py::test_param[a b]": ("ValueError: bad - thing", "test_a.py:12"),
            "test_a.py::test_param[c-d]": ("ValueError: bad - thing", "test_a.py:12"),
            "test_a.py::test_setup": ("RuntimeError: fixture", "test_a.py:14"),
        },
        1,
    ),
    "pytest-collection": ({"test_b.py": ("", "test_b.py:1")}, 0),
    "unittest": (
        {
            "ut.T.test_error": ("KeyError: 'x'", "ut.py:8"),
            "ut.T.test_fail": ("AssertionError: 1 != 2", "ut.py:6"),
            "ut.T.test_sub": ("AssertionError: 1 != 5", "ut.py:13"),
        },
        1,
    ),
    "node-spec": (
        {
            "adds": ("AssertionError [ERR_ASSERTION]: 2 == 3", "a.test.js:2"),
            "inner fails": ("Error: boom", "a.test.js:5"),
            "rejects": ("TypeError [Error]: nope", "a.test.js:6"),
        },
        1,
    ),
    "cargo": (
        {
            "tests::adds": ("assertion `left == right` failed", "src/lib.rs:4"),
            "tests::panics": ("boom", "src/lib.rs:5"),
        },
        1,
    ),
}
EXPECTED["pytest-verbose"] = EXPECTED["pytest-quiet"]
EXPECTED["unittest-310"] = EXPECTED["unittest"]
EXPECTED["node-tap"] = (
    {
        "adds": ("2 == 3", "a.test.js:2"),
        "inner fails": ("boom", "a.test.js:5"),
        "rejects": ("nope", "a.test.js:6"),
    },
    1,
)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_real_report_is_read(name):
    text = (OUTPUTS / f"{name}.txt").read_text()
    failures, passed = read_failures("check", text, 1, timed_out=False)
    assert ({f.name: (f.message, f.location) for f in failures}, passed) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_exit_0_is_green_whatever_the_text_says(name):
    text = (OUTPUTS / f"{name}.txt").read_text()
    assert read_failures("check", text, 0, timed_out=False)[0] == ()


def test_details_hold_the_runners_own_words():
    text = (OUTPUTS / "pytest-quiet.txt").read_text()
    failures, _ = read_failures("check", text, 1, timed_out=False)
    detail = {failure.name: failure.detail for failure in failures}
    assert "assert x == 2" in detail["test_a.py::TestIt::test_method"]
    assert "fixture" in detail["test_a.py::test_setup"]


def test_a_red_run_that_nobody_knows_ends_with_its_last_words():
    text = "building\nlint: x.c:3: unused\nmake: *** [Makefile:2: lint] Error 1\n"
    (failure,), passed = read_failures("make lint", text, 2, timed_out=False)
    assert (failure.name, failure.message, passed) == (NOT_NAMED, "lint: x.c:3: unused", None)


def test_a_run_that_was_stopped_is_named_so():
    failures, _ = read_failures("pytest", "collecting ...", 124, timed_out=True)
    assert [failure.name for failure in failures] == [TIMED_OUT]


LINES = st.lists(
    st.sampled_from(
        [line for file in sorted(OUTPUTS.glob("*.txt")) for line in file.read_text().splitlines()]
    )
    | st.text(max_size=40),
    max_size=60,
)


@given(LINES, st.integers(0, 255), st.booleans())
def test_no_reader_ever_fails_and_a_red_run_always_names_something(lines, code, timed_out):
    failures, _ = read_failures("check", "\n".join(lines), code, timed_out)
    assert bool(failures) == (code != 0 or timed_out)


@pytest.mark.parametrize(
    "piece",
    [
        "_" * 100, "=" * 100, "FAILED a", "1 failed, " * 10, "not ok 1 - x\n", "\u2716 a", " - ",
        "--- FAIL: a (0.0s)\n", "---- a stdout ----\n", "=" * 70 + "\nFAIL: a\n", "location: '",
        "error: '", "panicked at 'x, ", "test a ... FAILED\n", "____ a ____\n", "1 passed in 1s\n",
        "FAIL\ta [b]\n", "Ran 1 test in \n", "a:1: ", "\u2139 pass 1\n",
    ],
)  # fmt: skip
def test_hostile_reports_take_linear_time(piece):
    text = piece * (1_000_000 // len(piece)) + "\n\u2139 pass 1\nRan 1 test in 1s\n1 failed in 1s\n"
    started = time.perf_counter()
    read_failures("check", text, 1, timed_out=False)
    assert time.perf_counter() - started < 10
