"""Why an approval that is waited for no longer holds: what moved under it, as a sentence.

Asked again and again, so it costs one git process at most where nothing has moved, and reads the
user's repository only; no network.
"""

from __future__ import annotations

from typing_extensions import assert_never

from selfheal_tui.adapters.git.discovery import head_of
from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.objects import is_zeros
from selfheal_tui.adapters.git.obstacles import state_against
from selfheal_tui.adapters.git.ondisk import named
from selfheal_tui.adapters.git.push import Pushes
from selfheal_tui.adapters.git.refs import branch_names, clash, look_up
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import (
    CommitRequest,
    PlanRequest,
    PushRequest,
    Request,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
)
from selfheal_tui.errors import RepositoryRefused


class Staleness:
    """Looks at one repository. What cannot be looked at no longer holds either."""

    def __init__(self, ground: Ground, pushes: Pushes) -> None:
        self._ground = ground
        self._user = ground.place.user
        self._pushes = pushes
        self._commit_paths: tuple[tuple[str, str], tuple[str, ...]] = (("", ""), ())

    def why(self, request: Request, snapshot: Snapshot | None) -> str:
        """The sentence; empty while the request holds."""
        try:
            return self._why(request, snapshot)
        except RepositoryRefused as refused:
            return str(refused)
        except OSError as error:
            return f"the working tree cannot be read: {error.strerror}"

    def _why(self, request: Request, snapshot: Snapshot | None) -> str:
        match request:
            case PlanRequest() | SetupRequest():
                return ""
            case PushRequest():
                return self._of_push(request)
            case CommitRequest():
                assert snapshot is not None, "a commit stands on a snapshot"
                return state_against(self._ground.place) or self._of_commit(request, snapshot)
            case WorktreeRequest():
                return state_against(self._ground.place) or self._on_disk(
                    request.base, request.paths
                )
            case UndoRequest():
                return state_against(self._ground.place) or self._of_undo(request)
            case _:
                assert_never(request)

    def _of_commit(self, request: CommitRequest, snapshot: Snapshot) -> str:
        if not request.update_worktree:
            branch = request.ref.removeprefix("refs/heads/")
            taken = clash(branch, branch_names(self._user))
            return f"the branch {taken} exists now" if taken else ""
        paths = self._paths(snapshot, request.tree)
        return self._of_head(request) or self._on_disk(snapshot.tree, paths)

    def _of_head(self, request: CommitRequest) -> str:
        """What became of the branch that is to be the one checked out, and at its old value."""
        if not is_zeros(request.old):
            branch = look_up(self._user, request.ref)
            if branch and branch.here and branch.value == request.old:
                return ""
        ref, head = head_of(self._user, self._ground.facts.object_format)
        if ref != request.ref:
            now = f"{ref} is checked out" if ref else f"HEAD is detached at {head[:12]}"
            return f"{now} now, not {request.ref}"
        return "" if head == request.old else f"{ref} moved to {head[:12]}"

    def _paths(self, snapshot: Snapshot, tree: str) -> tuple[str, ...]:
        """What the commit changes; remembered for the next look."""
        trees = snapshot.head_tree, tree
        if self._commit_paths[0] != trees:
            differences = self._ground.shadow.differences(*trees)
            self._commit_paths = trees, tuple(difference.path for difference in differences)
        return self._commit_paths[1]

    def _on_disk(self, tree: str, paths: tuple[str, ...]) -> str:
        changed = self._ground.disk.changed(tree, paths)
        return f"{named(changed)} changed in the working tree" if changed else ""

    def _of_push(self, request: PushRequest) -> str:
        url = self._pushes.url_of(request.remote)
        return "" if url == request.url else f"the URL of {request.remote} is {url} now"

    def _of_undo(self, request: UndoRequest) -> str:
        branch = look_up(self._user, request.ref)
        if branch is None:
            return f"{request.ref} is not there any more"
        if branch.value != request.commit:
            return f"{request.ref} moved to {branch.value[:12]}"
        if branch.here != request.update_worktree:
            return f"{request.ref} is {'' if branch.here else 'not '}the branch checked out now"
        return ""
