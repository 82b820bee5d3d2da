"""Everything that the adapters do to a repository, one after the other, with each approval told to
the oracle: a commit on a new branch, a push, a commit that updates the files, and an update of the
files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.repository import GitRepository, open_repository
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import kind_of
from selfheal_tui.errors import RepositoryRefused
from tests.hostile.oracle import Oracle
from tests.hostile.scene import Scene
from tests.support.repos import change_of, granted

DONE = ["committed", "pushed", "updated the branch", "undone", "updated the files"]


class Deeds:
    """Does all of it in `scene`; `done` names what was done, `refused` the sentences of what was
    not."""

    def __init__(self, scene: Scene, oracle: Oracle, environment: Mapping[str, str]) -> None:
        self._scene = scene
        self._oracle = oracle
        self._environment = scene._environment() | dict(environment)
        self.done: list[str] = []
        self.refused: list[str] = []

    async def all(self, start: str, remote: str) -> None:
        """Each deed is tried, also where another was refused."""
        try:
            git = await self._open(start)
        except RepositoryRefused as error:
            self.refused.append(str(error))
            return
        for deed in (self._branch, self._here, self._files):
            try:
                await deed(git, remote)
            except RepositoryRefused as error:
                self.refused.append(str(error))
        await git.close()

    async def _open(self, start: str) -> GitRepository:
        state = self._scene.state
        state.mkdir(exist_ok=True)
        patience = Patience(seconds=0.2, pause=0.05)
        git = await open_repository(
            self._scene.repository / start, state / "s", environment=self._environment,
            patience=patience, push_seconds=20.0,
        )  # fmt: skip
        await git.check_state()
        return git

    def _granted(self, request: Any) -> Any:
        self._oracle.consents.grant(kind_of(request), asdict(request))
        return granted(request)

    async def _branch(self, git: GitRepository, remote: str) -> None:
        commit = await self._commit(git, await git.snapshot(), "selfheal/fix")
        self.done.append("committed")
        await self._push(git, commit, remote)

    async def _push(self, git: GitRepository, commit: str, remote: str) -> None:
        request = await git.push_request(commit, remote, "healed")
        await git.push(self._granted(request))
        self.done.append("pushed")

    async def _here(self, git: GitRepository, remote: str) -> None:
        ref = f"refs/heads/{'main'}"
        commit = await self._commit(git, await git.snapshot(), None)
        self.done.append("updated the branch")
        back = await git.undo_request(commit, ref, update_worktree=True)
        await git.undo(self._granted(back))
        self.done.append("undone")

    async def _files(self, git: GitRepository, remote: str) -> None:
        snapshot = await git.snapshot()
        tree = await git.shadow.apply(snapshot.tree, change_of({"b.txt": b"healed\n"}))
        request = await git.worktree_request(snapshot, tree)
        await git.update_worktree(self._granted(request), snapshot)
        self.done.append("updated the files")

    async def _commit(self, git: GitRepository, snapshot: Snapshot, branch: str | None) -> str:
        change = change_of({"b.txt": b"healed\n", "new.txt": b"new\n"}, deleted=("d/c.txt",))
        tree = await git.shadow.apply(snapshot.tree, change)
        await git.shadow.patch(snapshot.head_tree, tree)
        await git.shadow.change(snapshot.head_tree, tree)
        commit_tree = await git.commit_tree_for(snapshot, tree)
        request = await git.commit_request(snapshot, commit_tree, "Mend it\n", branch=branch)
        return await git.commit(self._granted(request), snapshot, tree)
