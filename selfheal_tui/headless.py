"""The front-end without a screen: events become narration on stderr and data on stdout.

Decides nothing but what `--yes` and `--headless` say. Every exit leaves a truthful last line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from selfheal_tui.agent.ports import Ask
from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    PushRequest,
    Request,
    SetupRequest,
    key_of,
)
from selfheal_tui.core.events import (
    ApprovalAnswered,
    AttemptEnded,
    AttemptStarted,
    CheckChosen,
    CheckEnded,
    CommandStarted,
    Committed,
    Event,
    LimitWasReached,
    ModelSwitched,
    Nudged,
    PlanProposed,
    ProposalMade,
    Pushed,
    ReviewGiven,
    RolledBack,
    SandboxOpened,
    SandboxWasLost,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    StepEnded,
    StepStarted,
    ToolCalled,
    TurnRetried,
    Warned,
    to_json,
)
from selfheal_tui.core.proof import Proof, card_lines
from selfheal_tui.core.result import Result
from selfheal_tui.core.text import one_line, printable
from selfheal_tui.errors import SelfhealError

NOBODY = "nobody is there to answer; decide yourself, and say in the summary what you assumed"


def yes_to(*, push: bool, by: str = "--yes") -> Ask:
    """`--yes`: edits, set-up and the commit are approved; a push only with `--push`."""

    async def ask(request: Request) -> Answer:
        match request:
            case SetupRequest() | CommitRequest():
                return Answer(key_of(request), granted=True, by=by)
            case PushRequest():
                reason = "" if push else "a push needs --push"
                return Answer(key_of(request), granted=push, by=by, reason=reason)

    return ask


def no_to_all() -> Ask:
    """`--headless`: nobody is there to approve anything."""

    async def ask(request: Request) -> Answer:
        reason = "nobody is there to approve it (--headless without --yes)"
        return Answer(key_of(request), granted=False, by="--headless", reason=reason)

    return ask


async def nobody_answers(question: str) -> str:
    """The answer to a model's question where no user is."""
    return NOBODY


class Headless:
    """Shows a run's events. `output` is `text`, `json` or `stream-json`."""

    def __init__(
        self,
        *,
        output: str,
        out: TextIO,
        err: TextIO,
        folder: OutputFolder | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._output = output
        self._out = out
        self._err = err
        self._folder = folder
        self._clock = clock
        self.result = Result()

    def show(self, event: Event) -> None:
        """Take one event; the last one also prints the report."""
        self.result.see(event)
        line = to_json(event, at=self._clock())
        if self._folder:
            self._folder.add(line)
        if self._output == "stream-json":
            print(line, file=self._out, flush=True)
        for text in narration(event):
            print(printable(text), file=self._err, flush=True)
        if self._output == "text":
            for text in report(event):
                print(printable(text), file=self._out, flush=True)
        if isinstance(event, SessionEnded):
            self._finish()

    def _finish(self) -> None:
        if self._folder:
            self._folder.finish(self.result)
        if self._output == "json":
            print(self.result.to_json(), file=self._out, flush=True)


class OutputFolder:
    """`--output-dir`: events as they come, the result and the patch at the end. What an earlier
    run left there goes at once: a run that is killed must not look like that one.

    Raises SelfhealError when the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("result.json", "patch.diff"):
                (folder / name).unlink(missing_ok=True)
            self._events = (folder / "events.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise SelfhealError(f"cannot write to {folder}: {error.strerror}") from error

    def add(self, line: str) -> None:
        self._events.write(line + "\n")

    def finish(self, result: Result) -> None:
        """Write `patch.diff`, then `result.json`, whole or not at all."""
        self._events.close()
        self._write("patch.diff", result.patch)
        self._write("result.json", result.to_json() + "\n")

    def _write(self, name: str, text: str) -> None:
        fresh = self._folder / f".{name}.{os.getpid()}"
        fresh.write_bytes(text.encode("utf-8", "surrogateescape"))
        fresh.replace(self._folder / name)


def report(event: Event) -> list[str]:
    """What stdout says in text mode: the proof card when it is made, the outcome at the end."""
    match event:
        case ProposalMade():
            message = [f"  {line}".rstrip() for line in event.message.splitlines()]
            return ["proof card", *_card(event), "message", *message]
        case SessionEnded():
            return [f"{event.outcome} (exit {event.exit_code}): {event.text}"]
        case _:
            return []


def _card(event: ProposalMade) -> list[str]:
    return [f"  {line}" for line in card_lines(Proof.from_json(event.proof))]


def narration(event: Event) -> list[str]:
    """What stderr says of an event; nothing for most."""
    match event:
        case SessionStarted():
            return [f"selfheal {event.version}, session {event.session}"]
        case Warned() | LimitWasReached():
            return [f"! {event.text}"]
        case StepStarted() if event.detail:
            return [f"  {event.name}: {event.detail}"]
        case StepEnded():
            return [f"  {event.name} {'ready' if event.ok else 'FAILED'} ({event.seconds:.1f} s)"]
        case SnapshotTaken():
            left = [f"! left out: {name}" for name in event.left_out[:20]]
            dirty = f", {len(event.dirty)} with uncommitted changes" if event.dirty else ""
            return [f"  {event.files} files, {event.bytes} bytes{dirty}", *left]
        case SandboxOpened():
            return [f"  {event.kind} {event.image}: {event.isolation}"]
        case SandboxWasLost():
            return [f"! the sandbox ended: {event.reason}; opening a fresh one"]
        case CheckChosen():
            return [f"  check: {event.command} ({event.source})"]
        case CommandStarted() if event.purpose != "tool":
            return [f"$ {one_line(event.command, 200)}   [{event.purpose}]"]
        case CheckEnded():
            return [_check_line(event)]
        case AttemptStarted():
            return [f"attempt {event.number} of {event.of}"]
        case AttemptEnded():
            return [f"attempt {event.number}: {event.outcome}"]
        case RolledBack():
            return [f"  rolled back: {event.reason}"]
        case TurnRetried():
            return [f"! {event.model}: {event.reason}; again in {event.delay:.1f} s"]
        case ModelSwitched():
            return [f"! {event.failed} is given up ({event.reason}); asking {event.model}"]
        case Nudged():
            return [f"! {event.role}: {event.reason}"]
        case ToolCalled():
            return [f"  {event.role}: {event.name} {one_line(event.arguments, 120)}"]
        case PlanProposed():
            return ["plan", *(f"  {number}. {step}" for number, step in enumerate(event.steps, 1))]
        case ReviewGiven():
            return [f"review: {event.verdict} {one_line(event.comments, 200)}"]
        case ApprovalAnswered():
            word = "approved" if event.granted else "REFUSED"
            return [f"{event.kind} {word} by {event.by} {event.reason}".rstrip()]
        case Committed():
            return [f"committed {event.commit} to {event.ref}"]
        case Pushed():
            return [f"pushed {event.commit} to {event.url} {event.ref}"]
        case _:
            return []  # Detail that the stream of events holds.


def _check_line(event: CheckEnded) -> str:
    if event.green:
        return f"  green: exit 0 in {event.seconds:.1f} s"
    named = ", ".join(event.failing[:3]) + (" ..." if len(event.failing) > 3 else "")
    return f"  red: exit {event.exit_code} in {event.seconds:.1f} s, failing: {named}"
