import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.manifest import Manifest, ManifestReader, Settled, missing_from
from selfheal_tui.core.tree import LINK, REGULAR, Scan, TreeFile
from selfheal_tui.errors import TreeRejected

STAMP = b"f 644 5 1.0 2.0 7"
TICK = b"\0f 644 1 9.0 9.5 1\0"


def read_manifest(listing, size=0):
    reader = ManifestReader()
    size = size or len(listing) or 1
    for start in range(0, len(listing), size):
        reader.feed(listing[start : start + size])
    return reader.close()


def test_a_listing_of_find_is_read():
    listing = b"\0f 644 1 9.0 9.5 1\0a b\nc\0" + STAMP + b"\0\xff\0l 777 5 1.0 2.0 8\0"
    expected = Manifest({"a b\nc": STAMP, "\udcff": b"l 777 5 1.0 2.0 8"}, b"9.5")
    found = [read_manifest(listing, size) for size in range(len(listing) + 1)]
    assert found == [expected] * len(found)


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(listing):
    try:
        manifest = read_manifest(listing)
    except TreeRejected:
        return
    assert len(manifest.stamps) <= listing.count(b"\0")


@pytest.mark.parametrize("listing", [b"", b"\0", b"\0f 644 1 1 1", b"a\0" + STAMP + b"\0"])
def test_a_cut_listing_is_refused(listing):
    with pytest.raises(TreeRejected, match="cannot be read"):
        read_manifest(listing)


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (TICK + b"\0" * 200, "more files than can be listed"),
        (TICK + b"a\0f 644 1 1 1 1\0" * 51, "more files than can be listed"),
        (TICK + b"n" * 70_000, "too long to be listed"),
        (TICK + b"a\0" + b"9" * 200 + b"\0", "cannot be read"),
    ],
)
def test_a_listing_that_is_too_long_to_be_true_is_refused_before_it_ends(listing, words):
    with pytest.raises(TreeRejected, match=words):
        ManifestReader(most=50).feed(listing)


def test_what_differs_is_seen_until_it_is_settled():
    settled = Settled()
    settled.see({"a": b"1", "b": b"1", "c": b"1"})
    settled.settle()
    now = {"b": b"2", "c": b"1", "d": b"1"}
    scans = [settled.see(now), settled.see(now)]
    settled.settle()
    assert [*scans, settled.see(now)] == [Scan(("b", "d"), ("a",))] * 2 + [Scan()]


def test_settling_some_paths_leaves_the_others():
    settled = Settled()
    settled.see({"a": b"1", "gone": b"1"})
    settled.settle()
    now = {"a": b"2", "new": b"1", "other": b"1"}
    settled.settle_paths(["a", "gone", "new"], now)
    assert settled.see(now) == Scan(("other",))


def test_a_stamp_as_late_as_the_look_itself_is_racy():
    manifest = Manifest({"old": b"f 644 1 1 8.0 1", "new": b"f 644 1 1 9.0 1"}, b"9.0")
    assert [manifest.is_racy([path]) for path in ("old", "new", "gone")] == [False, True, False]


def test_what_was_not_taken_over_is_named():
    stamps = {"f": b"f 644 2 1 1 1", "l": b"l 777 1 1 1 1"}
    file, link = TreeFile("f", REGULAR, b"12"), TreeFile("l", LINK, b"x")
    assert [
        missing_from(stamps, [file, link], ["gone"]),
        missing_from(stamps, [TreeFile("f", LINK, b"12")]),
        missing_from(stamps, [TreeFile("f", REGULAR, b"1")]),
        missing_from(stamps, [TreeFile("x", REGULAR, b"")]),
        missing_from(stamps, [], ["l"]),
    ] == [None, "f", "f", "x", "l"]
