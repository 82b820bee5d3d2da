from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.ledger import Ledger, Standing, State
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


def partial(attempt, *failing, asked=None, not_run=()):
    made = state(attempt, *failing)
    asked = None if asked is None else frozenset(asked)
    return replace(made, result=replace(made.result, asked=asked, not_run=tuple(not_run)))


def test_a_state_that_was_not_checked_as_a_whole_is_never_the_best():
    ledger = Ledger(state(0, "a", "b", "c"))
    assert ledger.add(partial(1, "a", asked=("a", "b", "c"))) == "same"
    assert ledger.add(partial(2, "lint", not_run=("pytest",))) == "same"
    assert ledger.best == ledger.baseline
    assert ledger.add(state(3, "a", "b")) == "better"
    assert ledger.best.attempt == 3


def test_what_surely_is_worse_is_told_as_worse_though_not_all_ran():
    ledger = Ledger(state(0, "a", "b"))
    ledger.add(state(1, "a"))
    assert ledger.add(partial(2, "a", "b", asked=("a", "b"))) == "worse"


def test_a_result_could_be_the_best_only_when_it_is_better_as_far_as_it_ran():
    ledger = Ledger(state(0, "a", "b"))
    assert ledger.could_be_best(partial(1, "a", asked=("a", "b")).result)
    assert not ledger.could_be_best(partial(1, "a", "b", asked=("a", "b")).result)
    assert not ledger.could_be_best(partial(1, NOT_NAMED, not_run=("x",)).result)


def test_a_standing_says_what_is_fixed_broken_and_left():
    ledger = Ledger(state(0, "a", "b", "c"))
    assert ledger.standing(state(1, "c").result) == Standing(("a", "b"), (), ("c",))
    assert ledger.standing(state(1, "c").result).words == "2 of 3 fixed, none broken"
    assert ledger.standing(state(1, "c", "d").result).words == "2 of 3 fixed, 1 broken: d"


def test_what_was_lost_is_told_by_name_and_bounded():
    ledger = Ledger(state(0, "a"))
    broken = state(1, "a", *(f"t{number:02}" for number in range(12)))
    assert ledger.lost(broken, ledger.best) == (
        "12 tests fail that passed there: "
        + ", ".join(f"t{n:02}" for n in range(10))
        + " and 2 more"
    )
    assert "could not run them" in ledger.lost(state(1, NOT_NAMED), ledger.best)


NAMES = st.frozensets(st.sampled_from("abcdef"), max_size=6)


@given(NAMES.filter(bool), st.lists(st.tuples(NAMES.filter(bool), st.booleans()), max_size=6))
def test_the_best_is_never_worse_than_the_baseline_nor_than_any_whole_state(before, runs):
    ledger = Ledger(state(0, *sorted(before)))
    for number, (failing, whole) in enumerate(runs, 1):
        made = state(number, *sorted(failing))
        asked = None if whole else frozenset(failing)
        ledger.add(replace(made, result=replace(made.result, asked=asked)))
    whole_states = [one for one in ledger.states if one.result.complete]
    assert ledger.best in whole_states
    assert all(ledger.score(ledger.best.result) <= ledger.score(one.result) for one in whole_states)
