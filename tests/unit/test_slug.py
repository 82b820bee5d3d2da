from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.slug import slug, unused_branch


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("Fix the failing tests!", "fix-the-failing-tests"),
        ("Größe prüfen", "groe-prufen"),
        ("../../etc; rm -rf /", "etc-rm-rf"),
        ("  ", "change"),
        ("修复", "change"),
        ("a" * 60, "a" * 40),
        (
            "make every single one of the tests pass again",
            "make-every-single-one-of-the-tests-pass",
        ),
    ],
)
def test_a_slug_is_made_of_the_tasks_words(task: str, name: str) -> None:
    assert slug(task) == name


@given(st.text(max_size=300))
def test_any_task_gives_a_name_that_git_takes(task: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(task))
    assert len(slug(task)) <= 40


@pytest.mark.parametrize(
    ("existing", "name"),
    [
        ([], "selfheal/fix"),
        (["main", "selfheal/other"], "selfheal/fix"),
        (["selfheal/fix"], "selfheal/fix-2"),
        (["selfheal/fix", "selfheal/fix-2", "selfheal/fix-4"], "selfheal/fix-3"),
        (["selfheal/fix/deep"], "selfheal/fix-2"),
        (["selfheal"], "selfheal-fix"),
        (["selfheal", "selfheal-fix"], "selfheal-fix-2"),
    ],
)
def test_a_branch_that_stands_in_the_way_is_counted_past(existing: list[str], name: str) -> None:
    assert unused_branch("Fix", existing) == name
