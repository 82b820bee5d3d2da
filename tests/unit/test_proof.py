"""The proof card as it is kept: what was written is read again, anything else is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.events import ProposalMade
from selfheal_tui.core.proof import Proof, card_lines, recorded_card
from selfheal_tui.ui.screens.card import card_pairs, mass_deletion_of, taken_out, warnings_of

PROOF = Proof(
    tree="t",
    base="b",
    verified=True,
    command="pytest",
    exit_code=0,
    check_seconds=1,
    before=("a", "b"),
    after=(),
    flaky=(),
    sandbox="docker",
    image="i",
    network="none",
    attempt=1,
    attempts=3,
    seconds=2.5,
    cost=0.0,
    model="m",
    files=(("a.py", 1, 2),),
    findings=(("a.py", 3, "skip", "one is skipped"),),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def test_what_was_written_is_read_again():
    assert Proof.from_json(PROOF.to_json()) == PROOF


@settings(max_examples=200)
@given(st.sampled_from([*json.loads(PROOF.to_json()), "more"]), ANYTHING)
def test_a_proof_that_was_changed_by_hand_is_read_or_refused_in_words(field, value):
    text = json.dumps(json.loads(PROOF.to_json()) | {field: value})
    try:
        lines = card_lines(Proof.from_json(text))
    except ValueError as error:
        lines = [f"verdict   {error}"]
    assert recorded_card(text) == lines


BROKEN = {
    "nothing": "",
    "half an object": "{",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "no fields": "{}",
    "a list without end": "[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_approval_is_told_that_nothing_proves_it_where_its_card_cannot_be_read(name):
    proposal = ProposalMade("t", "w", BROKEN[name], "", "m")
    assert card_pairs(proposal) == [("verdict", "the proof card cannot be read")]
    assert warnings_of(proposal) == ("NOT VERIFIED: the proof card cannot be read",)
    assert taken_out(proposal) == ()
    assert mass_deletion_of(proposal) == "the proof card cannot tell what is deleted"
