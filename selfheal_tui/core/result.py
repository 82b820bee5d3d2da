"""The result of a run, folded from its events: what `result.json` and `--output json` hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from selfheal_tui.core.events import (
    SCHEMA,
    AttemptEnded,
    CheckChosen,
    CheckEnded,
    Committed,
    Event,
    ProposalMade,
    Pushed,
    SandboxOpened,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    TreeChanged,
    TurnEnded,
    Undone,
    Warned,
)
from selfheal_tui.core.plainjson import plain_json


@dataclass
class Result:
    """Fold events with `see`; `fields` is the JSON object, `patch` the best known difference."""

    fields: dict[str, Any] = field(default_factory=lambda: dict(_EMPTY))
    patch: str = ""

    def see(self, event: Event) -> None:
        match event:
            case SessionStarted():
                self.fields |= {
                    "session": event.session,
                    "task": event.task,
                    "repository": event.repository,
                    "version": event.version,
                }
            case SnapshotTaken():
                self.fields |= {"base": event.head, "snapshot": event.tree}
            case SandboxOpened():
                self.fields |= {"sandbox": event.kind, "image": event.image}
            case CheckChosen():
                before = f"{self.fields['check']} && " if event.number > 1 else ""
                self.fields["check"] = before + event.command
            case CheckEnded(purpose="originals"):
                pass  # The proof card has what it came to.
            case CheckEnded():
                self.fields["failing"] = list(event.failing)
                if event.purpose == "baseline":
                    self.fields["failing_before"] = list(event.failing)
            case AttemptEnded():
                attempt = {"number": event.number, "outcome": event.outcome, "tree": event.tree}
                attempt["failing"] = list(event.failing)
                self.fields["attempts"] = [*self.fields["attempts"], attempt]
            case TurnEnded():
                self.fields["input_tokens"] += event.input_tokens
                self.fields["output_tokens"] += event.output_tokens
            case TreeChanged():
                self.patch = event.patch
            case ProposalMade():
                self.patch = event.patch
                self.fields |= {
                    "tree": event.tree,
                    "message": event.message,
                    "proof": json.loads(event.proof),
                }
            case Committed():
                self.fields |= {"commit": event.commit, "ref": event.ref}
            case Undone():
                self.fields["undone"] = event.commit == self.fields["commit"]
            case Pushed():
                self.fields["pushed"] = {
                    "remote": event.remote,
                    "url": event.url,
                    "ref": event.ref,
                }
            case Warned():
                self.fields["warnings"] = [*self.fields["warnings"], event.text]
            case SessionEnded():
                self.fields |= {
                    "exit_code": event.exit_code,
                    "outcome": event.outcome,
                    "text": event.text,
                    "seconds": event.seconds,
                    "cost": event.cost,
                }
            case _:
                pass  # Everything else is detail that the stream of events holds.

    def to_json(self) -> str:
        return plain_json(self.fields, indent=2, sort_keys=True)


_EMPTY: dict[str, Any] = {
    "schema": SCHEMA,
    "session": None,
    "task": None,
    "repository": None,
    "version": None,
    "base": None,
    "snapshot": None,
    "sandbox": None,
    "image": None,
    "check": None,
    "failing_before": [],
    "failing": [],
    "attempts": [],
    "tree": None,
    "message": None,
    "proof": None,
    "commit": None,
    "ref": None,
    "undone": False,
    "pushed": None,
    "warnings": [],
    "input_tokens": 0,
    "output_tokens": 0,
    "exit_code": None,
    "outcome": None,
    "text": None,
    "seconds": None,
    "cost": 0.0,
}
