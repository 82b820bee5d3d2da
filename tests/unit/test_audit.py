"""The chain of the audit log, and what becomes a record: pure values."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.audit import (
    BROKEN,
    START,
    Break,
    Head,
    Heads,
    Record,
    canonical,
    chain,
    verify,
)
from selfheal_tui.core.audited import (
    Before,
    Entry,
    bare_url,
    entry_of,
    hunks_since_commit,
    is_audited,
    open_intents,
)
from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Committed,
    HunksRefused,
    ProposalMade,
    PushStarted,
    SandboxOpened,
    SessionEnded,
    SessionStarted,
    StepEnded,
    StepStarted,
    Warned,
)

TEXT = st.text(max_size=12)
FIELDS = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.booleans(), st.lists(TEXT)))
TIMES = st.floats(allow_nan=False, allow_infinity=False)
CONTENTS = st.lists(st.tuples(TIMES, TEXT, TEXT, FIELDS.map(canonical)), min_size=1, max_size=6)


def chained(contents):
    records: list[Record] = []
    for content in contents:
        head = records[-1].head if records else Head()
        records.append(chain(head, *content))
    return records


def end(records):
    return records[-1].head if records else Head()


def heads(records):
    return Heads(end(records))


THREE = chained([(float(n), "s1", f"kind {n}", canonical({"n": n})) for n in (1, 2, 3)])


@given(CONTENTS)
@settings(max_examples=100, deadline=None)
def test_what_was_written_is_whole(contents):
    records = chained(contents)
    assert verify(records, heads(records)) == end(records)


@given(CONTENTS, st.data())
@settings(max_examples=200, deadline=None)
def test_any_change_of_any_field_is_detected_at_its_record(contents, data):
    records = chained(contents)
    place = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(Record)]))
    was = getattr(records[place], name)
    values = {int: st.integers(), float: TIMES, str: TEXT}[type(was)]
    # -0.0 equals 0.0, yet is another number.
    value = data.draw(values.filter(lambda new: repr(new) != repr(was)))
    changed = [*records]
    changed[place] = replace(records[place], **{name: value})
    found = verify(changed, heads(records))
    assert isinstance(found, Break)
    assert found.number == place + 1


@given(CONTENTS, st.data())
@settings(max_examples=100, deadline=None)
def test_a_removed_record_is_detected_also_the_last_ones(contents, data):
    records = chained(contents)
    place = data.draw(st.integers(0, len(records) - 1))
    many = data.draw(st.integers(1, len(records) - place))
    rest = records[:place] + records[place + many :]
    found = verify(rest, heads(records))
    assert isinstance(found, Break)
    assert found.number == place + 1


@given(CONTENTS, st.data())
@settings(max_examples=100, deadline=None)
def test_another_order_is_detected_however_the_numbers_are_mended(contents, data):
    records = chained(contents)
    other = data.draw(
        st.permutations(records).filter(lambda given: given != records or len(given) < 2)
    )
    if other == records:
        return
    assert isinstance(verify(other, heads(records)), Break)
    numbered = [replace(record, number=n) for n, record in enumerate(other, 1)]
    assert isinstance(verify(numbered, heads(records)), Break)


@given(CONTENTS, st.data())
@settings(max_examples=100, deadline=None)
def test_an_inserted_record_is_detected_even_when_it_fits_the_one_before_it(contents, data):
    records = chained(contents)
    place = data.draw(st.integers(0, len(records)))
    before = records[place - 1].head if place else Head()
    forged = chain(before, 1.0, "s1", "approval", canonical({"by": "user"}))
    rest = [replace(record, number=record.number + 1) for record in records[place:]]
    found = verify([*records[:place], forged, *rest], heads(records))
    assert isinstance(found, Break)
    assert found.number in (place + 1, place + 2)


def test_a_whole_new_chain_is_detected_by_the_head_that_was_kept():
    other = chained([(1.0, "s1", "kind", "{}")] * 3)
    assert verify(other, heads(THREE)) == Break(3, "it is not the one that the log's head names")


@pytest.mark.parametrize(
    ("records", "kept", "found"),
    [
        ([], None, Head()),
        ([], Heads(Head(), THREE[0].head), Head()),
        (THREE[:1], Heads(Head(), THREE[0].head), THREE[0].head),
        (THREE, None, Break(3, "its head, which is kept beside the log, is missing")),
        ([], heads(THREE), Break(1, "it is missing: the log had 3 records")),
        (
            THREE,
            heads(THREE[:2]),
            Break(3, "it was added by something else: the log's head knows nothing of it"),
        ),
        (THREE[1:], heads(THREE), Break(1, "it is missing: record 2 comes in its place")),
    ],
    ids=[
        "an empty log has no head",
        "killed before the first record was written",
        "killed before the first record was confirmed",
        "the head was removed",
        "everything was removed",
        "a record was added by hand",
        "the first one was removed",
    ],
)
def test_the_end_of_the_log_is_held_against_its_head(records, kept, found):
    assert verify(records, kept) == found


def test_a_record_that_tells_of_a_break_is_one():
    told = chain(THREE[-1].head, 4.0, "s1", BROKEN, "{}")
    found = verify([*THREE, told], Heads(told.head))
    assert isinstance(found, Break)
    assert found.number == 4


@pytest.mark.parametrize("after", [None, THREE[1].head], ids=["sure", "being written"])
def test_heads_come_back_as_they_were_written(after):
    kept = Heads(THREE[0].head, after)
    assert Heads.from_json(kept.to_json()) == kept


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_what_is_no_head_is_a_value_error(text):
    with pytest.raises(ValueError, match="cannot be read"):
        Heads.from_json(text)


def test_the_hash_is_the_documented_one():
    """SHA-256 of `["previous",number,at,"session","kind","fields"]`, with no blanks."""
    import hashlib

    text = f'["{START}",1,1.0,"s1","kind 1","{{\\"n\\":1}}"]'
    assert THREE[0].hash == hashlib.sha256(text.encode()).hexdigest()


# --- what becomes a record --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://ada:s3cret@example.invalid/r.git", "https://example.invalid/r.git"),
        ("https://token@example.invalid:8443/r.git", "https://example.invalid:8443/r.git"),
        ("ssh://git@example.invalid/r.git", "ssh://example.invalid/r.git"),
        ("git@example.invalid:r.git", "git@example.invalid:r.git"),
        ("/srv/r@home.git", "/srv/r@home.git"),
        ("https://a:b@[half", "[half"),
    ],
)
def test_a_url_is_kept_without_credentials(url, bare):
    assert bare_url(url) == bare
    entry = entry_of(PushStarted("c", url, "refs/heads/x"), Before())
    assert entry == Entry("push begun", {"commit": "c", "url": bare, "ref": "refs/heads/x"})


@pytest.mark.parametrize(
    ("kinds", "open_"),
    [
        ([], ()),
        (["commit begun"], ("commit begun",)),
        (["commit begun", "commit made"], ()),
        (["commit begun", "commit made", "push begun"], ("push begun",)),
        (["push begun", "no outcome"], ()),
        (["set-up begun", "approval", "set-up ended", "commit begun"], ("commit begun",)),
    ],
)
def test_an_intent_is_open_until_its_outcome(kinds, open_):
    assert open_intents(kinds) == open_


def test_an_intent_that_came_to_nothing_is_closed_in_words():
    before = Before(open=("push begun",))
    ended = SessionEnded(6, "repository refused", "the remote does not answer", 1.0, 0.0)
    assert entry_of(ended, before) == Entry(
        "no outcome", {"intents": ("push begun",), "reason": "the remote does not answer"}
    )
    started = entry_of(SessionStarted("s1", "t", "/r", "0"), before)
    assert started is not None
    assert started.kind == "no outcome"
    assert entry_of(ended, Before()) is None


def test_only_the_set_up_step_and_a_network_that_is_on_are_kept():
    assert not is_audited(StepStarted("s1", "snapshot"))
    assert not is_audited(StepEnded("s1", "sandbox", 1.0))
    assert not is_audited(Warned("w"))
    assert not is_audited(SandboxOpened("docker", "python", "", "", "", "off"))
    online = SandboxOpened("docker", "python", "", "image", "", "on", "box")
    assert is_audited(online)
    assert entry_of(online, Before()) == Entry(
        "network on", {"kind": "docker", "container": "box", "image": "image"}
    )


def test_hunks_count_until_they_are_committed():
    first, second = ("a", "@@ 1", "no"), ("b", "@@ 2", "")
    events = [HunksRefused((first,)), Committed("c", "t", "r", False), HunksRefused((second,))]
    assert hunks_since_commit(events) == (second,)


@pytest.mark.parametrize("request_", ["", "{", '"half'])
def test_a_request_that_redaction_made_unreadable_is_still_bound_by_its_key(request_):
    asked = ApprovalAsked("a1", "push", "k", request_)
    given_ = ApprovalAnswered("a1", "push", "k", True, "user")
    entry = entry_of(given_, Before(asked))
    assert entry is not None
    assert entry.fields["key"] == "k"
    assert entry.fields["shown"] == "not readable after redaction"


def test_a_proposal_that_redaction_made_unreadable_says_so():
    asked = ApprovalAsked("a1", "commit", "k", json.dumps({"tree": "t", "message": "m"}))
    before = Before(asked, ProposalMade("t", "t", '{"half', "", "m"))
    entry = entry_of(ApprovalAnswered("a1", "commit", "k", True, "user"), before)
    assert entry is not None
    assert entry.fields["verdict"] == "not readable after redaction"
    assert "message" not in entry.fields
