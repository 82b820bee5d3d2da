"""`node --test`: the reporter for people and TAP, as two versions print them; other TAP."""

from __future__ import annotations

import pytest

from selfheal_tui.core.checks import NOT_NAMED, Failure
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, recorded, told

UNREAD = {NOT_NAMED: ("1 test file ended early: not all tests ran", "")}
MISSING = (
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/work/src/nowhere.js'"
    " imported from /work/test/syntax.test.js"
)
PLACES = {
    "test/calc.test.js > adds two # numbers": "test/calc.test.js:11",
    "test/calc.test.js > load > reads a value": "src/calc.js:6",
    "test/calc.test.js > load > when empty > is undefined": "test/calc.test.js:20",
    "test/calc.test.js > parent > child": "test/calc.test.js:28",
    "test/other.test.js > zero": "test/other.test.js:5",
    "test/syntax.test.js": "",
    NOT_NAMED: "",
}
MESSAGES = {
    "node18_tap": "false == true",
    "node20_tap": "The expression evaluated to a falsy value: assert.ok(false)",
    "node18_spec": "AssertionError [ERR_ASSERTION]: false == true",
    "node20_spec": (
        "AssertionError [ERR_ASSERTION]: The expression evaluated to a falsy value:"
        " assert.ok(false)"
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_names_carry_the_file_and_the_tests_around(name):
    found, passed = told(f"{name}.txt")
    assert ({test: place for test, (_, place) in found.items()}, passed) == (PLACES, 2)


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_the_assertions(name):
    prefixes = ("AssertionError [ERR_ASSERTION]: ", "TypeError [Error]: ", "Error: ")
    found, _ = told(f"{name}.txt")
    assert found["test/other.test.js > zero"][0] == MESSAGES[name]
    plain = [message.removeprefix("".join(p for p in prefixes if message.startswith(p)))
             for message, _ in found.values()]  # fmt: skip
    assert [plain[0], plain[1], plain[3]] == [
        "Expected values to be strictly equal: -1 !== 3",
        "Cannot read properties of undefined (reading 'deep')",
        "two",
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_file_that_cannot_be_loaded_tells_why(name):
    found, _ = failures_in(f"{name}.txt")
    assert found["test/syntax.test.js"].message == MISSING
    assert "ERR_MODULE_NOT_FOUND" in found["test/syntax.test.js"].detail
    assert found[NOT_NAMED].message == UNREAD[NOT_NAMED][0]


def test_a_report_that_was_cut_before_its_last_part_still_names_the_tests():
    tree = recorded("node20_spec.txt").partition("\u2716 failing tests:")[0]
    failures, passed = read_failures("node --test", tree, 1, timed_out=False)
    assert [failure.name for failure in failures][:4] == [
        "adds two # numbers", "load > reads a value", "load > when empty > is undefined",
        "parent > child",
    ]  # fmt: skip
    assert passed == 2


def test_other_producers_of_tap_are_read_too():
    text = (
        "1..3\nok 1 adds\nnot ok 2 loads a file\n"
        "# (in test file test/calc.bats, line 7)\n#   `[ 1 -eq 2 ]' failed\n"
        "not ok 3 later # TODO not yet\nok 4 old # SKIP\n"
    )
    assert read_failures("bats test", text, 1, timed_out=False) == (
        (
            Failure(
                "loads a file",
                "`[ 1 -eq 2 ]' failed",
                "test/calc.bats:7",
                "# (in test file test/calc.bats, line 7)\n#   `[ 1 -eq 2 ]' failed",
            ),
        ),
        1,
    )
