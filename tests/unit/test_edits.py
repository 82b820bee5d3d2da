from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.agent.edits import Edited, EditFailed, edit

LINES = st.text("ab \t\n", max_size=60)


@given(LINES, LINES, LINES, LINES)
def test_an_exact_edit_is_a_plain_replacement(before, middle, after, new):
    old = f"<{middle}>"
    assert edit(before + old + after, old, new) == Edited(before + new + after)


@given(LINES, st.text("ab \n", min_size=1, max_size=12), LINES)
def test_an_edit_changes_nothing_outside_the_match(content, old, new):
    result = edit(content, old, new)
    if isinstance(result, Edited) and result.note:
        lines, wanted = content.splitlines(), old.strip("\r\n").splitlines()
        stripped = [line.strip() for line in lines]
        start = next(
            at
            for at in range(len(lines))
            if stripped[at : at + len(wanted)] == [line.strip() for line in wanted]
        )
        after = result.content.splitlines()
        assert after[:start] == lines[:start]
        rest = lines[start + len(wanted) :]
        assert after[len(after) - len(rest) :] == rest


def test_several_matches_are_refused_with_their_lines_unless_all_is_asked():
    content = "x = 1\ny = 2\nx = 1\n"
    failed = edit(content, "x = 1", "x = 3")
    assert isinstance(failed, EditFailed)
    assert "lines 1, 3" in failed.reason
    assert edit(content, "x = 1", "x = 3", every=True) == Edited("x = 3\ny = 2\nx = 3\n")


def test_indentation_that_is_off_is_shifted_to_the_files_own():
    content = "class A:\n    def f(self):\n        return 1\n"
    result = edit(
        content, "def f(self):\n    return 1", "def f(self):\n    if x:\n        return 2"
    )
    assert isinstance(result, Edited)
    assert result.content == ("class A:\n    def f(self):\n        if x:\n            return 2\n")
    assert "white space" in result.note


def test_blanks_at_line_ends_and_line_endings_are_tolerated_and_kept():
    result = edit("a = 1  \r\nb = 2\r\n", "a = 1\nb = 2", "a = 3\nb = 4")
    assert isinstance(result, Edited)
    assert result.content == "a = 3\r\nb = 4\r\n"


def test_two_tolerant_matches_are_not_guessed_between():
    failed = edit("  x\ny\n    x\n", "\tx", "z")
    assert isinstance(failed, EditFailed)
    assert "lines 1, 3" in failed.reason


def test_lines_whose_indentation_differs_in_itself_do_not_match():
    failed = edit("if a:\n    b\n    c\n", "if a:\n    b\nc", "x")
    assert isinstance(failed, EditFailed)


def test_something_near_is_shown_with_its_lines():
    failed = edit("def total(prices):\n    return sum(prices)\n", "def total(price):", "x")
    assert isinstance(failed, EditFailed)
    assert "    1  def total(prices):" in failed.reason


def test_nothing_to_find_and_nothing_to_do_are_said():
    assert isinstance(edit("a", "", "b"), EditFailed)
    assert isinstance(edit("a", "a", "a"), EditFailed)


def test_a_large_file_does_not_hang_the_search():
    content = "".join(f"value_{number} = {number}\n" for number in range(60_000))
    started = time.perf_counter()
    assert isinstance(edit(content, "valeu_x = y\nz", "x"), EditFailed)
    assert time.perf_counter() - started < 20
