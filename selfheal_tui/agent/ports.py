"""What the agent needs from the world. Adapters fit these shapes; they do not inherit from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    Granted,
    PushRequest,
    Request,
    UndoRequest,
    WorktreeRequest,
)
from selfheal_tui.core.codemap import Definition
from selfheal_tui.core.events import Event, Undone
from selfheal_tui.core.incident import Incident, Note
from selfheal_tui.core.merge import Merge
from selfheal_tui.core.signature import Signature
from selfheal_tui.core.tree import Scan, TreeChange, TreeFile

Emit = Callable[[Event], None]
"""Where events go. It never blocks for long and never raises because of a front-end."""

Ask = Callable[[Request], Awaitable[Answer]]
"""Shows a request for approval and waits for its answer. Cancelled when the request is stale."""


# --- model ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToolSpec:
    """A tool as the model is told of it; `parameters` is a JSON schema object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True)
class ToolCall:
    """One call in an answer. `arguments` is the parsed JSON object.

    Where the model's JSON cannot be read, `arguments` is empty and `error` is the sentence that
    goes back to the model; such a call is never executed. `raw` is what the model wrote.
    """

    id: str
    name: str
    arguments: dict[str, object] = field(default_factory=dict)
    raw: str = ""
    error: str = ""


@dataclass(frozen=True)
class Message:
    """One turn of the history. `role` is system, user, assistant or tool.

    An assistant's message may carry `calls`; a tool's message answers `call_id`.
    """

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True)
class ModelRequest:
    """One request: the whole history so far and the tools on offer."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    session: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer, and its cost in USD (None where the price is not known)."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class Reply:
    """A whole answer. `finish` is the provider's finish reason, never empty."""

    text: str
    calls: tuple[ToolCall, ...]
    usage: Usage
    model: str
    finish: str
    reasoning: str = ""


@dataclass(frozen=True)
class TextDelta:
    """A piece of the answer's text, while it streams."""

    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    """A piece of the model's thinking, while it streams."""

    text: str


@dataclass(frozen=True)
class Retrying:
    """The request failed and is sent again after `delay` seconds; what streamed of it is void."""

    reason: str
    delay: float
    attempt: int
    model: str


@dataclass(frozen=True)
class FellBack:
    """`failed` is given up for this request; `model` is asked instead."""

    failed: str
    model: str
    reason: str


ModelNews = TextDelta | ReasoningDelta | Retrying | FellBack


class Model(Protocol):
    """A language model.

    `complete` streams to `hear` and returns the whole answer. Raises `errors.ModelError` and its
    kinds; cancelling the task closes the connection.
    """

    @property
    def name(self) -> str: ...

    @property
    def context_window(self) -> int | None: ...

    async def complete(self, request: ModelRequest, hear: Callable[[ModelNews], None]) -> Reply: ...


# --- sandbox -------------------------------------------------------------------------------


@dataclass(frozen=True)
class SandboxFacts:
    """What the user is told of a sandbox.

    `kind` is `docker` or `local`; `isolation` a plain sentence; `image` the image's name with a
    shortened id (empty for `local`); `workdir` the tree's root as commands see it.
    """

    kind: str
    profile: str
    isolation: str
    image: str
    image_id: str
    network: str
    workdir: str
    container: str = ""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended. `output` is both streams in order, cut in the middle past the limit.

    `exit_code` is the command's own; 124 when `timed_out`, 137 when it was killed.
    `total_bytes` counts everything it printed.
    """

    exit_code: int
    output: bytes
    seconds: float
    total_bytes: int
    timed_out: bool = False
    out_of_memory: bool = False
    cancelled: bool = False


class Sandbox(Protocol):
    """A private copy of the tree and a place to run commands on it. One command at a time.

    Every method raises `errors.SandboxLost` when the sandbox is gone.
    """

    @property
    def facts(self) -> SandboxFacts: ...

    async def put_tree(self, files: Iterable[TreeFile]) -> None:
        """Make the tree exactly `files`, and settle."""

    async def apply(self, change: TreeChange) -> None:
        """Write and delete paths, and settle them: `scan` does not report them."""

    async def scan(self) -> Scan:
        """Paths that differ from what was last settled. Reads names and stamps, no content."""

    async def fetch(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises `errors.TreeRejected` for what must not come out."""

    async def memory(self) -> tuple[int, int] | None:
        """Bytes of memory in use and allowed (0: no limit); None where that is not known."""

    def settle(self) -> None:
        """Take what the last `scan` saw as known."""

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        hear: Callable[[bytes], None] | None = None,
        shell_state: bool = True,
    ) -> CommandResult:
        """Run a shell command in the tree. Output goes to `hear` as it comes.

        With `shell_state` the working directory and exports of earlier commands hold, and are
        kept for later ones; without it the command starts in the tree's root, from the sandbox's
        own environment, and leaves nothing behind (checks run so).
        Cancelling the task ends the command's whole group before it returns.
        """

    async def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file. Raises FileNotFoundError, IsADirectoryError."""

    async def write(self, path: str, content: bytes) -> None:
        """Replace or make a file, with its folders; keeps an existing file's mode."""

    async def close(self) -> None:
        """End everything and remove what was made. Never raises; may be called twice."""


OpenSandbox = Callable[[], Awaitable[Sandbox]]
"""Opens a fresh, empty sandbox of the session's profile."""


