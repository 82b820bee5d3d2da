from __future__ import annotations

from selfheal_tui.agent.ledger import Ledger, State
from selfheal_tui.core.checks import NOT_NAMED, CheckResult, Failure


def state(attempt, *failing, exit_code=1):
    failures = tuple(Failure(name) for name in failing)
    return State(attempt, f"tree{attempt}", CheckResult("check", exit_code, 1.0, failures))


def test_fewer_failing_tests_are_better_and_the_best_is_kept():
    ledger = Ledger(state(0, "a", "b"))
    assert ledger.add(state(1, "a")) == "better"
    assert ledger.add(state(2, "a", "b", "c")) == "worse"
    assert ledger.best == state(1, "a")


def test_a_broken_test_weighs_more_than_one_that_still_fails():
    ledger = Ledger(state(0, "a", "b"))
    assert ledger.add(state(1, "b", "new")) == "worse"
    assert ledger.best == ledger.baseline


def test_green_is_the_exit_code_and_nothing_else():
    ledger = Ledger(state(0, "a"))
    assert ledger.add(state(1, exit_code=0)) == "green"
    assert ledger.best.attempt == 1


def test_named_failures_are_better_than_a_check_that_does_not_start():
    ledger = Ledger(state(0, NOT_NAMED))
    assert ledger.add(state(1, "a", "b", "c")) == "better"
    assert ledger.add(state(2, NOT_NAMED)) == "worse"


def test_the_earliest_of_equals_is_the_best():
    ledger = Ledger(state(0, "a", "b"))
    ledger.add(state(1, "a"))
    assert ledger.add(state(2, "b")) == "same"
    assert ledger.best.attempt == 1
