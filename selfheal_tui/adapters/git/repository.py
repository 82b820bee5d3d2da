"""The user's repository behind `agent.ports.Repository`: finds it, opens its shadow, wires both.

Every method does its work in a thread; the order of the user's own calls is kept by a lock.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfheal_tui.adapters.git.already import already_made
from selfheal_tui.adapters.git.commit import Commits
from selfheal_tui.adapters.git.discovery import Facts, Place, facts_of, find, setting
from selfheal_tui.adapters.git.environment import (
    local_environment,
    network_environment,
    private_environment,
)
from selfheal_tui.adapters.git.ground import Ground, ground
from selfheal_tui.adapters.git.index import sweep
from selfheal_tui.adapters.git.merge import TreeMerges
from selfheal_tui.adapters.git.obstacles import check_state
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.push import Pushes
from selfheal_tui.adapters.git.rules import Rules, open_rules
from selfheal_tui.adapters.git.runner import (
    NETWORK_COMMANDS,
    RULES_COMMANDS,
    SHADOW_COMMANDS,
    Runner,
)
from selfheal_tui.adapters.git.shadow import ShadowRepository, open_shadow
from selfheal_tui.adapters.git.snapshot import Snapshots
from selfheal_tui.adapters.git.stale import Staleness
from selfheal_tui.adapters.git.threads import ended_with, in_thread
from selfheal_tui.adapters.git.undo import Undos
from selfheal_tui.adapters.git.update import Updates
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import (
    CommitRequest,
    Granted,
    PushRequest,
    Request,
    UndoRequest,
    WorktreeRequest,
)
from selfheal_tui.core.events import Undone
from selfheal_tui.core.merge import Merge
from selfheal_tui.core.slug import unused_branch
from selfheal_tui.errors import RepositoryRefused

_PRIVATE = 0o077
_PUSH_SECONDS = 120.0


class GitRepository:
    """Fits `agent.ports.Repository`. Made by `open_repository`."""

    def __init__(self, ground: Ground, snapshots: Snapshots, pushes: Pushes) -> None:
        self.facts = ground.facts
        self.shadow = ground.shadow
        self._ground = ground
        self._snapshots = snapshots
        self._commits = Commits(ground)
        self._updates = Updates(ground)
        self._undos = Undos(ground)
        self._merges = TreeMerges(ground.shadow, ground.scratch)
        self._pushes = pushes
        self._staleness = Staleness(ground, pushes)
        self._lock = asyncio.Lock()

    @property
    def root(self) -> str:
        """The working tree's root, absolute."""
        return self.facts.root

    async def check_state(self) -> None:
        """Raises RepositoryRefused in a state that would forbid the commit in the end."""
        await asyncio.to_thread(check_state, self._ground.place)

    async def snapshot(self) -> Snapshot:
        """The tree as it is on disk, copied into the shadow. Raises RepositoryRefused."""
        async with self._lock:
            return await in_thread(self._snapshots.take)

    async def commit_tree_for(self, snapshot: Snapshot, tree: str) -> str:
        """The tree to commit for the candidate `tree`. Raises RepositoryRefused on a conflict
        with uncommitted edits, naming the files."""
        return await in_thread(self._commits.tree_for, snapshot, tree)

    async def merge_trees(self, base: str, ours: str, theirs: str) -> Merge:
        """What leads from `base` to `theirs` on top of `ours`, all trees of the shadow."""
        return await in_thread(self._merges.merge, base, ours, theirs)

    async def commit_request(
        self, snapshot: Snapshot, tree: str, message: str, *, branch: str | None
    ) -> CommitRequest:
        """The commit of `tree` (as `commit_tree_for` gave it) on a new branch, or on the current
        one for None. Raises RepositoryRefused for every state that would forbid it now."""
        return await in_thread(self._commits.request, snapshot, tree, message, branch)

    async def commit(self, granted: Granted[CommitRequest], snapshot: Snapshot, tree: str) -> str:
        """Make the commit; `tree` is the candidate tree. Raises RepositoryRefused, and then
        branch, index and files are as they were."""
        async with self._lock:
            return await in_thread(self._commits.make, granted, snapshot, tree)

    async def made(self, request: CommitRequest) -> str:
        """The commit that `request` asks for, where its ref holds it already; else empty."""
        return await in_thread(already_made, self._ground, request)

    async def take_back(
        self, begun: CommitRequest, snapshot: Snapshot, tree: str
    ) -> tuple[str, ...]:
        """Put back what a killed run had written of a commit whose ref has not moved; the paths.
        Raises RepositoryRefused."""
        async with self._lock:
            return await in_thread(self._commits.take_back, begun, snapshot, tree)

    async def unused_branch(self, task: str) -> str:
        """A branch name made from the task that no branch has: `selfheal/<slug>`, `-2`, ..."""
        return unused_branch(task, await in_thread(self._commits.branches))

    async def worktree_request(self, snapshot: Snapshot, tree: str) -> WorktreeRequest:
        """What would be written into the files, from `snapshot.tree` to `tree`. Raises
        RepositoryRefused where a file is not the snapshot's any more, or has a filter."""
        return await in_thread(self._updates.request, snapshot, tree)

    async def update_worktree(self, granted: Granted[WorktreeRequest], snapshot: Snapshot) -> None:
        """Write the files, all or none. Raises RepositoryRefused; refs and index stay."""
        async with self._lock:
            await in_thread(self._updates.make, granted, snapshot)

    async def stale(self, request: Request, snapshot: Snapshot | None) -> str:
        """Why `request` no longer holds, as a sentence; empty while it does."""
        return await in_thread(self._staleness.why, request, snapshot)

    async def undo_request(self, commit: str, ref: str, *, update_worktree: bool) -> UndoRequest:
        """The way back from `commit`, which must be the value of `ref`, to its parent.

        `update_worktree`: whether the commit had updated the files. Raises RepositoryRefused.
        """
        return await in_thread(self._undos.request, commit, ref, update_worktree=update_worktree)

    async def is_undone(self, commit: str, ref: str, new: str) -> bool:
        """Whether `ref` is at `new`, the parent of `commit`, as an undo of it leaves it."""
        return await in_thread(self._undos.is_done, commit, ref, new)

    async def undo(self, granted: Granted[UndoRequest]) -> Undone:
        """Move the branch back, and restore what is still the commit's. Raises RepositoryRefused,
        and then branch, index and files are as they were."""
        async with self._lock:
            return await in_thread(self._undos.undo, granted)

    async def check_remote(self, remote: str) -> None:
        """Raises RepositoryRefused when `remote` has no URL that may be pushed to. Asks nobody."""
        await asyncio.to_thread(self._pushes.check, remote)

    async def push_request(self, commit: str, remote: str, branch: str) -> PushRequest:
        """The push of `commit` to `branch` of `remote`; asks the remote for its value."""
        return await ended_with(self._pushes.let_go, self._pushes.request, commit, remote, branch)

    async def push(self, granted: Granted[PushRequest]) -> None:
        """Push what was approved. Raises RepositoryRefused with the remote's reason. Cancelled, it
        is broken off: what came of it, only the remote knows."""
        await ended_with(self._pushes.let_go, self._pushes.push, granted)

    async def close(self) -> None:
        """Let go of what is cached; the shadow stays on disk for `--resume`."""
        await self.shadow.close()


