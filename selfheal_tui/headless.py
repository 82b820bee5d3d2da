"""The front-end without a screen: events become narration on stderr and data on stdout.

Decides nothing but what `--yes` and `--headless` say. Every exit leaves a truthful last line.
Who stops reading does not stop the run; an output that cannot be written does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import TextIO

from selfheal_tui.agent.ports import Ask
from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    PlanRequest,
    PushRequest,
    Request,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
    key_of,
)
from selfheal_tui.core.delegation import part_line
from selfheal_tui.core.environment_words import environment_words
from selfheal_tui.core.events import (
    ApprovalAnswered,
    AttemptEnded,
    AttemptStarted,
    CheckChosen,
    CheckEnded,
    CommandStarted,
    Committed,
    EnvironmentHealed,
    EnvironmentLacked,
    EnvironmentNotHealed,
    Event,
    HistoryCompacted,
    LimitWasReached,
    ModelSwitched,
    Nudged,
    PartEnded,
    PartsDeclined,
    PartsMerged,
    PartStarted,
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
    UndoFailed,
    Undone,
    Warned,
    to_json,
)
from selfheal_tui.core.proof import recorded_card
from selfheal_tui.core.result import Result
from selfheal_tui.core.text import hanging, on_one_line, one_line
from selfheal_tui.errors import SelfhealError, UsageError

NOBODY = "nobody is there to answer; decide yourself, and say in the summary what you assumed"


def yes_to(*, push: bool, by: str = "--yes") -> Ask:
    """`--yes`: edits, set-up and the commit are approved; a push only with `--push`."""

    async def ask(request: Request) -> Answer:
        match request:
            case PlanRequest() | SetupRequest() | CommitRequest():
                return Answer(key_of(request), granted=True, by=by)
            case PushRequest():
                reason = "" if push else "a push needs --push"
                return Answer(key_of(request), granted=push, by=by, reason=reason)
            case WorktreeRequest() | UndoRequest():
                reason = f"{by} does not speak for this"
                return Answer(key_of(request), granted=False, by=by, reason=reason)

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
        result: Result | None = None,
    ) -> None:
        self._output = output
        self._out = out
        self._err = err
        self._folder = folder
        self._clock = clock
        self.result = Result() if result is None else result

    def show(self, event: Event) -> None:
        """Take one event; the last one also prints the report.

        Raises SelfhealError when an output takes no more: once, so that the end can be told.
        """
        self.result.see(event)
        line = to_json(event, at=self._clock())
        if self._folder:
            self._folder.add(line)
        if self._output == "stream-json":
            _print(line, self._out)
        for text in narration(event):
            _print(hanging(text), self._err)
        if isinstance(event, SessionEnded):
            self._finish(event)
        elif self._output == "text":
            self._report(event)

    def _finish(self, ended: SessionEnded) -> None:
        unwritten = None
        try:
            if self._folder:
                self._folder.finish(self.result)
        except SelfhealError as error:
            unwritten = error
            text = f"{ended.text}; but {error}"
            ended = replace(ended, exit_code=error.exit_code, outcome="output lost", text=text)
            self.result.see(ended)
        if self._output == "text":
            self._report(ended)
        if self._output == "json":
            _print(self.result.to_json(), self._out)
        if unwritten:
            raise SelfhealError(ended.text) from unwritten

    def _report(self, event: Event) -> None:
        for text in report(event):
            _print(hanging(text), self._out)


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        # What is still buffered must not fail once more, neither at the next line nor at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise SelfhealError(f"cannot write the output: {error.strerror}") from error


OUTPUT_FILES = ("result.json", "events.jsonl", "patch.diff")
"""What `--output-dir` holds."""


class OutputFolder:
    """`--output-dir`: events as they come, the result and the patch at the end. What an earlier
    run left there goes at once: a run that is killed must not look like that one.

    Raises SelfhealError when the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_what_is_not_ours(folder)
            for name in OUTPUT_FILES:
                (folder / name).unlink(missing_ok=True)
            # Unbuffered: a run that is killed leaves what it told.
            self._events: FileIO | None = FileIO(_created(folder / "events.jsonl"), "wb")
        except OSError as error:
            raise self._error(error) from error

    def add(self, line: str) -> None:
        """Write an event; nothing after a failure, which is raised once."""
        if self._events is None:
            return
        try:
            self._events.write(line.encode() + b"\n")
        except OSError as error:
            self._close()
            raise self._error(error) from error

    def finish(self, result: Result) -> None:
        """Write `patch.diff`, then `result.json`, whole or not at all."""
        self._close()
        try:
            self._write("patch.diff", result.patch)
            self._write("result.json", result.to_json() + "\n")
        except OSError as error:
            raise self._error(error) from error

    def _close(self) -> None:
        events, self._events = self._events, None
        if events:
            events.close()

    def _write(self, name: str, text: str) -> None:
        fresh = self._folder / f".{name}.{os.getpid()}"
        try:
            with os.fdopen(_created(fresh), "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            fresh.replace(self._folder / name)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _error(self, error: OSError) -> SelfhealError:
        return SelfhealError(f"cannot write to {self._folder}: {error.strerror}")


def _created(path: Path) -> int:
    """A new file. Where something is already, it fails: the folder may be one of the repository,
    and a link there would lead anywhere."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o666)


def _refuse_what_is_not_ours(folder: Path) -> None:
    """A folder with files of these names is taken only when an earlier run wrote them."""
    there = [name for name in OUTPUT_FILES if (folder / name).exists()]
    if there and not any(_is_ours(folder / name) for name in there):
        raise UsageError(f"{folder / there[0]} is there and not ours; name another --output-dir")


def _is_ours(file: Path) -> bool:
    """Whether a run of ours wrote the file: its result, or the first event of its record."""
    try:
        with file.open(encoding="utf-8") as lines:
            beginning = lines.read(100_000)
    except UnicodeDecodeError:
        return False
    if file.name == "events.jsonl":
        return not beginning or '"event":"SessionStarted"' in beginning.partition("\n")[0]
    return file.name == "result.json" and '"failing_before"' in beginning


def report(event: Event) -> list[str]:
    """What stdout says in text mode: the proof card when it is made, the outcome at the end."""
    match event:
        case ProposalMade():
            message = [f"  {line}".rstrip() for line in event.message.splitlines()]
            return ["proof card", *_card(event), "message", *message]
        case SessionEnded():
            return [on_one_line(f"{event.outcome} (exit {event.exit_code}): {event.text}")]
        case _:
            return []


def _card(event: ProposalMade) -> list[str]:
    return [f"  {line}" for line in recorded_card(event.proof)]


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
        case EnvironmentLacked() | EnvironmentHealed() | EnvironmentNotHealed():
            mark = " " if isinstance(event, EnvironmentHealed) else "!"
            return [f"{mark} {text}" for text in environment_words(event).splitlines()]
        case CheckChosen(command=""):
            return [f"  check: {event.source}"]
        case CheckChosen():
            one_of = f" {event.number} of {event.of}" if event.of > 1 else ""
            return [f"  check{one_of}: {event.command} ({event.source})"]
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
        case HistoryCompacted():
            tokens = f"{event.before} to {event.after} tokens"
            return [f"! {event.role}: older turns shortened, about {tokens}"]
        case ToolCalled():
            return [f"  {event.role}: {event.name} {one_line(event.arguments, 120)}"]
        case PlanProposed():
            in_parts = [f"  in parts: {'; '.join(event.parts)}"] if event.parts else []
            steps = (f"  {number}. {step}" for number, step in enumerate(event.steps, 1))
            return ["plan", *steps, *in_parts]
        case PartsDeclined() | PartStarted() | PartEnded() | PartsMerged():
            return [part_line(event)]
        case ReviewGiven():
            return [f"review: {event.verdict} {one_line(event.comments, 200)}"]
        case ApprovalAnswered():
            word = "approved" if event.granted else "REFUSED"
            return [f"{event.kind} {word} by {event.by} {event.reason}".rstrip()]
        case Committed():
            return [f"committed {event.commit} to {event.ref}"]
        case Pushed():
            return [f"pushed {event.commit} to {event.url} {event.ref}"]
        case Undone():
            return [f"undone: {event.ref} is back at {event.new}, without {event.commit}"]
        case UndoFailed():
            return [f"not undone: {event.reason}"]
        case _:
            return []  # Detail that the stream of events holds.


def _check_line(event: CheckEnded) -> str:
    if event.green and event.purpose == "focused":
        return f"  what failed passes now ({event.seconds:.1f} s); the whole check comes next"
    if event.green:
        return f"  green: exit 0 in {event.seconds:.1f} s"
    named = ", ".join(event.failing[:3]) + (" ..." if len(event.failing) > 3 else "")
    return f"  red: exit {event.exit_code} in {event.seconds:.1f} s, failing: {named}"
