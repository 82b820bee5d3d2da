from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.docker.endmark import GARBLED, Ended, EndMark

NONCE = b"abcabcabcabd"
MANY = settings(max_examples=200)

# Made of the nonce's own letters, so that it begins again and again.
output = st.lists(st.sampled_from([b"a", b"b", b"c", b"abc", b"\n", b"\0\xff"]), max_size=30)


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(ends)]


@MANY
@given(output.map(b"".join).filter(lambda text: NONCE not in text), st.lists(st.integers(0, 90)))
def test_output_comes_whole_and_the_end_is_found_wherever_the_stream_is_cut(text, cuts):
    mark = EndMark(NONCE)
    pieces = split(text + NONCE + b" 3 1 2 0\nnobody's", cuts)
    heard = b"".join(map(mark.feed, pieces))
    assert (heard, mark.ended, mark.rest()) == (text, Ended(3, 1, 2, 0), b"")


@MANY
@given(output.map(b"".join).filter(lambda text: NONCE not in text), st.lists(st.integers(0, 90)))
def test_without_an_end_nothing_is_lost(text, cuts):
    mark = EndMark(NONCE)
    heard = b"".join(map(mark.feed, split(text, cuts)))
    assert (heard + mark.rest(), mark.ended) == (text, None)


def test_only_what_could_begin_the_nonce_is_held_back():
    mark = EndMark(NONCE)
    assert [mark.feed(piece) for piece in (b"xab", b"cx", b"abca", b"c")] == [
        b"x",
        b"abcx",
        b"",
        b"abcac",
    ]


def test_an_end_that_cannot_be_read_counts_as_killed_with_strays():
    for line in (b" 1 2 3\n", b" a b c d\n", b" 1 2 3 4 5\n", b" -1 0 0 0\n", b" " + b"9" * 300):
        mark = EndMark(NONCE)
        mark.feed(NONCE + line)
        assert mark.ended == GARBLED
