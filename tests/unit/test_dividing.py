"""What a planner offers as parts is anything: it is taken whole, or declined in words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.agent.dividing import MOST_PARTS, divided

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
PATHS = st.sampled_from(["a", "A", "a/b", "./a/c", "b", "b/", "c//d", "/work/c/d", "d", "..", "."])
PARTS = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Till", " "]),
            "steps": st.lists(st.sampled_from(["look", "mend"]), max_size=3),
            "files": st.lists(PATHS, max_size=4),
        }
    ),
    max_size=5,
)


@given(JSON | st.lists(JSON, min_size=2, max_size=4))
@settings(max_examples=200)
def test_anything_is_taken_or_declined(offered):
    division = divided(offered, "/work")
    assert not (division.parts and division.declined)


@given(PARTS)
@settings(max_examples=200)
def test_no_path_belongs_to_two_parts(offered):
    division = divided(offered, "/work")
    assert bool(division.parts) != bool(division.declined or not offered)
    assert len(division.parts) <= MOST_PARTS
    for part in division.parts:
        others = [other for other in division.parts if other is not part]
        assert all(part.names(path) for path in part.files)
        assert not [path for path in part.files for other in others if other.names(path)]
