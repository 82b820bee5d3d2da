"""What the terminal interface may ask of a run, and what it is told: the seam to the session.

A live run and a replayed one both fit it. Refuses to know of sessions, adapters or files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from selfheal_tui.core.approval import Answer, Request
    from selfheal_tui.core.events import Event


@dataclass(frozen=True)
class Happened:
    """An event of the run; `at` is seconds since the epoch."""

    event: Event
    at: float


@dataclass(frozen=True)
class Readied:
    """A step of getting ready before the first task. `state` is working, ready, failed, or
    waiting: for a step that failed."""

    name: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Asked:
    """An approval is wanted; `answer` ends the wait. After the `ApprovalAsked` of the same."""

    request: Request


@dataclass(frozen=True)
class Withdrawn:
    """The request that was asked last is stale; it is asked anew, or the run ends."""

    reason: str


@dataclass(frozen=True)
class Questioned:
    """The model asks the user; `reply` ends the wait."""

    text: str


@dataclass(frozen=True)
class NotStarted:
    """A task could not begin, or its session ended before a model answered: it is the user's
    again, to be sent once more. `reason` says what is in the way."""

    task: str
    reason: str


News = Happened | Readied | Asked | Withdrawn | Questioned | NotStarted


@dataclass(frozen=True)
class SessionLine:
    """One earlier session, for the picker. `started` is seconds since the epoch; what is `done`
    can be looked at only."""

    id: str
    started: float
    outcome: str
    task: str
    done: bool = False


class Conductor(Protocol):
    """Runs sessions, one after the other, and tells of them."""

    @property
    def replayed(self) -> bool:
        """Whether this is a record: nothing can be asked of it then."""

    @property
    def running(self) -> bool:
        """Whether a session is at work, or waits for the user."""

    def open(self) -> None:
        """Start getting ready in the background; news come at once."""

    def news(self) -> AsyncIterator[Sequence[News]]:
        """Everything that came since the last time, in order; ends after `close`."""

    def start(self, task: str) -> None:
        """Begin a session on `task`, as soon as all is ready."""

    def say(self, text: str) -> None:
        """Steer: the text reaches the model with its next request."""

    def cancel_step(self) -> bool:
        """Cut the running step short; the model then waits for the user. False where there is
        no step that can be cut."""

    def replan(self, items: Sequence[tuple[str, str]]) -> str:
        """Put another plan (text and state: todo, doing, done) in place of the one there is; the
        model hears of it with its next request. Why not, or empty."""

    def undo(self) -> str:
        """Ask for the undo of the last commit of the last session. Why not, or empty."""

    def preview(self, session: str) -> Sequence[tuple[str, str]]:
        """What is known of an earlier session: pairs of a name and a value."""

    def export(self, path: str) -> str:
        """Write the transcript of the session as Markdown, to `path` or where it is kept; a
        sentence that says where. Raises UsageError where it cannot be."""

    def shell(self, command: str) -> str:
        """Run a command in the sandbox between two steps. Why not, or empty."""

    def answer(self, given: Answer) -> None:
        """Answer the request that was asked last."""

    def reply(self, text: str) -> None:
        """Answer the model's question."""

    def stop(self, signal_number: int) -> None:
        """End the running session; its last event follows."""

    def files(self) -> Sequence[str]:
        """The paths of the tree, for completion; empty until they are known."""

    def settings(self) -> Sequence[tuple[str, str]]:
        """What the next session would run with: pairs of a name and a value."""

    def choose(self, name: str, value: str) -> str:
        """Set `model`, `check` or `network` for the next session; the sentence that says what will
        be, or why that cannot be."""

    def sessions(self) -> Sequence[SessionLine]:
        """Earlier sessions of this repository, latest first."""

    def resume(self, session: str) -> None:
        """Take up an earlier session. Raises UsageError where it cannot be."""

    def look(self, session: str) -> None:
        """Tell an earlier session's record as news. Raises UsageError where it cannot be."""

    async def close(self) -> int:
        """End everything; the exit code of the last session, 0 where none ran."""
