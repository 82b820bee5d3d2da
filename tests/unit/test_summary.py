"""What the status line says of events that came late: undo, refused hunks, withdrawn approvals."""

from __future__ import annotations

import pytest

from selfheal_tui.core import events as e
from selfheal_tui.ui.summary import Summary, fold
from tests.support import stories

COMMIT, REF, NEW = "9f31c07a", "refs/heads/main", "c0ffee"


@pytest.mark.parametrize(
    ("event", "phase"),
    [
        (e.HunksRefused((("a.py", "@@", "no"),)), "takes out what you refused"),
        (e.ApprovalWithdrawn("a1", "commit", "k", "main moved"), "asks anew: commit"),
        (e.WorktreeUpdateStarted("b", "t", ("a.py",)), "writes into your files"),
        (e.WorktreeUpdated("t", ("a.py",)), "your files are updated"),
        (e.UndoStarted(COMMIT, REF, NEW), "takes the commit back"),
        (e.Undone(COMMIT, REF, NEW), "the commit is taken back"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_late_event_has_its_phase(event, phase):
    before = Summary(task="mend it", phase="waits for your approval: commit", waiting=True)
    assert fold(before, event) == Summary(task="mend it", phase=phase)


def test_attempts_and_what_failed_before_are_kept_in_order():
    summary = Summary()
    for event, _ in stories.healed_at_3():
        summary = fold(summary, event)
    tried = [(attempt.number, attempt.outcome, len(attempt.failing)) for attempt in summary.tried]
    assert tried == [(1, "better", 1), (2, "worse", 3), (3, "green", 0)]
    assert summary.failing_before == stories.TESTS
