"""Moves one ref of the user's repository by compare-and-swap, and says why it cannot be.

The ref is locked by a running `git update-ref`, which lets go of the lock when its input ends: so
it does even when this process is killed.
"""

from __future__ import annotations

import re

from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.runner import Conversation, GitFailed, Runner
from selfheal_tui.core.approval import CommitRequest
from selfheal_tui.errors import RepositoryRefused


def lock_ref(git: Runner, request: CommitRequest, commit: str, patience: Patience) -> Conversation:
    """The ref of `request`, locked at its old value; a context manager.

    Leaving it without `move` lets the ref go where it was. `git` carries the committer for the
    reflog. Raises RepositoryRefused when the ref is elsewhere, or locked for too long.
    """
    return patience.wait(lambda: _try(git, request, commit), _held(request.ref))


def move(transaction: Conversation) -> None:
    """Move the locked ref to its new value."""
    transaction.say(b"commit\n")
    transaction.hear()


def clash(branch: str, existing: frozenset[str]) -> str:
    """The existing branch that keeps `branch` from being made; empty for none."""
    for name in sorted(existing):
        if name == branch or name.startswith(branch + "/") or branch.startswith(name + "/"):
            return name
    return ""


def lost(ref: str) -> str:
    """The sentence for the one who came second."""
    return (
        f"{ref} moved since the snapshot (somebody else committed first): nothing was changed; "
        f"run again on the new state"
    )


def _try(git: Runner, request: CommitRequest, commit: str) -> Conversation | None:
    subject = (request.message.strip().splitlines() or [""])[0]
    talk = git.talk("update-ref", "-m", f"selfheal: {subject}", "--no-deref", "--stdin")
    try:
        talk.say(b"start\n")
        talk.hear()
        talk.say(f"update {request.ref} {commit} {request.old}\nprepare\n".encode())
        talk.hear()
    except GitFailed as error:
        talk.abandon()
        if re.search(r"\.lock': File exists", error.stderr):
            return None
        raise RepositoryRefused(_reason(request.ref, error)) from error
    except BaseException:
        talk.abandon()
        raise
    return talk


def _reason(ref: str, error: GitFailed) -> str:
    if re.search(r"but expected|reference already exists|unable to resolve", error.stderr):
        return lost(ref)
    return str(error)


def _held(ref: str) -> str:
    return (
        f"another git process holds the lock of {ref}; if none is running, a crash left the "
        f".lock file behind and it can be removed"
    )
