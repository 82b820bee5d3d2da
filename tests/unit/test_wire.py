from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.docker.wire import frames

sent = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8)


def stream_of(pieces: list[tuple[int, bytes]]) -> bytes:
    return b"".join(
        bytes([stream, 0, 0, 0]) + len(piece).to_bytes(4, "big") + piece for stream, piece in pieces
    )


def received(stream: bytes, size: int) -> list[tuple[int, bytes]]:
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)] + [b""]
    return list(frames(lambda _: chunks.pop(0)))


def joined(pieces: list[tuple[int, bytes]], wanted: int) -> bytes:
    return b"".join(piece for stream, piece in pieces if stream == wanted)


@settings(max_examples=200)
@given(sent, st.integers(1, 64))
def test_both_streams_come_whole_wherever_the_connection_cuts(pieces, size):
    found = received(stream_of(pieces), size)
    assert [joined(found, stream) for stream in (1, 2)] == [
        joined(pieces, stream) for stream in (1, 2)
    ]


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(1, 64))
def test_any_bytes_are_taken_for_frames_without_an_error(stream, size):
    assert sum(len(piece) for _, piece in received(stream, size)) <= len(stream)
