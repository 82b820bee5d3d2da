"""What the tests of the interface share."""

from __future__ import annotations

import pytest

from selfheal_tui.ui.screens.approval import ApprovalScreen


@pytest.fixture(autouse=True)
def _keys_are_heard_at_once(monkeypatch):
    """No test waits for the moment in which a yes is not heard; one test is about it."""
    monkeypatch.setattr(ApprovalScreen, "deaf", 0.0)
