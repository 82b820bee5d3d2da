"""Moves one ref of the user's repository by compare-and-swap, and says why it cannot be.

The ref is locked by a running `git update-ref`, which lets go of the lock when its input ends: so
it does even when this process is killed. Refuses to delete a ref: every move has a new value.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.runner import Conversation, GitFailed, Runner
from selfheal_tui.errors import RepositoryRefused

_FORMAT = "--format=%(refname)%00%(objectname)%00%(HEAD)%00%(worktreepath)%00%(symref)%00"


@dataclass(frozen=True)
class Move:
    """`ref` from `old` (all zeros: it must not exist) to `new`; `why` is for the reflog, and
    `lost` the sentence for the one who comes too late."""

    ref: str
    old: str
    new: str
    why: str
    lost: str


@dataclass(frozen=True)
class Branch:
    """A branch as it is now. `here`: checked out in this working tree; `elsewhere`: the working
    tree that has it checked out otherwise, empty for none."""

    value: str
    here: bool
    elsewhere: str


def look_up(user: Runner, ref: str) -> Branch | None:
    """The branch of this full name, with one look; None when it is not there.

    Raises RepositoryRefused for a ref that stands for another one.
    """
    answer = user.call("for-each-ref", _FORMAT, ref)
    fields = [os.fsdecode(field) for field in answer.split(b"\0")]
    for at in range(0, len(fields) - 1, 5):
        name, value, head, other, target = fields[at : at + 5]
        if name.removeprefix("\n") != ref:
            continue
        if target:
            raise RepositoryRefused(f"{ref} stands for {target}: it is not moved")
        here = head == "*"
        return Branch(value, here, "" if here or not Path(other).is_dir() else other)
    return None


def branch_names(user: Runner) -> frozenset[str]:
    """The short names of all local branches."""
    listing = user.call("for-each-ref", "--format=%(refname)", "refs/heads/").splitlines()
    return frozenset(os.fsdecode(line).removeprefix("refs/heads/") for line in listing)


def lock_ref(git: Runner, wanted: Move, patience: Patience) -> Conversation:
    """The ref, locked at its old value; a context manager.

    Leaving it without `move` lets the ref go where it was. `git` carries the committer for the
    reflog. Raises RepositoryRefused when the ref is elsewhere, or locked for too long.
    """
    return patience.wait(lambda: _try(git, wanted), _held(wanted.ref))


def move(transaction: Conversation) -> None:
    """Move the locked ref to its new value."""
    transaction.say(b"commit\n")
    transaction.hear()


def subject_of(message: str) -> str:
    """The first line of a commit's message."""
    return (message.strip().splitlines() or [""])[0]


def clash(branch: str, existing: frozenset[str]) -> str:
    """The existing branch that keeps `branch` from being made; empty for none."""
    for name in sorted(existing):
        if name == branch or name.startswith(branch + "/") or branch.startswith(name + "/"):
            return name
    return ""


def lost(ref: str) -> str:
    """The sentence for the one whose commit came second."""
    return (
        f"{ref} moved since the snapshot (somebody else committed first): nothing was changed; "
        f"run again on the new state"
    )


def _try(git: Runner, wanted: Move) -> Conversation | None:
    talk = git.talk("update-ref", "-m", f"selfheal: {wanted.why}", "--no-deref", "--stdin")
    try:
        talk.say(b"start\n")
        talk.hear()
        talk.say(f"update {wanted.ref} {wanted.new} {wanted.old}\nprepare\n".encode())
        talk.hear()
    except GitFailed as error:
        talk.abandon()
        if re.search(r"\.lock': File exists", error.stderr):
            return None
        raise RepositoryRefused(_reason(wanted, error)) from error
    except BaseException:
        talk.abandon()
        raise
    return talk


def _reason(wanted: Move, error: GitFailed) -> str:
    if re.search(r"but expected|reference already exists|unable to resolve", error.stderr):
        return wanted.lost
    return str(error)


def _held(ref: str) -> str:
    return (
        f"another git process holds the lock of {ref}; if none is running, a crash left the "
        f".lock file behind and it can be removed"
    )
