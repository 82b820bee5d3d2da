"""Text from outside: what may reach a terminal, what a terminal would show, and cuts."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfheal_tui.core.text import MAX_COLUMNS, cut_middle, fold_terminal, one_line, printable

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
TERMINAL_TEXT = st.text(st.sampled_from("ab\r\b\n\x1b[]\\KP0;2\x07\x9b\x9c\x9d\x00 "), max_size=40)

VISIBLE_FORMATS = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
VISIBLE_FORMATS |= {"\U000110bd", "\U000110cd"}


def is_fit(character: str) -> bool:
    """Newline, tab, and what has a glyph of its own: format characters have none but a few."""
    category = unicodedata.category(character)
    return character in "\n\t" or (
        category not in ("Cc", "Cs", "Zl", "Zp")
        and (category != "Cf" or character in VISIBLE_FORMATS)
    )


@given(ANY_TEXT)
def test_only_printable_text_newline_and_tab_come_out(text):
    assert [character for character in printable(text) if not is_fit(character)] == []


def test_no_single_character_slips_through():
    everything = "".join(map(chr, range(0x110000)))
    assert {character for character in printable(everything) if not is_fit(character)} == set()


@given(ANY_TEXT)
@example("x" * 5000)
@example("\u4e00" * 1999 + "\x1b")
@example("e" + "\u0301" * 5000)
def test_printing_twice_changes_nothing_more(text):
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("a\u202eb\u200bc\x9b\x7f\U000e0041", "a‹U+202E›b‹U+200B›c‹U+009B›␡‹U+E0041›"),
        ("a\u2028b\u2029c\x85d\ufeff", "a‹U+2028›b‹U+2029›c‹U+0085›d‹U+FEFF›"),
        ("\ufdd0a\U0001ffff\U0010fffe", "‹U+FDD0›a‹U+1FFFF›‹U+10FFFE›"),
        ("\r\b\x00\ud800", "␍␈␀‹U+D800›"),
        ("a\tb\nc é 漢 🙂", "a\tb\nc é 漢 🙂"),
    ],
)
def test_what_could_drive_a_terminal_or_deceive_a_reader_becomes_a_visible_mark(text, shown):
    assert printable(text) == shown


def test_a_long_line_is_cut_to_the_limit_with_a_mark():
    shown = printable("x" * (MAX_COLUMNS + 7) + "\nshort")
    mark = " [... cut: a line of 2007 characters]"
    assert shown == "x" * (MAX_COLUMNS - len(mark)) + mark + "\nshort"
    assert printable("x" * MAX_COLUMNS) == "x" * MAX_COLUMNS


def test_wide_characters_count_as_two_columns():
    fits, over = "漢" * (MAX_COLUMNS // 2), "漢" * (MAX_COLUMNS // 2 + 1)
    assert printable(fits) == fits
    cut = printable(over)
    assert cut.endswith(" [... cut: a line of 1001 characters]")
    assert MAX_COLUMNS - 2 <= len(cut) + cut.count("漢") <= MAX_COLUMNS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07ok", "red ok"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;sixel\nmore\x1b\\after", "after"),
        ("\x1b]0;no end\nFAILED a.py::b\n", "0;no end\nFAILED a.py::b\n"),
        ("\x9b31mred\x9b0m", "red"),
        ("10 %\r50 %\r100 %\n", "100 %\n"),
        ("abcdef\rxy", "xycdef"),
        ("downloading\r\x1b[Kdone", "done"),
        ("downloading\x1b[2Kdone", "done"),
        ("abc\rx\x1b[K", "x"),
        ("line\r\nnext\r\n", "line\nnext\n"),
        ("ab\b\bcd", "cd"),
        ("abc\b", "abc"),
        ("|\b/\b-\bdone", "done"),
        ("abc\b \b", "ab "),
        ("abc\rd\b\be", "ebc"),
        ("bell\x07 nul\x00 so\x0e", "bell nul so"),
        ("form\x0cfeed", "form\nfeed"),
    ],
)
def test_folding_leaves_what_a_terminal_would_show(text, shown):
    assert fold_terminal(text) == shown


@given(TERMINAL_TEXT | ANY_TEXT)
def test_folding_leaves_no_control_but_newline_and_tab(text):
    folded = fold_terminal(text)
    assert [c for c in folded if unicodedata.category(c) == "Cc" and c not in "\n\t"] == []


@given(TERMINAL_TEXT | ANY_TEXT)
def test_folding_twice_changes_nothing_more(text):
    assert fold_terminal(fold_terminal(text)) == fold_terminal(text)


@given(st.lists(st.text("abc", max_size=6), min_size=1, max_size=6))
def test_both_ways_of_folding_a_line_agree(parts):
    line = "\r".join(parts)
    # A backspace at the very start moves nothing, but takes the other way.
    assert fold_terminal("\b" + line) == fold_terminal(line)


@pytest.mark.parametrize(
    "piece",
    [
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x9d",
        "\x1b]x\x9d",
        "y\r",
        "\b",
        "a\b",
        "\x1b[K\r",
        "\x1b[2K",
        "漢",
    ],
)
def test_a_flood_of_anything_is_folded_and_printed_in_linear_time(piece):
    text = piece * (2_000_000 // len(piece))
    started = time.process_time()
    printable(fold_terminal(text))
    assert time.process_time() - started < 5


@given(ANY_TEXT, st.integers(-5, 400))
def test_a_cut_keeps_the_limit_and_the_end(text, limit):
    cut = cut_middle(text, limit)
    assert len(cut) <= max(limit, 0) or cut == text
    assert text.endswith(cut[-min(len(cut), 10) :]) or cut == text


def test_a_cut_says_how_much_is_left_out_and_keeps_two_thirds_for_the_tail():
    text = "\n".join(f"line {number}" for number in range(1000))
    cut = cut_middle(text, 300)
    head, tail = "\n".join(text.split("\n")[:12]), "\n".join(text.split("\n")[-19:])
    left_out = len(text) - len(head) - len(tail)
    assert cut == f"{head}\n[... {left_out} characters left out ...]\n{tail}"
    assert 250 < len(cut) <= 300


def test_a_cut_says_it_in_the_callers_words():
    assert "characters are in the log" in cut_middle("x" * 500, 100, "are in the log")


def test_a_limit_too_small_for_words_keeps_the_end():
    assert cut_middle("abcdefgh", 3) == "fgh"


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("a\n  b\tc\x1b", 20, "a b c␛"),
        ("abcdef", 4, "abc…"),
        ("abcdef", 0, ""),
        ("a\u2028b", 9, "a b"),
    ],
)
def test_one_line_is_one_line(text, limit, line):
    assert one_line(text, limit) == line


@given(ANY_TEXT, st.integers(0, 100))
def test_one_line_keeps_the_limit(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
