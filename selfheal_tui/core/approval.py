"""Consent as a value: the side effects take a `Granted`, and only `answer` makes one.

A request names exactly what is approved; its `key` is a hash of all of it, so that an answer
given to one request can never serve another. Refuses to decide anything itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar


@dataclass(frozen=True)
class PlanRequest:
    """Go to work by this plan. Asked only where the user wants to see plans first. `parts` are the
    titles of those that get a coder each, at the same time."""

    steps: tuple[str, ...]
    files: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetupRequest:
    """Run `command` with network in a build container and keep the result as an image layer."""

    command: str
    reason: str
    image: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommitRequest:
    """Commit exactly `tree` on `parent`, and move `ref` from `old` to it.

    `old` is the ref's value that must still hold (all zeros: the ref must not exist).
    `update_worktree` is true when the checked-out branch moves and its files follow.
    """

    tree: str
    parent: str
    ref: str
    old: str
    message: str
    update_worktree: bool


@dataclass(frozen=True)
class PushRequest:
    """Push exactly `commit` to `ref` at `url`, where `old` must still be its value there."""

    commit: str
    remote: str
    url: str
    ref: str
    old: str


@dataclass(frozen=True)
class WorktreeRequest:
    """Write what leads from `base` to `tree` into the files of the working tree, and no commit.

    `paths` are the files that are written or deleted; refs and the index stay as they are.
    """

    base: str
    tree: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class UndoRequest:
    """Move `ref` from `commit`, which must still be its value, back to `new`, its parent.

    With `update_worktree` the files at `paths` and their index entries follow, where they are
    still those of the commit.
    """

    commit: str
    ref: str
    new: str
    update_worktree: bool
    paths: tuple[str, ...] = ()


Request = PlanRequest | SetupRequest | CommitRequest | WorktreeRequest | PushRequest | UndoRequest
R = TypeVar(
    "R", PlanRequest, SetupRequest, CommitRequest, WorktreeRequest, PushRequest, UndoRequest
)

WHOLE_FILE = -1
"""Stands for all that a file's difference holds, its mode and name too, in place of one hunk."""


@dataclass(frozen=True)
class RefusedHunk:
    """A part of a proposal's patch that the user does not want.

    `number` counts the hunks of the file from 0, as `core.patch.read_patch` has them, or is
    WHOLE_FILE. `reason` is for the coder; may be empty.
    """

    path: str
    number: int
    reason: str = ""


@dataclass(frozen=True)
class CommitWish:
    """What the user wants a commit to be instead: its message, and a new branch of this name
    (empty: made from the task), or for None the branch that is checked out. With `commit` false
    there is to be no commit: only the files of the working tree are to be updated."""

    message: str
    branch: str | None
    commit: bool = True


@dataclass(frozen=True)
class PlanWish:
    """The plan as the user wants it to be."""

    steps: tuple[str, ...]


Wish = CommitWish | PlanWish


@dataclass(frozen=True)
class Answer:
    """What came back for a request: `by` says who or what answered (`user`, `--yes`).

    A no may say what is wanted instead: with `wish` another commit or plan, which is a new
    request; with `again` another attempt, which `reason` goes to. `refused` names the hunks that
    are to leave the change: in the new request, or before the next attempt.
    """

    key: str
    granted: bool
    by: str
    reason: str = ""
    again: bool = False
    wish: Wish | None = None
    refused: tuple[RefusedHunk, ...] = ()


class Granted(Generic[R]):
    """A request that was approved. Made by `answer` only."""

    __slots__ = ("by", "request")

    def __init__(self, request: R, by: str, *, _made_by: object) -> None:
        if _made_by is not _SEAL:
            raise TypeError("consent comes from an answered request only")
        self.request: R = request
        self.by = by


_SEAL = object()


def kind_of(request: Request) -> str:
    """`plan`, `setup`, `commit`, `worktree`, `push` or `undo`."""
    return type(request).__name__.removesuffix("Request").lower()


def key_of(request: Request) -> str:
    """SHA-256 (hex) over the kind and every field: one byte changes, and the key does."""
    content = json.dumps([kind_of(request), asdict(request)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def answer(request: R, given: Answer) -> Granted[R] | None:
    """The consent to `request`; None for a no, and for an answer to another request."""
    if not given.granted or given.key != key_of(request):
        return None
    return Granted(request, given.by, _made_by=_SEAL)
