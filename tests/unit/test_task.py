from __future__ import annotations

import pytest

from selfheal_tui.core.task import asks_for_green


@pytest.mark.parametrize(
    "task",
    [
        "fix the tests",
        "Make the tests pass",
        "please fix the failing tests!",
        "make CI green again",
        "heal the build",
        "get the check to pass.",
    ],
)
def test_a_task_that_asks_only_for_green_is_known(task):
    assert asks_for_green(task)


@pytest.mark.parametrize(
    "task",
    [
        "",
        "add a test for empty input",
        "fix the typo in the README",
        "make the tests pass and add logging to the parser",
        "rename total to sum. Then fix the tests",
    ],
)
def test_a_task_that_asks_for_more_is_not(task):
    assert not asks_for_green(task)
