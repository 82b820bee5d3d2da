"""Secrets that come in pieces: cut anywhere, in text of the model, of a command, of a step."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.discretion import MOST_HELD, Discretion
from selfheal_tui.core.events import (
    CommandEnded,
    CommandPrinted,
    ReasoningStreamed,
    SessionEnded,
    StepEnded,
    StepProgressed,
    TextStreamed,
    TurnEnded,
    TurnRetried,
    Warned,
)
from selfheal_tui.core.redact import MARK, Redactor

KEY = "Zq8/kk+2=vW9_tail"
TWICE = "xyzxyz-xyzxyzw"
REDACTOR = Redactor([KEY, TWICE])

# Made at run time, so that no scanner takes this file for a leak.
PEM = (
    "-----BEGIN RSA PRIVATE" + " KEY-----\n" + "MIIEowIBAAKCAQEAbbbbbbbbbbbb\n" * 4
    + "-----END RSA PRIVATE" + " KEY-----"
)  # fmt: skip
SECRETS = [
    KEY,
    TWICE,
    base64.b64encode(f"user:{KEY}".encode()).decode(),
    KEY.encode().hex(),
    "sk-" + "proj-abcDEF0123456789abcd",
    "gh" + "p_" + "a1B2" * 9,
    "AK" + "IA" + "ABCDEFGH12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "Authorization: Bearer " + "abcdef123456xyz",
    "x-api-key: " + "abcdef-123456-xyz",
    "postgres://me:" + "hunter22" + "@db/x",
    PEM,
]


def streamed(pieces, redactor=REDACTOR, end=True):
    discretion = Discretion(redactor)
    events = [event for piece in pieces for event in discretion.told(CommandPrinted("c1", piece))]
    if end:
        events += discretion.told(CommandEnded("c1", 0, 1.0, 1))
    return "".join(event.text for event in events if isinstance(event, CommandPrinted))


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_a_secret_is_redacted_wherever_it_is_cut_in_two(secret):
    whole = f"it says {secret} here\n"
    for at in range(len(whole) + 1):
        assert streamed([whole[:at], whole[at:]]) == REDACTOR.redact(whole), f"cut at {at}"


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_a_secret_is_redacted_that_comes_letter_by_letter(secret):
    whole = f"it says {secret} here\n{secret}"
    assert streamed(list(whole)) == REDACTOR.redact(whole)


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([*SECRETS, KEY[:5], TWICE[:4], "xyz", " ", "\n", "plain words", "-----"])
        | st.text(max_size=9),
        max_size=6,
    ),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_no_secret_comes_through_whatever_stands_around_it_and_wherever_it_is_cut(parts, cuts):
    whole = "".join(parts)
    places = sorted({min(cut, len(whole)) for cut in cuts})
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]
    told = streamed(pieces)
    assert [form for form in REDACTOR._forms if form in told] == []


def test_plain_text_waits_for_nothing():
    pieces = ["All ", "tests pass. ", "Line 1\n", "漢字 ", "x = [1, 2]\n"]
    discretion = Discretion(REDACTOR)
    for piece in pieces:
        event = TextStreamed("t1", piece)
        assert list(discretion.told(event)) == [event]


@pytest.mark.parametrize(
    ("piece", "end"),
    [
        (CommandPrinted("1", "sk-abc"), CommandEnded("1", 0, 1.0, 1)),
        (TextStreamed("1", "sk-abc"), TurnEnded("1", "coder", "m", "stop", "sk-abc")),
        (ReasoningStreamed("1", "sk-abc"), TurnEnded("1", "coder", "m", "stop", "")),
        (StepProgressed("1", "sk-abc"), StepEnded("1", "image", 1.0)),
        (CommandPrinted("1", "sk-abc"), SessionEnded(130, "interrupted", "", 1.0, 0.0)),
    ],
)
def test_what_waits_is_told_before_the_end(piece, end):
    discretion = Discretion(REDACTOR)
    assert list(discretion.told(piece)) == []
    assert list(discretion.told(Warned("x"))) == [Warned("x")]
    assert list(discretion.told(end)) == [piece, end]
    assert list(discretion.told(end)) == [end]


def test_two_streams_do_not_mix():
    discretion = Discretion(REDACTOR)
    assert list(discretion.told(TextStreamed("1", KEY[:6]))) == []
    assert list(discretion.told(TextStreamed("2", "plain "))) == [TextStreamed("2", "plain ")]
    (told,) = discretion.told(TextStreamed("1", KEY[6:] + " "))
    assert told == TextStreamed("1", f"{MARK} ")


def test_what_waited_of_a_request_that_is_sent_again_is_void():
    discretion = Discretion(REDACTOR)
    assert list(discretion.told(TextStreamed("1", KEY[:6]))) == []
    again = TurnRetried("1", "cut", 1.0, 2, "m")
    assert list(discretion.told(again)) == [again]
    assert list(discretion.told(TextStreamed("1", "anew "))) == [TextStreamed("1", "anew ")]


def test_no_flood_waits_for_ever():
    head = "-----BEGIN RSA PRIVATE" + " KEY-----\n"
    told = streamed([head, *["A" * 1000] * (MOST_HELD // 1000 + 5)], end=False)
    assert told.startswith(MARK)


@pytest.mark.parametrize("piece", ["Zq8", "xyz", "sk-", "eyJa", "://a:", "-----BEGIN ", "A" * 64])
def test_a_flood_in_pieces_takes_linear_time(piece):
    def seconds(size):
        pieces = [piece * (4096 // len(piece))] * (size // 4096)
        started = time.process_time()
        streamed(pieces)
        return time.process_time() - started

    seconds(20_000)
    short = min(seconds(100_000) for _ in range(3))
    assert seconds(1_000_000) < 40 * max(short, 0.002)


def test_a_flood_of_small_pieces_that_all_may_begin_a_secret_takes_time_by_its_length():
    def seconds(length):
        began = time.process_time()
        pieces = ["sk-sk-s"] * (length // 7)
        assert streamed(pieces) == "sk-sk-s" * (length // 7)
        return time.process_time() - began

    seconds(1_000)
    few, more = seconds(8_000), seconds(16_000)
    assert more < 3.2 * max(few, 0.05)
    assert more < 2
