"""jest, vitest and mocha."""

from __future__ import annotations

from selfheal_tui.core.checks import NOT_NAMED
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, recorded, told

DEEP = "TypeError: Cannot read properties of undefined (reading 'deep')"
UNREAD = {NOT_NAMED: ("1 test file could not be run", "")}


def test_jest_names_files_blocks_and_tests():
    assert told("jest.txt") == (
        {
            "test/calc.test.js > adds": (
                "expect(received).toBe(expected) // Object.is equality, Expected: 3, Received: -1",
                "test/calc.test.js:9",
            ),
            "test/calc.test.js > load > reads a value": (DEEP, "calc.js:2"),
            "test/calc.test.js > load > when empty > is undefined": (
                "expect(received).toEqual(expected) // deep equality",
                "test/calc.test.js:18",
            ),
            "test/other.test.js > adds": ("two", "test/other.test.js:2"),
            "test/syntax.test.js": (
                "Cannot find module '../nowhere' from 'test/syntax.test.js'",
                "test/syntax.test.js:1",
            ),
            **UNREAD,
        },
        1,
    )


def test_what_a_test_printed_is_no_failure_of_jest():
    assert "Console" not in " ".join(failures_in("jest.txt")[0])


def test_jests_second_telling_of_every_failure_counts_once():
    text = recorded("jest.txt").replace(
        "Test Suites:", "Summary of all failing tests\n" + recorded("jest.txt") + "Test Suites:", 1
    )
    failures, _ = read_failures("npm test", text, 1, timed_out=False)
    assert [failure.name for failure in failures] == list(failures_in("jest.txt")[0])


def test_vitest_names_files_blocks_and_tests():
    assert told("vitest.txt") == (
        {
            "test/syntax.test.js": (
                "Error: Cannot find module '../nowhere' imported from /work/test/syntax.test.js",
                "test/syntax.test.js:1",
            ),
            "test/calc.test.js > adds": (
                "AssertionError: expected -1 to be 3 // Object.is equality",
                "test/calc.test.js:10",
            ),
            "test/calc.test.js > load > reads a value": (DEEP, "calc.js:2"),
            "test/calc.test.js > load > when empty > is undefined": (
                "AssertionError: expected { a: 1 } to deeply equal { a: 2 }",
                "test/calc.test.js:19",
            ),
            "test/other.test.js > adds": ("Error: two", "test/other.test.js:3"),
            **UNREAD,
        },
        1,
    )


def test_vitests_headers_that_share_an_error_are_all_named():
    text = (
        " FAIL  a.test.js > one\n FAIL  a.test.js > two\nError: boom\n \u276f a.test.js:3:1\n\n"
        "\u23af\u23af\u23af\u23af\n\n Test Files  1 failed (1)\n      Tests  2 failed (2)\n"
    )
    failures, _ = read_failures("vitest run", text, 1, timed_out=False)
    assert [(failure.name, failure.message, failure.location) for failure in failures] == [
        ("a.test.js > one", "Error: boom", "a.test.js:3"),
        ("a.test.js > two", "Error: boom", "a.test.js:3"),
    ]


def test_mocha_names_blocks_tests_and_hooks():
    assert told("mocha.txt") == (
        {
            "add > sums": ("AssertionError [ERR_ASSERTION]: -1 == 3", "test/calc.test.js:6"),
            "add > load > reads a value": (DEEP, "calc.js:2"),
            'hooks > "before each" hook for "never runs"': (
                "Error: no database",
                "test/calc.test.js:13",
            ),
        },
        1,
    )
