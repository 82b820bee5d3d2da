"""Everything that happens in a session, as values; one JSON line each, `SCHEMA` beside it.

Order: `SessionStarted` comes first and `SessionEnded` last, each once; only the undo of a commit
(its approval, `UndoStarted`, `Undone` or `UndoFailed`) may follow. Started, progress and
ended events of one thing share an `id`. Every step, turn and command that is started is ended, also
when the run is cut; an attempt, a tool call or an approval that was open then stays open.
Refuses to hold anything but plain values.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import get_args

from selfheal_tui.core.eventkinds import fitted, is_time
from selfheal_tui.core.plainjson import plain_json

SCHEMA = 1


@dataclass(frozen=True)
class SessionStarted:
    """A run began on `task`; the first event. `branch` and `current_branch` say where its commit
    was asked to go, when the user said so."""

    session: str
    task: str
    repository: str
    version: str
    resumed: bool = False
    branch: str = ""
    current_branch: bool = False


@dataclass(frozen=True)
class Warned:
    """Something the user should know; at any time."""

    text: str


@dataclass(frozen=True)
class StepStarted:
    """A step of getting ready began (`snapshot`, `engine`, `image`, `setup`, `tree`)."""

    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class StepProgressed:
    """Output of a step of getting ready, between its start and its end."""

    id: str
    text: str


@dataclass(frozen=True)
class StepEnded:
    """A step of getting ready ended; `ok` is false when it failed and the run goes on or ends."""

    id: str
    name: str
    seconds: float
    ok: bool = True
    detail: str = ""


@dataclass(frozen=True)
class SnapshotTaken:
    """The user's tree was copied; before any sandbox is filled from it."""

    tree: str
    head: str
    head_tree: str
    branch: str
    files: int
    bytes: int
    dirty: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class SandboxOpened:
    """A sandbox is ready and holds the tree; again after a lost one was replaced, and
    from another image after a set-up."""

    kind: str
    profile: str
    isolation: str
    image: str
    image_id: str
    network: str
    container: str = ""


@dataclass(frozen=True)
class SandboxMeasured:
    """Memory that the sandbox uses and may use, in bytes; now and then while it is open."""

    memory: int
    limit: int = 0


@dataclass(frozen=True)
class SandboxWasLost:
    """The sandbox ended by itself; `SandboxOpened` or the end of the session follows."""

    reason: str


@dataclass(frozen=True)
class EnvironmentLacked:
    """A red check lacked something around the code; after its `CheckEnded` or before it.

    `missing` names it in words. `command` is the set-up that is proposed, whose approval follows;
    empty where there is none, and `reason` says why, or what it cannot bring.
    """

    missing: tuple[str, ...]
    command: str
    reason: str = ""


@dataclass(frozen=True)
class EnvironmentHealed:
    """A set-up brought what was missing, as a run of the check has shown since: it is kept, and
    `image` is what sandboxes are opened from."""

    command: str
    image: str


@dataclass(frozen=True)
class EnvironmentNotHealed:
    """A set-up was refused, failed or did not help: nothing of it is kept. Its last lines of output
    are in `reason`; `command` is empty where it did not run."""

    command: str
    reason: str


@dataclass(frozen=True)
class CheckChosen:
    """The command whose exit code is the verdict, and where it came from; before it first runs.

    `command` is empty where the user chose to work without a verdict. A check of several commands
    is told one by one in the order in which they run, `number` from 1 to `of`; all have to pass.
    Told again from 1 after the baseline, when a command is left out: what is told last holds.
    """

    command: str
    source: str
    number: int = 1
    of: int = 1


@dataclass(frozen=True)
class CommandStarted:
    """A command began. `purpose` is tool, user, baseline, verify, proof, flaky or setup; or
    focused, for the tests alone that failed before, which run first where the check is slow; or
    originals, for the check on a proved change whose tests are as they were before it."""

    id: str
    command: str
    purpose: str


@dataclass(frozen=True)
class CommandPrinted:
    """Output of a running command, between its start and its end, in order."""

    id: str
    text: str