# --- repository ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """The user's tree at one moment, as it stands in the shadow repository.

    `tree` is the tree of the files as they are on disk; `head` the commit checked out (all zeros
    on an unborn branch) and `head_tree` its tree; `branch` the ref checked out, empty when
    detached. `left_out` names what was not taken, each with its reason.
    """

    tree: str
    head: str
    head_tree: str
    branch: str
    files: int
    bytes: int
    dirty: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Shadow(Protocol):
    """The session's private bare repository: every tree of the session, and their differences."""

    async def apply(self, tree: str, change: TreeChange) -> str:
        """The tree that `change` makes of `tree`. Raises `errors.TreeRejected` on a bad name."""

    async def change(self, old: str, new: str) -> TreeChange:
        """What leads from `old` to `new`, with content."""

    async def files(self, tree: str) -> tuple[TreeFile, ...]:
        """All files of `tree`."""

    async def patch(self, old: str, new: str) -> str:
        """A unified diff in git's format, paths as git quotes them; binary files are only named."""

    async def ignored(self, tree: str, paths: Sequence[str], *, held: str = "") -> frozenset[str]:
        """Which of `paths` the ignore rules of `tree` (and the user's own) leave out.

        A path that the tree `held` (empty: `tree` itself) holds is never ignored.
        """


class Repository(Protocol):
    """The user's repository, touched by plumbing only."""

    @property
    def root(self) -> str: ...

    async def snapshot(self) -> Snapshot: ...

    async def commit_tree_for(self, snapshot: Snapshot, tree: str) -> str:
        """The tree to commit: HEAD's tree with what changed from `snapshot.tree` to `tree`.

        Raises `RepositoryRefused` where that cannot be told apart from uncommitted edits.
        """

    async def merge_trees(self, base: str, ours: str, theirs: str) -> Merge:
        """What leads from `base` to `theirs` on top of `ours`, all trees of the shadow. No side's
        change is lost: what cannot be told is a conflict, and no text holds conflict marks."""

    async def unused_branch(self, task: str) -> str:
        """A branch name made from the task that no branch has: `selfheal/<slug>`, `-2`, ..."""

    async def commit_request(
        self, snapshot: Snapshot, tree: str, message: str, *, branch: str | None
    ) -> CommitRequest:
        """What would be committed now: on a new branch, or on the current one for None."""

    async def commit(self, granted: Granted[CommitRequest], snapshot: Snapshot, tree: str) -> str:
        """Make the commit, move the ref, and (when approved) the working tree. Its id."""

    async def made(self, request: CommitRequest) -> str:
        """The id of the commit that `request` asks for, where its ref holds it already; else
        empty. For what was begun by a run that was killed before it could tell."""

    async def take_back(
        self, begun: CommitRequest, snapshot: Snapshot, tree: str
    ) -> tuple[str, ...]:
        """Put back what a run that was killed had written of a commit on the current branch, where
        it is still exactly that; the paths. `tree` is the candidate tree. The ref has not moved."""

    async def worktree_request(self, snapshot: Snapshot, tree: str) -> WorktreeRequest:
        """What would be written into the working tree's files, from `snapshot.tree` to `tree`."""

    async def update_worktree(self, granted: Granted[WorktreeRequest], snapshot: Snapshot) -> None:
        """Write the files, each only where its bytes are still the snapshot's."""

    async def stale(self, request: Request, snapshot: Snapshot | None) -> str:
        """Why `request` no longer holds, as a sentence; empty while it does.

        Reads the user's repository only, and cheaply: it is asked again and again. Only a commit
        and files without a commit stand on a snapshot.
        """

    async def undo_request(self, commit: str, ref: str, *, update_worktree: bool) -> UndoRequest:
        """The way back from `commit`, which must be the value of `ref`, to its parent.

        `update_worktree`: whether the commit had updated the files. Raises `RepositoryRefused`
        where others built on the commit, or it has no parent.
        """

    async def is_undone(self, commit: str, ref: str, new: str) -> bool:
        """Whether `ref` is at `new`, the parent of `commit`, as an undo of it leaves it."""

    async def undo(self, granted: Granted[UndoRequest]) -> Undone:
        """Move the ref back and restore what may be restored. Here only: no remote hears of it."""

    async def check_remote(self, remote: str) -> None:
        """Raises `RepositoryRefused` when nothing could be pushed to a remote of this name."""

    async def push_request(self, commit: str, remote: str, branch: str) -> PushRequest: ...

    async def push(self, granted: Granted[PushRequest]) -> None: ...


# --- map -----------------------------------------------------------------------------------


class Outliner(Protocol):
    """Reads what source files define. Bytes from outside come in: they are parsed, never run."""

    def reads(self, path: str) -> bool:
        """Whether a file of this name belongs on a map of the code."""

    def definitions(
        self, path: str, content: bytes, late: Callable[[], bool]
    ) -> tuple[Definition, ...]:
        """The definitions of a file, in order; none where it cannot be parsed, or `late` says
        that time is up. Blocks."""

    def close(self) -> None:
        """Let go of what reading took. It may be asked again."""


# --- memory --------------------------------------------------------------------------------


class Incidents(Protocol):
    """Heals that are kept on this machine, to be recalled when something alike fails.

    How likeness is told is the adapter's own affair: by words, or by an embedding of them. What
    comes here has passed the redactor. Raises SelfhealError where the memory cannot be used.
    """

    @property
    def warning(self) -> str:
        """What the user should know of the memory, as a sentence; empty where there is nothing."""

    async def remember(self, incident: Incident) -> int | None:
        """Keep it; its id, None where nothing can be kept (`warning` says why)."""

    async def similar(self, signature: Signature, limit: int = 3) -> tuple[Note, ...]:
        """Notes on what fixed the like, the best first; empty where nothing is like it."""
