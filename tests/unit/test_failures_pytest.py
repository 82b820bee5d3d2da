"""pytest's report, in every style of traceback and summary that it has."""

from __future__ import annotations

import pytest

from selfheal_tui.core.checks import NOT_NAMED, Failure
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, recorded, told

JSON_ERROR = (
    "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes:"
    " line 1 column 2 (char 1)"
)
LONG = "AssertionError: assert {'name': 'aaa...3, 4, 5, ...]} == {'name': 'bbb...bbbbbbbbbbbb'}"
FAILED = {
    "tests/test_calc.py::test_add": ("AssertionError: sum is wrong", "tests/test_calc.py:18"),
    "tests/test_calc.py::test_load[a - b]": ("KeyError: 'a - b'", "src/calc.py:13"),
    "tests/test_calc.py::test_load[x[0]]": ("KeyError: 'x[0]'", "src/calc.py:13"),
    "tests/test_calc.py::TestRatio::test_by_zero": (
        "ZeroDivisionError: division by zero",
        "src/calc.py:6",
    ),
    "tests/test_calc.py::test_long": (LONG, "tests/test_calc.py:59"),
    "tests/test_other.py::test_add": (JSON_ERROR, "tests/test_other.py:5"),
    "tests/test_calc.py::test_fixture": ("RuntimeError: no database", "tests/test_calc.py:8"),
    "tests/test_calc.py::test_teardown": ("OSError: still open", "tests/test_calc.py:41"),
}


@pytest.mark.parametrize(
    "style", ["quiet", "default", "verbose", "short", "native", "color", "no_summary"]
)
def test_every_style_of_report_tells_names_messages_and_places(style):
    assert told(f"pytest_{style}.txt") == (FAILED, 4)


def test_names_and_cut_messages_are_left_where_tracebacks_are_one_line():
    found, passed = told("pytest_line.txt")
    assert list(found) == list(FAILED)
    assert found["tests/test_calc.py::TestRatio::test_by_zero"] == (
        "ZeroDivisionError: divis...",
        "",
    )
    assert passed == 4


def test_two_tests_of_one_name_keep_each_its_own_report():
    found, _ = failures_in("pytest_quiet.txt")
    assert "assert add(1, 2) == 3" in found["tests/test_calc.py::test_add"].detail
    assert 'json.loads("{")' in found["tests/test_other.py::test_add"].detail


def test_captured_output_is_in_the_detail_but_is_no_assertion():
    failure = failures_in("pytest_quiet.txt")[0]["tests/test_calc.py::test_add"]
    assert failure.detail.endswith("adding\nE       this is no assertion")
    assert failure.message == "AssertionError: sum is wrong"


def test_the_progress_lines_of_xdist_name_what_failed():
    found, passed = told("pytest9_xdist.txt")
    assert (set(found), passed) == (set(FAILED), 4)


def test_files_that_cannot_be_collected_are_named_and_that_nothing_ran():
    assert told("pytest_collection.txt") == (
        {
            "tests/test_import.py": (
                "ModuleNotFoundError: No module named 'nowhere'",
                "tests/test_import.py:1",
            ),
            "tests/test_syntax.py": ("SyntaxError: invalid syntax", "tests/test_syntax.py:1"),
            NOT_NAMED: ("pytest stopped after 2 errors during collection: no test ran", ""),
        },
        0,
    )


def test_subtests_are_named_with_their_labels_and_their_parent_is_not_blamed_twice():
    assert told("pytest9_subtests.txt") == (
        {
            "tests/test_sub.py::test_numbers [is even] (number=1)": (
                "assert (1 % 2) == 0",
                "tests/test_sub.py:7",
            ),
            "tests/test_sub.py::test_numbers (number=2)": ("assert 2 != 2", "tests/test_sub.py:9"),
            "tests/test_sub.py::TestOld::test_many [pairs] (number=1)": (
                "AssertionError: 1 != 0",
                "tests/test_sub.py:16",
            ),
        },
        1,
    )


def test_a_doctest_tells_what_it_expected():
    assert told("pytest9_doctest.txt") == (
        {"tests/test_doc.py::test_doc.add": ("expected 3, got -1", "tests/test_doc.py:3")},
        0,
    )


def test_a_run_within_make_is_read_all_the_same():
    found = {"tests/test_calc.py::test_add": ("assert -1 == 3", "tests/test_calc.py:5")}
    assert told("make_pytest.txt") == (found, 0)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("pytest_nothing.txt", ("13 deselected in 1.35s", "")),
        (
            "pytest_conftest.txt",
            ("ModuleNotFoundError: No module named 'nowhere'", "conftest.py:1"),
        ),
        (
            "pytest_crash.txt",
            (".Fatal Python error: Segmentation fault", "tests/test_crash.py:10"),
        ),
        ("pytest_missing.txt", ("/usr/local/bin/python3: No module named pytest", "")),
    ],
)
def test_a_run_that_came_to_no_test_fails_as_a_whole(name, failure):
    assert told(name)[0] == {NOT_NAMED: failure}


def test_logged_lines_that_look_like_a_summary_name_nothing():
    text = (
        "____ test_a ____\n\n    def test_a():\n>       assert 0\nE       assert 0\n\n"
        "a.py:2: AssertionError\n---- Captured log call ----\nERROR    root:a.py:1 FAILED b\n"
        "ERROR nothing.py\n"
        "==== short test summary info ====\nFAILED a.py::test_a - assert 0\n1 failed in 0.01s\n"
    )
    failures, passed = read_failures("pytest", text, 1, timed_out=False)
    assert [failure.name for failure in failures] == ["a.py::test_a"]
    assert passed == 0


def test_several_runs_in_one_output_are_counted_together():
    text = recorded("pytest_quiet.txt") + recorded("make_pytest.txt")
    failures, passed = read_failures("tox", text, 1, timed_out=False)
    assert [failure.name for failure in failures] == list(FAILED)
    assert passed == 4


def test_the_detail_is_the_runners_own_section():
    text = (
        "==== FAILURES ====\n____ test_a ____\n\n"
        ">   assert 0\nE   assert 0\n\na.py:2: AssertionError\n"
        "==== short test summary info ====\nFAILED a.py::test_a - assert 0\n1 failed in 0.01s\n"
    )
    assert read_failures("pytest", text, 1, timed_out=False)[0] == (
        Failure(
            "a.py::test_a",
            "assert 0",
            "a.py:2",
            ">   assert 0\nE   assert 0\n\na.py:2: AssertionError",
        ),
    )
