from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.output import KeptOutput


def kept(pieces: list[bytes]) -> KeptOutput:
    output = KeptOutput(head=4, tail=6)
    for piece in pieces:
        output.add(piece)
    return output


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=12), max_size=12))
def test_the_beginning_and_the_end_stay_and_the_middle_is_named(pieces):
    whole, output = b"".join(pieces), kept(pieces)
    missing = len(whole) - 10
    note = b"\n[... %d bytes left out ...]\n" % missing
    expected = whole if missing <= 0 else whole[:4] + note + whole[-6:]
    assert (output.bytes(), output.total) == (expected, len(whole))


def test_memory_stays_flat():
    output = KeptOutput()
    for _ in range(1000):
        output.add(bytes(32 * 1024))
    assert output.total == 1000 * 32 * 1024
    assert len(output._head) + len(output._tail) < 700_000
