"""The run in a few words, folded from its events: what the header and the status line show."""

from __future__ import annotations

from dataclasses import dataclass, replace

from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    AttemptEnded,
    AttemptStarted,
    CheckChosen,
    CheckEnded,
    CommandEnded,
    CommandStarted,
    Committed,
    EnvironmentLacked,
    Event,
    HunksRefused,
    PartsMerged,
    PartStarted,
    PlanProposed,
    ProposalMade,
    Pushed,
    QuestionAnswered,
    QuestionAsked,
    ReviewGiven,
    SandboxMeasured,
    SandboxOpened,
    SandboxWasLost,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    StepEnded,
    StepStarted,
    ToolCalled,
    TurnEnded,
    TurnStarted,
    UndoFailed,
    Undone,
    UndoStarted,
    WorktreeUpdated,
    WorktreeUpdateStarted,
)

_CHECKING = {
    "baseline": "runs the check on the untouched files",
    "flaky": "runs the check again, to find what flakes",
    "focused": "runs the tests that failed",
    "verify": "runs the check",
    "proof": "proves it in a fresh sandbox",
    "originals": "runs the check with the original tests",
    "user": "runs your command",
}


_SETTING_UP = ("set-up", "setup")
"""The step in which a command has network."""

_UNUSUAL = {"ROOT inside": "ROOT inside", "on a volume": "tree on a volume"}
"""What a sandbox's isolation may say beside the usual, and how the status line says it."""


@dataclass(frozen=True)
class Summary:
    """What is known so far. `before` and `now` count failing tests, None while unknown; `phase`
    says what happens at the moment; `waiting` is true while it waits for the user. `tried` are
    the attempts that ended; `failing_before` names what failed on the untouched files. `memory`
    and `limit` are bytes of the sandbox's memory, 0 while unknown; `unusual` says where its
    isolation is less than the usual one; `setting_up` is true while a set-up command has network.
    """

    task: str = ""
    branch: str = ""
    model: str = ""
    check: str = ""
    attempt: int = 0
    attempts: int = 0
    before: int | None = None
    now: int | None = None
    cost: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    context: float | None = None
    network: str = ""
    sandbox: str = ""
    unusual: str = ""
    memory: int = 0
    limit: int = 0
    setting_up: bool = False
    phase: str = ""
    waiting: bool = False
    tried: tuple[AttemptEnded, ...] = ()
    failing_before: tuple[str, ...] | None = None
    ended: SessionEnded | None = None


def fold(summary: Summary, event: Event) -> Summary:
    """The summary after one more event."""
    match event:
        case SessionStarted():
            return Summary(task=event.task, phase="gets ready")
        case SessionEnded():
            return replace(summary, phase=event.outcome, waiting=False, ended=event)
        case SnapshotTaken():
            return replace(summary, branch=event.branch.removeprefix("refs/heads/") or "detached")
        case CheckChosen():
            return replace(summary, check=event.command)
        case SandboxOpened():
            return _with_sandbox(summary, event)
        case SandboxMeasured():
            return replace(summary, memory=event.memory, limit=event.limit)
        case SandboxWasLost():
            return replace(summary, sandbox="sandbox lost, a fresh one comes", memory=0)
        case TurnEnded():
            return _after_turn(summary, event)
        case CheckEnded():
            return _after_check(summary, event)
        case AttemptStarted():
            return replace(summary, attempt=event.number, attempts=event.of)
        case _:
            return _phase(summary, event)


def _with_sandbox(summary: Summary, event: SandboxOpened) -> Summary:
    unusual = [words for sign, words in _UNUSUAL.items() if sign in event.isolation]
    if event.kind == "local":
        unusual = ["NO ISOLATION"]
    return replace(
        summary,
        network=event.network,
        sandbox=f"{event.kind} {event.profile}".strip() if event.kind != "local" else "",
        unusual=" · ".join(unusual),
        memory=0,
        limit=0,
        setting_up=False,
    )


def _after_turn(summary: Summary, event: TurnEnded) -> Summary:
    return replace(
        summary,
        cost=max(summary.cost, event.total_cost),
        tokens_in=summary.tokens_in + event.input_tokens,
        tokens_out=summary.tokens_out + event.output_tokens,
        context=event.context_share if event.context_share is not None else summary.context,
        phase="interrupted: waits for you" if event.finish == "cancelled" else summary.phase,
        waiting=event.finish == "cancelled",
    )


def _after_check(summary: Summary, event: CheckEnded) -> Summary:
    failing = len(event.failing)
    if event.purpose == "originals":
        return summary
    if event.purpose == "baseline":
        return replace(summary, before=failing, now=failing, failing_before=event.failing)
    return replace(summary, now=failing)


def _phase(summary: Summary, event: Event) -> Summary:
    """What happens now, in words."""
    waits = False
    match event:
        case StepEnded() if event.name in _SETTING_UP:
            return replace(summary, setting_up=False)
        case StepStarted():
            summary = replace(summary, setting_up=event.name in _SETTING_UP)
            phase = f"gets ready: {event.name}"
        case EnvironmentLacked() if event.command:
            phase = "heals the environment"
        case TurnStarted():
            summary = replace(summary, model=event.model)
            phase = f"{event.role} thinks"
        case ToolCalled():
            phase = f"{event.role}: {event.name}"
        case CommandStarted() if event.purpose in _CHECKING:
            phase = _CHECKING[event.purpose]
        case CommandEnded() if event.cancelled:
            phase, waits = "interrupted: waits for you", True
        case PlanProposed():
            phase = "planned"
        case PartStarted():
            phase = f"{event.of} parts at once"
        case PartsMerged():
            phase = "merges the parts"
        case ReviewGiven():
            phase = f"reviewed: {event.verdict}"
        case AttemptEnded():
            summary = replace(summary, tried=(*summary.tried, event))
            phase = f"attempt {event.number}: {event.outcome}"
        case ProposalMade():
            phase = "proposes"
        case ApprovalAsked():
            phase, waits = f"waits for your approval: {event.kind}", True
        case QuestionAsked():
            phase, waits = "asks you", True
        case ApprovalAnswered() | QuestionAnswered():
            phase = "goes on"
        case ApprovalWithdrawn():
            phase = f"asks anew: {event.kind}"
        case HunksRefused():
            phase = "takes out what you refused"
        case WorktreeUpdateStarted():
            phase = "writes into your files"
        case WorktreeUpdated():
            phase = "your files are updated"
        case UndoStarted():
            phase = "takes the commit back"
        case Undone():
            phase = "the commit is taken back"
        case UndoFailed():
            phase = "the commit stays"
        case Committed():
            phase = "committed"
        case Pushed():
            phase = "pushed"
        case _:
            return summary
    return replace(summary, phase=phase, waiting=waits)
