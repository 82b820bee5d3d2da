"""The edit ladder: what is replaced, what is tolerated, and what is refused with a hint."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from selfheal_tui.agent.edits import Edited, EditFailed, edit

TEXT = st.text("ab \t\n", max_size=60)
CRLF_TEXT = st.lists(st.sampled_from(["a", "b", " ", "\t", "\n", "\r\n"]), max_size=40).map("".join)
INDENTED = "class A:\n    def f(self):\n        return 1\n"
BLANKS_NOTE = "`old` matched at line {} but for white space; the file's own was kept"
ENDINGS_NOTE = "`old` matched but for line endings; the file's own were kept"


@given(TEXT, TEXT, TEXT, TEXT)
def test_an_exact_edit_is_a_plain_replacement(before, middle, after, new):
    old = f"<{middle}>"
    assert edit(before + old + after, old, new) == Edited(before + new + after)


@given(TEXT, st.text("ab\n", min_size=1, max_size=3), TEXT)
def test_every_exact_match_is_replaced_as_python_does_it(content, old, new):
    assume(old in content and old != new)
    assert edit(content, old, new, every=True) == Edited(content.replace(old, new))


BLANKS = st.text(" ", max_size=3)
OTHER_LINES = st.lists(st.text("ab \t", max_size=6), max_size=4)


@given(
    OTHER_LINES,
    st.lists(st.tuples(BLANKS, BLANKS), min_size=1, max_size=4),
    OTHER_LINES,
    st.lists(BLANKS, max_size=4),
    st.tuples(BLANKS, BLANKS),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_tolerant_edit_changes_exactly_its_lines(before, matched, after, new, shift, ending):
    off, on = shift
    here = [f"{on}{indent}m{number}{trail}" for number, (indent, trail) in enumerate(matched)]
    old = [f"{off}{indent}m{number}" for number, (indent, _) in enumerate(matched)]
    wanted = [f"{off}{indent}n" for indent in new]
    expected = [f"{on}{indent}n" for indent in new]
    # `old` may start within a line, so that it stands there exactly: then nothing is shifted.
    assume(len(off) >= len(on) or off == on)
    assume("\n".join(old) not in "\n".join(here))

    def text(lines):
        return "".join(line + ending for line in lines)

    result = edit(
        text([*before, *here, *after]),
        "".join(line + "\n" for line in old),
        "".join(line + "\n" for line in wanted),
    )
    assert isinstance(result, Edited)
    assert result.content == text([*before, *expected, *after])


@given(CRLF_TEXT, st.text(max_size=20), TEXT, st.booleans())
def test_any_edit_ends_with_an_edit_or_a_sentence(content, old, new, every):
    match edit(content, old, new, every=every):
        case Edited(changed, _):
            assert isinstance(changed, str)
        case EditFailed(reason):
            assert reason.startswith("`old` ")


def test_several_matches_are_refused_with_their_lines_unless_all_is_asked():
    content = "x = 1\ny = 2\nx = 1\n"
    assert edit(content, "x = 1", "x = 3") == EditFailed(
        "`old` stands 2 times (lines 1, 3); add lines around it, or set `all`"
    )
    assert edit(content, "x = 1", "x = 3", every=True) == Edited("x = 3\ny = 2\nx = 3\n")


def test_many_matches_show_the_first_lines_only():
    failed = edit("x\n" * 9, "x", "y")
    assert failed == EditFailed(
        "`old` stands 9 times (lines 1, 2, 3, 4, 5, ...); add lines around it, or set `all`"
    )


@pytest.mark.parametrize(
    ("content", "old", "new", "changed", "line"),
    [
        pytest.param(
            INDENTED,
            "def f(self):\n    return 1",
            "def f(self):\n    if x:\n        return 2",
            "class A:\n    def f(self):\n        if x:\n            return 2\n",
            2,
            id="less than the file's",
        ),
        pytest.param(
            "def f():\n    return 1\n",
            "    def f():\n        return 1\n",
            "    def f():\n        if x:\n            return 2\n",
            "def f():\n    if x:\n        return 2\n",
            1,
            id="more than the file's",
        ),
        pytest.param(
            "if a:\n        b()\n",
            "\tb()\n",
            "\tif c:\n\t\tb()\nd()\n",
            "if a:\n        if c:\n        \tb()\n       d()\n",
            2,
            id="less than what is taken off",
        ),
        pytest.param(
            "func f() {\n\tif a {\n\t\tb()\n\t}\n}\n",
            "    if a {\n        b()\n    }\n",
            "    if a {\n        if c {\n            b()\n        }\n    }\n",
            "func f() {\n\tif a {\n\t\tif c {\n\t\t\tb()\n\t\t}\n\t}\n}\n",
            2,
            id="blanks for a file with tabs",
        ),
        pytest.param(
            "all:\n\tone\n\ttwo\n",
            "one\ntwo",
            "one\n  more\ntwo",
            "all:\n\tone\n\t\tmore\n\ttwo\n",
            2,
            id="two blanks a level for a file with tabs",
        ),
        pytest.param("a = 1  \n\nb = 2\n", "a = 1\n\nb = 2", "a = 3", "a = 3\n", 1, id="line ends"),
        pytest.param("a\nb", "b\n", "c\n", "a\nc", 2, id="no end of the last line"),
        pytest.param("a\nb \nc\n", "b\n", "", "a\nc\n", 2, id="deleted lines"),
        pytest.param("a\n  b\nc\n", "\n\nb\n\n", "\n\nx\n\n", "a\n  x\nc\n", 2, id="blank around"),
        pytest.param("a \r\nb\r\n", "a\nb\n", "c\nd\n", "c\r\nd\r\n", 1, id="all at once"),
    ],
)
def test_white_space_is_tolerated_where_one_place_fits(content, old, new, changed, line):
    assert edit(content, old, new) == Edited(changed, BLANKS_NOTE.format(line))


@pytest.mark.parametrize(
    ("content", "old", "new", "changed"),
    [
        ("a = 1\r\nb = 2\r\n", "a = 1\nb", "a = 3\nb", "a = 3\r\nb = 2\r\n"),
        ("x\r\na\r\nb\r\n", "a\nb\n", "c\n", "x\r\nc\r\n"),
        ("a\nb\r\nc\n", "a\nb\nc", "d\ne", "d\ne\n"),
        ("a\nb\n", "a\r\nb", "c\r\nd", "c\nd\n"),
    ],
)
def test_line_endings_are_tolerated_and_the_files_own_kept(content, old, new, changed):
    assert edit(content, old, new) == Edited(changed, ENDINGS_NOTE)


def test_every_match_despite_line_endings_is_replaced():
    content = "a\r\nb\r\n--\r\na\r\nb\r\n"
    assert edit(content, "a\nb", "c\nd", every=True) == Edited(
        "c\r\nd\r\n--\r\nc\r\nd\r\n", ENDINGS_NOTE
    )
    assert edit(content, "a\nb", "c") == EditFailed(
        "`old` stands 2 times (lines 1, 4); add lines around it, or set `all`"
    )


def test_new_lines_in_an_exact_edit_get_the_files_ending():
    assert edit("a\r\nb\r\n", "a", "c\nd") == Edited("c\r\nd\r\nb\r\n")
    assert edit("a\nb\n", "a", "c\r\nd") == Edited("c\nd\nb\n")
    assert edit("a\nb\r\n", "a", "c\nd") == Edited("c\nd\nb\r\n")


def test_two_tolerant_matches_are_not_guessed_between():
    assert edit("  x\ny\n    x\n", "\tx", "z") == EditFailed(
        "`old` is not there exactly; but for white space it stands at lines 1, 3:"
        " copy one of them exactly"
    )


def test_lines_whose_indentation_differs_in_itself_do_not_match():
    failed = edit("if a:\n    b\n    c\n", "if a:\n    b\nc", "x")
    assert isinstance(failed, EditFailed)


def test_white_space_within_a_line_is_not_tolerated():
    assert isinstance(edit("a  = 1\n", "a = 1", "a = 2"), EditFailed)


def test_blanks_alone_match_nothing():
    assert isinstance(edit("a\n \nb\n", "  \n\n", "x"), EditFailed)


def test_something_near_is_shown_with_its_lines():
    content = "import os\n\n\ndef total(prices):\n    return sum(prices)\n"
    assert edit(content, "def total(price):", "x") == EditFailed(
        "`old` is not in the file; did you mean\n"
        "    4  def total(prices):\n"
        "    5      return sum(prices)\n"
        "    6  "
    )


def test_the_place_where_most_lines_stand_is_near_even_if_the_first_line_is_not():
    content = "".join(f"value_{number} = {number}\n" for number in range(100))
    failed = edit(content, "something else\nvalue_50 = 50\nvalue_51 = 51\n", "x")
    assert "   50  value_49 = 49\n   51  value_50 = 50\n" in failed.reason


def test_line_numbers_that_were_copied_along_are_named():
    failed = edit("a = 1\nb = 2\n", "    1  a = 1\n    2  b = 3", "x")
    assert failed == EditFailed(
        "`old` is not in the file: leave out the line numbers that read_file shows"
    )


def test_nothing_near_is_said_so():
    assert edit("alpha\nbeta\n", "zzz qqq", "x") == EditFailed(
        "`old` is not in the file, nor anything like it; read the file again"
    )


def test_nothing_to_find_and_nothing_to_do_are_said():
    assert edit("a", "", "b") == EditFailed("`old` is empty; to make a file use write_file")
    assert edit("a", "a", "a") == EditFailed("`old` and `new` are the same")


LARGE = {
    "many lines alike": (
        "".join(f"value_{number} = {number}\n" for number in range(60_000)),
        "valeu_x = y\nz",
    ),
    "one long line": ("x" * 1_000_000, "xy" * 1000),
    "equal lines": ("a\n" * 500_000, " a\n" * 1000 + "b"),
    "equal lines, another end": ("a\n" * 500_000, "\ta\n" * 1000 + "\t\ta"),
    "many words": ("a b c d e f\n" * 90_000, "a b c d e g\n" * 500),
    "empty lines": ("\r\n" * 500_000, "\n\n\n\n\n x"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_does_not_hang_the_search(name):
    content, old = LARGE[name]
    started = time.process_time()
    assert isinstance(edit(content, old, "x"), EditFailed)
    assert time.process_time() - started < 5
