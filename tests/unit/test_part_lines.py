"""The one line that every front-end says of each event of a part."""

from __future__ import annotations

import pytest

from selfheal_tui.core.delegation import part_line
from selfheal_tui.core.events import (
    PartEnded,
    PartsDeclined,
    PartsMerged,
    PartStarted,
    PlanProposed,
)
from selfheal_tui.core.transcript import transcript
from selfheal_tui.headless import narration

LINES = [
    (PartsDeclined("1 part is not 2 to 4"), "one coder does it all: 1 part is not 2 to 4"),
    (PartStarted(1, 2, "Tax", ("a", "b")), "part 1 of 2 started: Tax (a, b)"),
    (PartEnded(1, "submitted", "t", ("a",)), "part 1 ended: submitted, changed a"),
    (
        PartEnded(2, "failed", "t", ("a", "x"), taken=False, reason="gone"),
        "part 2 ended: failed (gone), changed a, x; what it changed is dropped",
    ),
    (PartEnded(2, "stopped", "t", (), taken=False, reason="it went in circles"),
     "part 2 ended: stopped (it went in circles), changed nothing"),
    (PartEnded(1, "submitted", "t", tuple("abcdefg")),
     "part 1 ended: submitted, changed a, b, c, d, e and 2 more"),
    (PartsMerged("t", ()), "no part left anything"),
    (PartsMerged("t", (2,)), "merged part 2"),
    (PartsMerged("t", (1, 2, 3), ("a",)), "merged parts 1, 2 and 3; they clash in a"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "line"), LINES)
def test_every_front_end_says_the_same_line(event, line):
    assert part_line(event) == line
    assert narration(event) == [line]
    assert line in transcript([(event, 1.0)]).replace("\\", "")


def test_the_parts_of_a_plan_are_told_with_it():
    planned = PlanProposed(("one", "two"), (), ("Tax", "Receipt"))
    assert narration(planned)[-1] == "  in parts: Tax; Receipt"
    assert "In parts: Tax; Receipt" in transcript([(planned, 1.0)])