async def open_repository(
    start: Path,
    state: Path,
    *,
    artifacts: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    patience: Patience | None = None,
    push_seconds: float = _PUSH_SECONDS,
) -> GitRepository:
    """Open the repository around `start`, with its shadow in `state` (this session's folder).

    `artifacts` are ignore patterns of what the sandbox's tools leave behind; `environment` is the
    host's (None: this process's). Raises RepositoryRefused with the reason.
    """
    host = dict(os.environ) if environment is None else environment
    return await in_thread(
        _open, start, state, tuple(artifacts), host, patience or Patience(), push_seconds
    )


def _open(
    start: Path,
    state: Path,
    artifacts: tuple[str, ...],
    host: Mapping[str, str],
    patience: Patience,
    push_seconds: float,
) -> GitRepository:
    place = find(start, host)
    facts = facts_of(place)
    sweep(place.git_dir)
    try:
        scratch = _private(state / "scratch")
        rules = _open_rules(place, state, host, artifacts)
        shadow = _open_shadow(place, facts, state, host, rules)
    except OSError as error:
        raise RepositoryRefused(f"the state folder {state} cannot be written: {error}") from error
    network = Runner(
        place.user.executable,
        shadow.git.folder,
        network_environment(host, place.root) | {"GIT_DIR": str(shadow.git.folder)},
        NETWORK_COMMANDS,
        umask=_PRIVATE,
        timeout=push_seconds,
    )
    return GitRepository(
        ground(place, facts, shadow, scratch, patience),
        Snapshots(place, facts, shadow),
        Pushes(place, shadow, network),
    )


def _open_shadow(
    place: Place, facts: Facts, state: Path, host: Mapping[str, str], rules: Rules
) -> ShadowRepository:
    folder = _private(state / "shadow.git")
    git = Runner(
        place.user.executable,
        folder,
        private_environment(host, place.root, folder) | {"GIT_DIR": str(folder)},
        SHADOW_COMMANDS,
        umask=_PRIVATE,
        timeout=600.0,
    )
    shadow = open_shadow(git, place.common_dir / "objects", facts.object_format, rules)
    # A shallow clone's end of history is as far as the shadow can see, too.
    (folder / "shallow").unlink(missing_ok=True)
    if facts.shallow:
        (folder / "shallow").write_bytes((place.common_dir / "shallow").read_bytes())
    return shadow


def _open_rules(
    place: Place, state: Path, host: Mapping[str, str], artifacts: tuple[str, ...]
) -> Rules:
    folder = _private(state / "rules")
    settings: list[str] = []
    for name in ("core.excludesFile", "core.attributesFile"):
        if file := setting(place.user, name, "--type=path"):
            settings += ["-c", f"{name}={place.root / file}"]
    git = Runner(
        place.user.executable,
        _private(folder / "git"),
        local_environment(host, place.root),
        RULES_COMMANDS,
        settings=tuple(settings),
        umask=_PRIVATE,
    )
    info = place.common_dir / "info"
    return open_rules(
        git,
        folder / "tree",
        exclude=_small_file(info / "exclude"),
        attributes=_small_file(info / "attributes"),
        artifacts=artifacts,
    )


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _small_file(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() and file.stat().st_size < 1 << 20 else b""
    except OSError:
        return b""
