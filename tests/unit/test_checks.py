"""Results of a check that is several commands, and what two runs on one tree tell of flaking."""

from __future__ import annotations

from selfheal_tui.core.checks import (
    NOT_NAMED,
    CheckResult,
    Failure,
    flaky_between,
    joined,
    together,
    without,
)
from selfheal_tui.core.environment import Missing


def ran(command, *failing, **fields):
    failures = tuple(Failure(name) for name in failing)
    return CheckResult(command, 1 if failing else 0, 1.5, failures, **fields)


def test_commands_are_shown_as_one_line_that_means_the_same():
    assert joined(["pytest -q"]) == "pytest -q"
    assert joined(["ruff check .", "pytest -q"]) == "ruff check . && pytest -q"
    assert joined(["a; b", "c"]) == "(a; b) && c"
    assert joined([]) == ""


def test_several_are_green_when_all_are():
    both = together([ran("lint"), ran("test", passed=3)])
    assert (both.green, both.command, both.seconds, both.passed) == (True, "lint && test", 3.0, 3)
    assert both.complete


def test_the_first_red_one_gives_the_exit_code_and_all_give_their_names():
    lint, test = ran("lint", "a"), ran("test", "b", "a")
    both = together([lint, test])
    assert (both.exit_code, both.failing, both.red) == (1, {"a", "b"}, lint)
    stopped = together([lint], ["test"])
    assert (stopped.command, stopped.complete, both.complete) == ("lint && test", False, True)


def test_one_command_alone_is_itself():
    assert together([ran("test", "a")]) == ran("test", "a")


def test_what_cannot_start_lacks_something_and_passed_nothing():
    missing = (Missing("module", "yaml", "python"),)
    assert ran("test", "a", missing=missing).cannot_start
    assert not ran("test", "a", missing=missing, passed=2).cannot_start
    assert not ran("test", "a").cannot_start
    assert not ran("test", missing=missing).cannot_start


def test_what_differs_between_two_runs_flakes_where_both_could_name_it():
    assert flaky_between(ran("t", "a", "b"), ran("t", "b", "c")) == {"a", "c"}
    assert flaky_between(ran("t", "a"), ran("t")) == {"a"}
    assert flaky_between(ran("t", "a"), ran("t", NOT_NAMED)) == set()


def test_a_command_that_ran_only_once_tells_nothing_of_flaking():
    whole = together([ran("lint"), ran("test", "a")])
    stopped = together([ran("lint", "l")], ["test"])
    assert flaky_between(whole, stopped) == {"l"}


def test_flaky_tests_are_left_out_unless_nothing_else_is_red():
    assert without(ran("t", "a", "b"), frozenset("a")) == ran("t", "b")
    assert without(ran("t", "a"), frozenset("a")) == ran("t", "a")
