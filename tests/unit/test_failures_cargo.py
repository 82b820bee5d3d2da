"""`cargo test`."""

from __future__ import annotations

from selfheal_tui.core.checks import NOT_NAMED
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import told

LIBRARY = {
    "tests::panics": ("note: test did not panic as expected at src/lib.rs:42:8", "src/lib.rs:42"),
    "tests::reads": ("Error: ParseIntError { kind: InvalidDigit }", ""),
    "tests::adds": (
        "assertion `left == right` failed: sum is wrong (left -1, right 3)",
        "src/lib.rs:26",
    ),
    "tests::takes_the_first": ("an empty list", "src/lib.rs:11"),
}


def test_tests_of_the_library_of_integration_crates_and_of_the_documentation_are_named():
    assert told("cargo.txt") == (
        {
            **LIBRARY,
            "api::adds": ("assertion failed: calc::add(2, 2) == 4", "tests/api.rs:3"),
            "src/lib.rs - add (line 3)": (
                "assertion `left == right` failed (left -1, right 3)",
                "src/lib.rs:5",
            ),
        },
        1,
    )


def test_a_run_that_stopped_at_the_first_binary_names_its_failures():
    assert told("cargo_first.txt") == (LIBRARY, 1)


def test_an_error_of_the_compiler_fails_the_whole():
    assert told("cargo_broken.txt") == (
        {NOT_NAMED: ("cannot find value `c` in this scope", "src/lib.rs:7")},
        None,
    )


def test_a_panic_of_older_compilers_and_a_quiet_run_are_read():
    text = (
        "running 2 tests\nF.\nfailures:\n\n---- tests::adds stdout ----\n"
        "thread 'tests::adds' panicked at 'sum is wrong', src/lib.rs:4:5\n\n"
        "failures:\n    tests::adds\n\n"
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    )
    (failure,), passed = read_failures("cargo test -q", text, 101, timed_out=False)
    assert (failure.name, failure.message, failure.location, passed) == (
        "tests::adds",
        "sum is wrong",
        "src/lib.rs:4",
        1,
    )
