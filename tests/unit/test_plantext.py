"""The plan as text and back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.ui.plantext import as_text, read_items

states = st.sampled_from(["todo", "doing", "done"])
words = st.text(min_size=1).map(lambda text: " ".join(text.split())).filter(bool)
items = st.lists(st.tuples(words, states)).map(tuple)


def test_a_plan_is_one_line_an_item_with_its_state():
    plan = (("Read till.py", "done"), ("Apply the tax", "doing"), ("Run\nthe check", "todo"))
    assert as_text(plan) == "[x] Read till.py\n[>] Apply the tax\n[ ] Run the check"


def test_what_people_type_is_read():
    typed = "[X] one\n  [] two \n- [>] three\n\nfour\n[ ]\n[?] five"
    assert read_items(typed) == (
        ("one", "done"),
        ("two", "todo"),
        ("three", "doing"),
        ("four", "todo"),
        ("[?] five", "todo"),
    )


@settings(max_examples=200)
@given(items)
def test_a_plan_that_nobody_changed_is_read_as_it_was(plan):
    assert read_items(as_text(plan)) == plan


@settings(max_examples=200)
@given(st.text())
def test_whatever_is_typed_becomes_items_with_words_and_a_known_state(text):
    assert all(
        words.strip() and state in ("todo", "doing", "done") for words, state in read_items(text)
    )