@dataclass(frozen=True)
class CommandEnded:
    """A command ended."""

    id: str
    exit_code: int
    seconds: float
    bytes: int
    timed_out: bool = False
    out_of_memory: bool = False
    cancelled: bool = False


@dataclass(frozen=True)
class CheckEnded:
    """A run of the check was read; after its `CommandEnded` with the same `id`.

    `failing` names the failing tests; `tree` is the tree that was checked. A check of several
    commands is read once, after the last that ran; `id` is the first red one's, or the last one's,
    `seconds` are those of all. With the purpose `focused` a green one is no verdict yet: the
    whole check follows.
    """

    id: str
    purpose: str
    tree: str
    exit_code: int
    green: bool
    seconds: float
    failing: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    passed: int | None = None


@dataclass(frozen=True)
class AttemptStarted:
    """A healing attempt began; `number` counts from 1."""

    number: int
    of: int
    tree: str


@dataclass(frozen=True)
class AttemptEnded:
    """A healing attempt ended: `green`, `better`, `same`, `worse`, `no change`, `sent back` or
    `stopped`; `tree` is what it left, `failing` its failing tests."""

    number: int
    outcome: str
    tree: str
    failing: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True)
class AttemptsCompared:
    """The difference between what two attempts left, as a patch; after the later `AttemptEnded`.

    An empty patch says that they left the same. Not told when it is larger than a megabyte.
    """

    older: int
    newer: int
    patch: str


@dataclass(frozen=True)
class RolledBack:
    """The sandbox went back to the best tree so far; before the next attempt."""

    from_tree: str
    to_tree: str
    reason: str


@dataclass(frozen=True)
class TurnStarted:
    """A request went to the model. `role` is planner, coder, reviewer, or the coder of a part."""

    id: str
    role: str
    model: str
    step: int


@dataclass(frozen=True)
class TextStreamed:
    """A piece of the model's answer, within its turn."""

    id: str
    text: str


@dataclass(frozen=True)
class ReasoningStreamed:
    """A piece of the model's thinking, within its turn."""

    id: str
    text: str


@dataclass(frozen=True)
class TurnRetried:
    """The request failed and goes out again; what was streamed in this turn is void."""

    id: str
    reason: str
    delay: float
    attempt: int
    model: str


@dataclass(frozen=True)
class ModelSwitched:
    """A fallback model answers this request."""

    id: str
    failed: str
    model: str
    reason: str


@dataclass(frozen=True)
class TurnEnded:
    """The answer is complete, or the turn failed (`finish` is then `error` or `cancelled`)."""

    id: str
    role: str
    model: str
    finish: str
    text: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    total_cost: float = 0.0
    context_share: float | None = None


@dataclass(frozen=True)
class ToolCalled:
    """The model called a tool; before it runs. `arguments` is a JSON object as text."""

    id: str
    role: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ToolReturned:
    """A tool call ended; `text` is what the model is told."""

    id: str
    name: str
    ok: bool
    text: str


@dataclass(frozen=True)
class IncidentsRecalled:
    """Notes on earlier heals of the like go to the model: pairs of origin and text, at most three.
    After the checks of the untouched files and before the first turn; not told without a note."""

    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class IncidentRemembered:
    """This heal is kept for later; after `Committed` or `WorktreeUpdated`, before any push.
    `error` is what was healed, in a few words without values."""

    id: int
    error: str
    origin: str


@dataclass(frozen=True)
class PlanProposed:
    """The planner's plan; before the first attempt. `parts` are the titles of those that get a
    coder each, at the same time; mostly there are none."""

    steps: tuple[str, ...]
    files: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartsDeclined:
    """The parts that a plan was offered in are not taken, and one coder does it all; after its
    `PlanProposed`."""

    reason: str


