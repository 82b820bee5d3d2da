"""What of a session's events the audit log keeps: consents with what was shown, and side effects.

An intent is kept before each side effect and its outcome after it; an intent of which no outcome
was told is closed in words. Refuses to keep a text that may be long: a message is kept as its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    CommitStarted,
    Committed,
    Event,
    HunksRefused,
    ProposalMade,
    Pushed,
    PushStarted,
    SandboxOpened,
    SessionEnded,
    SessionStarted,
    StepEnded,
    StepStarted,
    UndoFailed,
    Undone,
    UndoStarted,
    WorktreeUpdated,
    WorktreeUpdateStarted,
)
from selfheal_tui.core.proof import Proof

SETUP = "set-up"
"""The name of the step that runs an approved set-up command."""

_OUTCOMES = {
    "commit begun": "commit made",
    "update begun": "update made",
    "push begun": "push made",
    "undo begun": "undo made",
    "set-up begun": "set-up ended",
}
_NO_OUTCOME = "no outcome"


@dataclass(frozen=True)
class Entry:
    """What the log is to keep: a kind, and plain values by name."""

    kind: str
    fields: dict[str, object]


@dataclass(frozen=True)
class Before:
    """What a session's record held before an event: the last request and proposal, the hunks that
    were refused since its last commit, and the intents without an outcome."""

    asked: ApprovalAsked | None = None
    proposal: ProposalMade | None = None
    hunks: tuple[tuple[str, str, str], ...] = ()
    open: tuple[str, ...] = ()


def is_audited(event: Event) -> bool:
    """Whether the log may have something to keep of this event."""
    match event:
        case StepStarted(name=name) | StepEnded(name=name):
            return name == SETUP
        case SandboxOpened(network=network):
            return network == "on"
        case SessionStarted() | SessionEnded() | HunksRefused():
            return True
        case ApprovalAsked(kind="undo") | ApprovalAnswered() | ApprovalWithdrawn():
            return True
    return _effect(event) is not None


def entry_of(event: Event, before: Before) -> Entry | None:
    """What the log keeps of `event`; None for nothing."""
    match event:
        case ApprovalAnswered():
            return _approval(event, before)
        case ApprovalWithdrawn(number, kind, key, reason):
            fields = {"approval": number, "about": kind, "key": key, "reason": reason}
            return Entry("withdrawn", {**fields, **_request(kind, key, before)})
        case HunksRefused(hunks):
            return Entry("hunks refused", {"hunks": hunks})
        case StepStarted(_, _, command):
            return Entry("set-up begun", {"command": command, "network": "on"})
        case StepEnded(ok=ok):
            return Entry("set-up ended", {"ok": ok})
        case SandboxOpened(kind=kind, container=container, image=image):
            return Entry("network on", {"kind": kind, "container": container, "image": image})
        case SessionStarted() | ApprovalAsked() if before.open:
            reason = "the earlier run ended before it could say what came of it"
            return Entry(_NO_OUTCOME, {"intents": before.open, "reason": reason})
        case SessionEnded(text=text) if before.open:
            return Entry(_NO_OUTCOME, {"intents": before.open, "reason": text})
    return _effect(event)


def open_intents(kinds: Iterable[str]) -> tuple[str, ...]:
    """The intents without an outcome, by the kinds of a session's records in order."""
    open_: list[str] = []
    for kind in kinds:
        if kind in _OUTCOMES:
            open_.append(kind)
        elif kind == _NO_OUTCOME:
            open_.clear()
        else:
            open_ = [intent for intent in open_ if _OUTCOMES[intent] != kind]
    return tuple(dict.fromkeys(open_))


def hunks_since_commit(events: Iterable[Event]) -> tuple[tuple[str, str, str], ...]:
    """The hunks that were refused after the last commit among `events`."""
    hunks: list[tuple[str, str, str]] = []
    for event in events:
        match event:
            case HunksRefused(refused):
                hunks.extend(refused)
            case Committed():
                hunks.clear()
    return tuple(hunks)


def _effect(event: Event) -> Entry | None:
    """The intent or the outcome of a side effect."""
    match event:
        case CommitStarted(tree, ref, parent):
            return Entry("commit begun", {"tree": tree, "ref": ref, "parent": parent})
        case Committed(commit, tree, ref, updated, message):
            fields = {"commit": commit, "tree": tree, "ref": ref, "update_worktree": updated}
            return Entry("commit made", {**fields, "message_sha256": _hash(message)})
        case WorktreeUpdateStarted(base, tree, paths):
            return Entry("update begun", {"base": base, "tree": tree, "paths": paths})
        case WorktreeUpdated(tree, paths):
            return Entry("update made", {"tree": tree, "paths": paths})
        case PushStarted(commit, url, ref):
            return Entry("push begun", {"commit": commit, "url": bare_url(url), "ref": ref})
        case Pushed(commit, remote, url, ref):
            fields = {"commit": commit, "remote": remote, "url": bare_url(url), "ref": ref}
            return Entry("push made", fields)
        case UndoFailed(commit, ref, reason):
            fields = {"commit": commit, "ref": ref}
            return Entry(_NO_OUTCOME, {"intents": ("undo begun",), **fields, "reason": reason})
        case UndoStarted(commit, ref, new):
            return Entry("undo begun", {"commit": commit, "ref": ref, "new": new})
        case Undone(commit, ref, new, restored, kept):
            fields = {"commit": commit, "ref": ref, "new": new}
            return Entry("undo made", {**fields, "restored": restored, "kept": kept})
    return None


def _approval(event: ApprovalAnswered, before: Before) -> Entry:
    fields: dict[str, object] = {
        "approval": event.id,
        "about": event.kind,
        "key": event.key,
        "granted": event.granted,
        "by": event.by,
        "reason": event.reason,
    }
    shown = _card(before) if event.kind in ("commit", "worktree") else {}
    return Entry("approval", {**fields, **_request(event.kind, event.key, before), **shown})


def _request(kind: str, key: str, before: Before) -> dict[str, object]:
    """The request as it was shown."""
    if before.asked is None or before.asked.key != key:
        return {"shown": "not in the record"}
    try:
        request = json.loads(before.asked.request)
    except ValueError:
        # Redaction may leave what is no JSON any more; the key still binds all of it.
        return {"shown": "not readable after redaction"}
    if "message" in request:
        request["message_sha256"] = _hash(request.pop("message"))
    if "url" in request:
        request["url"] = bare_url(request["url"])
    if kind == "setup":
        request["network"] = "on, for this command"
        # The approval has a reason of its own, which is the answer's.
        request["because"] = request.pop("reason")
    return dict(request)


def _card(before: Before) -> dict[str, object]:
    """What the proof card said."""
    fields: dict[str, object] = {"hunks_refused": before.hunks}
    if before.proposal is None:
        return {**fields, "verdict": "no proposal in the record"}
    try:
        proof = Proof.from_json(before.proposal.proof)
    except ValueError:
        return {**fields, "verdict": "not readable after redaction"}
    return {
        **fields,
        "verdict": _verdict(proof),
        "check": proof.command,
        "exit_code": proof.exit_code,
        "warnings": proof.warnings,
        "protected": proof.protected,
        "findings": proof.findings,
    }


def _verdict(proof: Proof) -> str:
    if proof.partial:
        return "partly healed"
    if proof.verified:
        return "verified"
    return "only with changed tests" if proof.only_with_changed_tests else "not verified"


def bare_url(url: str) -> str:
    """The URL without a user's name and password; what is no URL stays as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
