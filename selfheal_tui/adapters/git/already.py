"""Whether an approved commit is made already: for a run that was killed between moving the ref and
telling of it.

Refuses to guess: tree, parent and message must all be those of the request.
"""

from __future__ import annotations

from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.objects import is_zeros
from selfheal_tui.adapters.git.refs import look_up
from selfheal_tui.core.approval import CommitRequest


def already_made(ground: Ground, request: CommitRequest) -> str:
    """The id of the commit that `request` asks for, where its ref holds it; else empty."""
    branch = look_up(ground.place.user, request.ref)
    if branch is None or branch.value == request.old:
        return ""
    content = ground.shadow.git.call("cat-file", "commit", branch.value)
    return branch.value if _is_what_was_asked(content, request) else ""


def _is_what_was_asked(content: bytes, request: CommitRequest) -> bool:
    header, _, message = content.partition(b"\n\n")
    lines = [line.split(b" ", 1) for line in header.splitlines()]
    trees = [rest[0] for name, *rest in lines if name == b"tree"]
    parents = [rest[0] for name, *rest in lines if name == b"parent"]
    wanted = [] if is_zeros(request.parent) else [request.parent.encode()]
    same = message.rstrip(b"\n") == request.message.encode().rstrip(b"\n")
    return same and trees == [request.tree.encode()] and parents == wanted