@dataclass(frozen=True)
class PartStarted:
    """A coder of its own began with a part of the plan, `number` from 1 to `of`, in a sandbox of
    its own; within the first attempt, all parts at once. The ids of its turns, tool calls and
    commands begin with `p<number>.`, and its role is `coder <number>`."""

    number: int
    of: int
    title: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartEnded:
    """A part ended: `submitted`, `stopped`, `failed` or `limit`; `reason` says why, where it is
    not submitted. `tree` is what it left, `changed` names the paths it changed; `taken` says
    whether they become part of the change. A part that is open when the run is ended from outside
    is `stopped`; one that the program itself did not survive stays open."""

    number: int
    outcome: str
    tree: str
    changed: tuple[str, ...] = ()
    taken: bool = True
    reason: str = ""
    summary: str = ""


@dataclass(frozen=True)
class PartsMerged:
    """What the parts `numbers` left came together as `tree`; once, after the last `PartEnded`.
    `conflicts` names the paths that one coder now sorts out, before the check runs. The
    `TreeChanged` that follows shows it; where none does, nothing of it is kept."""

    tree: str
    numbers: tuple[int, ...]
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanUpdated:
    """The coder's list of work with ticks: pairs of text and state (todo, doing, done)."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TreeChanged:
    """The private copy differs from the base: the whole difference, after each step that made one.

    `patch` is the unified diff of base to now, empty when it is larger than a megabyte.
    """

    tree: str
    files: tuple[tuple[str, int, int], ...]
    patch: str = ""


@dataclass(frozen=True)
class MessageSent:
    """The user's own words went into the conversation (the task, steering, an answer)."""

    text: str


@dataclass(frozen=True)
class QuestionAsked:
    """The model asks the user; `QuestionAnswered` with the same id follows."""

    id: str
    text: str


@dataclass(frozen=True)
class QuestionAnswered:
    """What the user, or nobody, answered."""

    id: str
    text: str


@dataclass(frozen=True)
class Nudged:
    """The loop told the model that it is stuck."""

    role: str
    reason: str


@dataclass(frozen=True)
class HistoryCompacted:
    """A role's context was nearly full, or refused as too long: its older turns were shortened.

    `before` and `after` are tokens as far as they can be told. The role's next turn follows.
    """

    role: str
    before: int
    after: int


@dataclass(frozen=True)
class ReviewGiven:
    """The reviewer's verdict: approve, send_back or flag."""

    verdict: str
    comments: str
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProposalMade:
    """A tree is ready for approval; `proof` is its card as JSON. Before `ApprovalAsked`.

    `tree` would be committed, with the whole difference `patch`; `worktree` is the same change on
    the user's uncommitted edits.
    """

    tree: str
    worktree: str
    proof: str
    patch: str
    message: str


@dataclass(frozen=True)
class HunksRefused:
    """The user took parts out of the change; a check and a `ProposalMade` of the rest follow, or
    the next attempt. Each hunk: its path, its header (empty for the whole file), the reason."""

    hunks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class ApprovalAsked:
    """An approval is wanted. `kind` is plan, setup, commit, worktree, push or undo; `key` hashes
    `request` (JSON). `ApprovalAnswered` or `ApprovalWithdrawn` with the same `id` follows."""

    id: str
    kind: str
    key: str
    request: str


@dataclass(frozen=True)
class ApprovalAnswered:
    """The answer to the approval with the same `id`."""

    id: str
    kind: str
    key: str
    granted: bool
    by: str
    reason: str = ""


@dataclass(frozen=True)
class ApprovalWithdrawn:
    """What was asked no longer holds, because something under it changed; it is asked anew where
    that can be."""

    id: str
    kind: str
    key: str
    reason: str


@dataclass(frozen=True)
class CommitStarted:
    """The intent, stored before the commit touches the repository."""

    tree: str
    ref: str
    parent: str


@dataclass(frozen=True)
class Committed:
    """The commit is in the repository and the ref points to it. `message` is as it was approved."""

    commit: str
    tree: str
    ref: str
    worktree_updated: bool
    message: str = ""


