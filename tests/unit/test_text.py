from __future__ import annotations

import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.text import MAX_COLUMNS, cut_middle, fold_terminal, one_line, printable

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@given(ANY_TEXT)
def test_only_printable_text_newline_and_tab_come_out(text):
    for character in printable(text):
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


@given(ANY_TEXT)
def test_printing_twice_changes_nothing_more(text):
    assert printable(printable(text)) == printable(text)


def test_what_could_drive_a_terminal_or_deceive_a_reader_becomes_a_visible_mark():
    assert printable("\x1b]52;c;eA==\x07") == "␛]52;c;eA==␇"
    assert printable("a\u202eb\u200bc\x9b\x7f\U000e0041") == (
        "a‹U+202E›b‹U+200B›c‹U+009B›␡‹U+E0041›"
    )
    assert printable("a\tb\nc") == "a\tb\nc"


def test_a_long_line_is_cut_with_a_mark_that_says_how_much():
    shown = printable("x" * (MAX_COLUMNS + 7) + "\nshort")
    assert shown == "x" * MAX_COLUMNS + " [... 7 more columns]\nshort"


def test_folding_leaves_what_a_terminal_would_show():
    assert fold_terminal("\x1b[31mred\x1b[0m \x1b]0;title\x07ok") == "red ok"
    assert fold_terminal("10 %\r50 %\r100 %\n") == "100 %\n"
    assert fold_terminal("abcdef\rxy") == "xycdef"
    assert fold_terminal("line\r\nnext\r\n") == "line\nnext\n"
    assert fold_terminal("ab\b\bcd") == "cd"


@given(ANY_TEXT)
def test_folding_leaves_no_escape(text):
    assert "\x1b" not in fold_terminal(text)


def test_folding_hostile_text_takes_linear_time():
    hostile = ["\x1b[" * 2_000_000, "\x1b]" * 1_000_000, "x" * 10**6 + "\ry" * 10**6, "\b" * 10**6]
    started = time.perf_counter()
    for text in hostile:
        fold_terminal(text)
    assert time.perf_counter() - started < 20


@given(ANY_TEXT, st.integers(0, 400))
def test_a_cut_keeps_the_limit_and_never_the_end_away(text, limit):
    cut = cut_middle(text, limit)
    assert len(cut) <= max(limit, 0)
    assert text.endswith(cut[-min(len(cut), 10) :]) or len(text) <= limit


def test_a_cut_says_how_much_there_was_and_keeps_two_thirds_for_the_tail():
    text = "\n".join(f"line {number}" for number in range(1000))
    cut = cut_middle(text, 300)
    assert cut.startswith("line 0\n")
    assert cut.endswith("\nline 999")
    assert f"{len(text)} characters in all" in cut
    head, tail = cut.split("[...")
    assert len(head) < len(tail)


def test_one_line_is_one_line():
    assert one_line("a\n  b\tc\x1b", 20) == "a b c␛"
    assert one_line("abcdef", 4) == "abc…"
