"""The report of Python's unittest, as five versions print it."""

from __future__ import annotations

import pytest

from selfheal_tui.core.checks import NOT_NAMED
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, told

FAILED = {
    "tests.test_bad": ("ModuleNotFoundError: No module named 'nowhere'", "tests/test_bad.py:1"),
    "tests.test_calc.TestLoad.test_json": (
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes:"
        " line 1 column 2 (char 1)",
        "tests/test_calc.py:41",
    ),
    "tests.test_calc.TestLoad.test_word": ("KeyError: 'word'", "calc.py:13"),
    "tests.test_calc.TestSetUp": ("OSError: no database", "tests/test_calc.py:47"),
    "tests.test_calc.TestAdd.test_lists": (
        "AssertionError: Lists differ: [1, 2, 3] != [1, 2, 4]",
        "tests/test_calc.py:21",
    ),
    "tests.test_calc.TestAdd.test_many [pairs] (number=1)": (
        "AssertionError: 0 != 2",
        "tests/test_calc.py:18",
    ),
    "tests.test_calc.TestAdd.test_many [pairs] (number=2)": (
        "AssertionError: 0 != 4",
        "tests/test_calc.py:18",
    ),
    "tests.test_calc.TestAdd.test_sum": ("AssertionError: -1 != 3", "tests/test_calc.py:13"),
}
UNEXPECTED = {
    "tests.test_calc.TestAdd.test_unexpected": (
        "it passed, but is marked as expected to fail",
        "",
    )
}
UNREAD = {NOT_NAMED: ("2 modules could not be set up: not all tests ran", "")}


@pytest.mark.parametrize("version", ["38", "310"])
def test_older_pythons_do_not_name_what_passed_unexpectedly(version):
    assert told(f"unittest_{version}.txt") == (FAILED | UNREAD, 1)


@pytest.mark.parametrize("version", ["311", "313", "verbose"])
def test_newer_pythons_do(version):
    assert told(f"unittest_{version}.txt") == (FAILED | UNEXPECTED | UNREAD, 1)


def test_a_docstring_is_no_part_of_the_detail_and_words_like_a_header_end_nothing():
    found, _ = failures_in("unittest_311.txt")
    assert found["tests.test_calc.TestAdd.test_sum"].detail.startswith("Traceback (most recent")
    assert found["tests.test_calc.TestAdd.test_lists"].detail.endswith("FAIL: not a test (x)")


def test_a_green_run_counts_what_passed():
    text = "....s\n" + "-" * 70 + "\nRan 5 tests in 0.001s\n\nOK (skipped=1)\n"
    assert read_failures("python -m unittest", text, 0, timed_out=False) == ((), 4)