@dataclass(frozen=True)
class WorktreeUpdateStarted:
    """The intent, stored before files of the working tree are written without a commit."""

    base: str
    tree: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class WorktreeUpdated:
    """The files of the working tree are those of `tree` now; nothing was committed."""

    tree: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class PushStarted:
    """The intent, stored before the push."""

    commit: str
    url: str
    ref: str


@dataclass(frozen=True)
class Pushed:
    """The remote took exactly this commit."""

    commit: str
    remote: str
    url: str
    ref: str


@dataclass(frozen=True)
class UndoStarted:
    """The intent, stored before a commit of this session is taken back. May follow the end."""

    commit: str
    ref: str
    new: str


@dataclass(frozen=True)
class Undone:
    """The ref is back at `new`. `restored` names the files that went back with it, `kept` those
    that were no longer the commit's and stay as they are."""

    commit: str
    ref: str
    new: str
    restored: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class UndoFailed:
    """After `UndoStarted`, in place of `Undone`: it was refused, and nothing has changed."""

    commit: str
    ref: str
    reason: str


@dataclass(frozen=True)
class LimitWasReached:
    """A limit of the run is used up; the session ends."""

    kind: str
    text: str


@dataclass(frozen=True)
class SessionEnded:
    """The last event. `outcome` is a word, `text` the sentence that the user reads last."""

    exit_code: int
    outcome: str
    text: str
    seconds: float
    cost: float = 0.0


Event = (
    SessionStarted
    | Warned
    | StepStarted
    | StepProgressed
    | StepEnded
    | SnapshotTaken
    | SandboxOpened
    | SandboxMeasured
    | SandboxWasLost
    | EnvironmentLacked
    | EnvironmentHealed
    | EnvironmentNotHealed
    | CheckChosen
    | CommandStarted
    | CommandPrinted
    | CommandEnded
    | CheckEnded
    | AttemptStarted
    | AttemptEnded
    | AttemptsCompared
    | RolledBack
    | TurnStarted
    | TextStreamed
    | ReasoningStreamed
    | TurnRetried
    | ModelSwitched
    | TurnEnded
    | ToolCalled
    | ToolReturned
    | IncidentsRecalled
    | IncidentRemembered
    | PlanProposed
    | PartsDeclined
    | PartStarted
    | PartEnded
    | PartsMerged
    | PlanUpdated
    | TreeChanged
    | MessageSent
    | QuestionAsked
    | QuestionAnswered
    | Nudged
    | HistoryCompacted
    | ReviewGiven
    | ProposalMade
    | HunksRefused
    | ApprovalAsked
    | ApprovalAnswered
    | ApprovalWithdrawn
    | CommitStarted
    | Committed
    | WorktreeUpdateStarted
    | WorktreeUpdated
    | PushStarted
    | Pushed
    | UndoStarted
    | Undone
    | UndoFailed
    | LimitWasReached
    | SessionEnded
)

STREAMED = (CommandPrinted, TextStreamed, ReasoningStreamed, StepProgressed, SandboxMeasured)
"""Pieces of something longer, and measurements: the only events that may be lost when the machine
dies."""

_BY_NAME: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}


def to_json(event: Event, *, at: float) -> str:
    """One line: `{"v": 1, "at": seconds since the epoch, "event": name, ...fields}`."""
    head = {"v": SCHEMA, "at": round(at, 3), "event": type(event).__name__}
    return plain_json(head | asdict(event), compact=True)


def from_json(line: str) -> tuple[Event, float]:
    """The event of a line and its time. Raises ValueError on what is not one of ours."""
    try:
        data = json.loads(line)
        if data.pop("v") != SCHEMA:
            raise ValueError(f"not an event of schema {SCHEMA}")
        at, kind = data.pop("at"), _BY_NAME[data.pop("event")]
        if not is_time(at):
            raise ValueError(f"the time of an event is {at!r}")
        return kind(**fitted(kind, data)), float(at)
    except (
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        UnicodeDecodeError,
        json.JSONDecodeError,
    ) as error:
        raise ValueError(f"not an event line: {line[:80]!r}") from error
