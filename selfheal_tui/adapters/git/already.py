"""Whether an approved commit is made already: for a run that was killed between moving the ref and
telling of it.

Refuses to guess: tree, parent and message must all be those of the request.
"""

from __future__ import annotations

from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.objects import is_zeros
from selfheal_tui.adapters.git.refs import look_up
from selfheal_tui.core.approval import CommitRequest

MOST = 100
"""Commits that are looked at, back from the ref: more were not made on top in one day."""


def already_made(ground: Ground, request: CommitRequest) -> str:
    """The id of the commit that `request` asks for, where its ref holds it, also below what others
    committed on it since; else empty."""
    branch = look_up(ground.place.user, request.ref)
    at = branch.value if branch else request.old
    for _ in range(MOST):
        if at in {"", request.old, request.parent}:
            return ""
        found = ground.shadow.git.result("cat-file", "commit", at, accept=(0, 128))
        if found.code:
            # A shallow history ends here.
            return ""
        if _is_what_was_asked(found.out, request):
            return at
        at = _first_parent(found.out)
    return ""


def _first_parent(content: bytes) -> str:
    """Its id; empty for the first commit of all."""
    header = content.partition(b"\n\n")[0]
    parents = [line[7:].decode() for line in header.splitlines() if line.startswith(b"parent ")]
    return parents[0] if parents else ""


def _is_what_was_asked(content: bytes, request: CommitRequest) -> bool:
    header, _, message = content.partition(b"\n\n")
    lines = [line.split(b" ", 1) for line in header.splitlines()]
    trees = [rest[0] for name, *rest in lines if name == b"tree"]
    parents = [rest[0] for name, *rest in lines if name == b"parent"]
    wanted = [] if is_zeros(request.parent) else [request.parent.encode()]
    same = message.rstrip(b"\n") == request.message.encode().rstrip(b"\n")
    return same and trees == [request.tree.encode()] and parents == wanted
