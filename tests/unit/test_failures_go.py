"""`go test`, plain, with -v and with -json."""

from __future__ import annotations

import json

import pytest

from selfheal_tui.core.checks import NOT_NAMED
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, told

FAILED = {
    "example.com/calc.TestAdd": ("Add(1, 2) = -1, want 3", "calc_test.go:14"),
    "example.com/calc.TestTable/one_two": ("bad one two", "calc_test.go:22"),
    "example.com/calc/parse.TestAdd": ("same name, other package", "parse/parse_test.go:5"),
    "example.com/calc/parse.TestFirst": (
        "panic: runtime error: index out of range [0] with length 0 [recovered]",
        "parse/parse.go:3",
    ),
    "example.com/calc/broken": ("undefined: nothing", "broken/broken.go:3"),
    NOT_NAMED: ("2 packages did not build or ended early: not all tests ran", ""),
}


@pytest.mark.parametrize(("name", "passed"), [("go", None), ("go_verbose", 2), ("go_json", 2)])
def test_tests_are_named_with_their_package(name, passed):
    assert told(f"{name}.txt") == (FAILED, passed)


@pytest.mark.parametrize("name", ["go", "go_verbose", "go_json"])
def test_the_detail_holds_what_the_test_printed(name):
    found, _ = failures_in(f"{name}.txt")
    assert "second line" in found["example.com/calc.TestTable/one_two"].detail
    assert "same name" not in found["example.com/calc.TestAdd"].detail


def test_an_assertion_of_testify_is_the_message():
    text = (
        "--- FAIL: TestA (0.00s)\n    a_test.go:9: \n"
        "        \tError Trace:\t/work/a_test.go:9\n        \tError:      \tNot equal: \n"
        "FAIL\nFAIL\texample.com/a\t0.1s\n"
    )
    (failure,), _ = read_failures("go test ./...", text, 1, timed_out=False)
    assert (failure.name, failure.message) == ("example.com/a.TestA", "Not equal:")


def test_a_package_that_exits_by_itself_fails_as_a_whole():
    text = "boom\nexit status 3\nFAIL\texample.com/a\t0.1s\n"
    (failure,), _ = read_failures("go test", text, 1, timed_out=False)
    assert (failure.name, failure.message) == ("example.com/a", "boom")


def test_events_that_are_no_events_are_passed_over():
    lines = [
        "{", "[]", json.dumps({"Action": "fail"}), json.dumps({"Action": ["fail"], "Package": "p"}),
        json.dumps({"Action": "fail", "Package": "p", "Test": "TestA"}),
    ]  # fmt: skip
    failures, _ = read_failures("go test -json", "\n".join(lines), 1, timed_out=False)
    assert [failure.name for failure in failures] == ["p.TestA"]
