"""What a session's record says of its commit and its push: begun, made, pushed.

Refuses to look at a repository: a kill may have come between a deed and its record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from selfheal_tui.core.approval import CommitRequest
from selfheal_tui.core.events import (
    ApprovalAsked,
    CommitStarted,
    Committed,
    Event,
    Pushed,
    Undone,
)
from selfheal_tui.errors import UsageError


@dataclass
class Deeds:
    """Fold events with `see`. `begun` is the commit that was begun and whose end is not known."""

    begun: CommitRequest | None = None
    made: Committed | None = None
    pushed: Pushed | None = None
    _asked: CommitRequest | None = None

    def see(self, event: Event) -> None:
        """Take one event. Raises UsageError for a commit that was undone."""
        match event:
            case ApprovalAsked(kind="commit"):
                self._asked = CommitRequest(**json.loads(event.request))
            case CommitStarted():
                self.begun = self._asked
            case Committed():
                self.begun, self.made, self.pushed = None, event, None
            case Pushed():
                self.pushed = event
            case Undone():
                raise UsageError(f"the session is done: its commit {event.commit} was undone")
            case _:
                pass  # What was worked on is told by other events.
