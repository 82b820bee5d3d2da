"""How the width is shared among the panes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.ui.shares import EVEN, LEAST, dragged, grown

sizes = st.integers(LEAST, 200)


def test_a_pane_grows_at_the_cost_of_the_others():
    assert grown(EVEN, 0, 0.5, 200) == [1.5, 1.3, 1.0]


def test_no_pane_is_made_too_narrow_to_read():
    assert grown([1.0, 1.3, 1.0], 1, 4.0, 118) == [1.0, 1.3, 1.0]
    assert grown([0.5, 1.0, 1.0], 0, -0.5, 400) == [0.5, 1.0, 1.0]


def test_a_line_that_is_dragged_moves_two_panes_and_no_third():
    assert dragged([1.0, 1.0, 1.0], [60, 60, 60], 0, 90) == [1.5, 0.5, 1.0]


@settings(max_examples=100)
@given(widths=st.lists(sizes, min_size=3, max_size=3), number=st.integers(0, 1), to=st.integers())
def test_wherever_a_line_is_dragged_both_panes_stay_readable(widths, number, to):
    shares = dragged([float(width) for width in widths], widths, number, to)
    assert abs(sum(shares) - sum(widths)) < 1e-6
    assert min(shares) >= LEAST - 1e-6
