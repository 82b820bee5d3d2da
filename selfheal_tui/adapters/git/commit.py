"""Makes the approved commit: in the shadow first, then its objects and one ref in the repository.

The ref is moved by compare-and-swap. Refuses states that forbid a commit, a missing identity,
files with a filter, and anything that is not what was approved.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

from selfheal_tui.adapters.git.committree import CommitTrees
from selfheal_tui.adapters.git.discovery import head_of
from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.objects import GITLINK, Difference, is_zeros, zeros
from selfheal_tui.adapters.git.obstacles import check_filters, check_state, identity
from selfheal_tui.adapters.git.ownparts import check_own_parts
from selfheal_tui.adapters.git.refs import (
    Move,
    branch_names,
    clash,
    lock_ref,
    lost,
    move,
    subject_of,
)
from selfheal_tui.adapters.git.replacing import replacements_of
from selfheal_tui.adapters.git.runner import Conversation
from selfheal_tui.adapters.git.snapshot import list_worktree
from selfheal_tui.adapters.git.together import move_together
from selfheal_tui.adapters.git.worktree import Replacement, moved
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import CommitRequest, Granted
from selfheal_tui.core.text import NO_CHARACTER
from selfheal_tui.errors import RepositoryRefused


class Commits:
    """Commits of one session to one repository."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._place = ground.place
        self._facts = ground.facts
        self._shadow = ground.shadow
        self._zeros = zeros(ground.facts.object_format)
        self._trees = CommitTrees(ground.shadow, ground.scratch)

    def tree_for(self, snapshot: Snapshot, tree: str) -> str:
        """The tree to commit. Raises RepositoryRefused as `CommitTrees.make` does, and for
        changed files with a filter, whose bytes in a commit are not those on disk."""
        changed = [change.path for change in self._shadow.differences(snapshot.tree, tree)]
        check_filters(self._shadow, tree, changed, "committed")
        return self._trees.make(snapshot, tree)

    def request(
        self, snapshot: Snapshot, tree: str, message: str, branch: str | None
    ) -> CommitRequest:
        """What would be committed now, when nothing forbids it; `tree` is the tree to commit."""
        check_state(self._place)
        identity(self._place.user)
        _message_bytes(message)
        changes = self._commit_changes(snapshot, tree)
        if not changes:
            raise RepositoryRefused("there is nothing to commit: the tree equals HEAD's")
        check_filters(self._shadow, tree, [change.path for change in changes], "committed")
        ref, old = self._new_branch(branch) if branch is not None else self._current(snapshot)
        check_own_parts(self._place.git_dir, self._place.common_dir, ref)
        if branch is None:
            self._ground.index.check(list_worktree(self._place), changes)
            self._check_disk(snapshot, changes)
        return CommitRequest(
            tree=tree,
            parent=snapshot.head,
            ref=ref,
            old=old,
            message=message,
            update_worktree=branch is None,
        )

    def make(self, granted: Granted[CommitRequest], snapshot: Snapshot, tree: str) -> str:
        """Commit what was approved, and return the commit's id.

        `tree` is the candidate tree: what the files become where the current branch moves.
        Nothing of the repository has changed when this raises RepositoryRefused, but for objects
        that nothing refers to.
        """
        request = granted.request
        check_state(self._place)
        if request.parent != snapshot.head or request.tree != self.tree_for(snapshot, tree):
            raise RepositoryRefused("what would be committed is not what was approved; ask again")
        changes = self._commit_changes(snapshot, request.tree)
        check_own_parts(self._place.git_dir, self._place.common_dir, request.ref)
        commit = self._write_commit(request)
        self._hand_over(request, commit)
        if request.update_worktree:
            self._move_all(request, commit, snapshot, tree, changes)
        else:
            with self._locked_ref(request, commit) as transaction:
                move(transaction)
        return commit

    def take_back(self, begun: CommitRequest, snapshot: Snapshot, tree: str) -> tuple[str, ...]:
        """Put files and index back as they were before a commit that was begun by a run which was
        killed: the part of `_move_all` that came before the ref, as far as nobody changed it."""
        if not begun.update_worktree or self._current(snapshot) != (begun.ref, begun.old):
            return ()
        changes = self._commit_changes(snapshot, begun.tree)
        tracked = list_worktree(self._place).tracked
        staged = [c for c in changes if c.old != c.new and tracked.get(c.path) == c.new]
        if staged:
            back = [Difference(c.path, c.new, c.old) for c in staged]
            self._ground.index.install(self._ground.index.prepare(back))
        written = self._replacements(snapshot, tree, changes)
        undone = self._ground.files.undo(written)
        return tuple(sorted({*undone, *(change.path for change in staged)}))

    # --- where it goes

    def _new_branch(self, branch: str) -> tuple[str, str]:
        ref = f"refs/heads/{branch}"
        checked = self._shadow.git.result("check-ref-format", ref, accept=(0, 1))
        if checked.code != 0 or branch.startswith("-") or branch == "HEAD":
            raise RepositoryRefused(f"{branch!r} is not a name that git allows for a branch")
        taken = clash(branch, self.branches())
        if taken:
            raise RepositoryRefused(f"the branch {taken!r} exists already: name another one")
        return ref, self._zeros

    def branches(self) -> frozenset[str]:
        """The short names of all local branches."""
        return branch_names(self._place.user)

    def _current(self, snapshot: Snapshot) -> tuple[str, str]:
        ref, head = head_of(self._place.user, self._facts.object_format)
        if not ref:
            raise RepositoryRefused("HEAD is detached, there is no current branch: name a branch")
        if (ref, head) != (snapshot.branch, snapshot.head):
            raise RepositoryRefused(lost(ref))
        return ref, head

    def _commit_changes(self, snapshot: Snapshot, committed: str) -> list[Difference]:
        return self._shadow.differences(snapshot.head_tree, committed)

    # --- the commit and its objects

    def _write_commit(self, request: CommitRequest) -> str:
        parents = () if is_zeros(request.parent) else ("-p", request.parent)
        git = self._shadow.git.adding(**identity(self._place.user))
        made = git.call("commit-tree", request.tree, *parents, feed=_message_bytes(request.message))
        return made.decode().strip()

    def _hand_over(self, request: CommitRequest, commit: str) -> None:
        """Give the repository the commit and the objects that its parent does not have."""
        parent = self._shadow.empty_tree if is_zeros(request.parent) else request.parent
        differences = self._shadow.differences(parent, commit, "-t")
        ids = {d.new.id for d in differences if d.new and d.new.mode != GITLINK}
        names = "".join(f"{name}\n" for name in sorted({*ids, request.tree, commit}))
        with tempfile.TemporaryFile(dir=self._ground.scratch) as pack:
            self._shadow.git.call("pack-objects", "--stdout", "-q", feed=names.encode(), into=pack)
            pack.seek(0)
            self._place.user.call("index-pack", "--stdin", "--fix-thin", feed=pack)

    def _locked_ref(self, request: CommitRequest, commit: str) -> Conversation:
        user = self._place.user.adding(**identity(self._place.user))
        why = subject_of(request.message)
        wanted = Move(request.ref, request.old, commit, why, lost(request.ref))
        return lock_ref(user, wanted, self._ground.patience)

    # --- the working tree

    def _move_all(
        self,
        request: CommitRequest,
        commit: str,
        snapshot: Snapshot,
        tree: str,
        changes: list[Difference],
    ) -> None:
        """Files, index and ref, in the order that `worktree` documents."""
        self._current(snapshot)
        files, index = self._ground.files, self._ground.index
        index.wait_until_free()
        index.check(list_worktree(self._place), changes)
        new_index = index.prepare(changes)
        replacements = self._replacements(snapshot, tree, changes)
        files.check(replacements)
        with self._locked_ref(request, commit) as transaction:
            # Only now nobody can move the branch, or switch to another one without our knowing.
            self._current(snapshot)
            check_state(self._place)
            move_together(
                self._ground, transaction, request.ref, request.old, replacements, new_index
            )

    def _check_disk(self, snapshot: Snapshot, changes: Sequence[Difference]) -> None:
        changed = self._ground.disk.changed(snapshot.tree, [change.path for change in changes])
        if changed:
            raise RepositoryRefused(moved(changed))

    def _replacements(
        self, snapshot: Snapshot, tree: str, changes: list[Difference]
    ) -> list[Replacement]:
        """What the candidate tree asks of the disk, within what the commit changes."""
        committed = {change.path for change in changes}
        wanted = [
            difference
            for difference in self._shadow.differences(snapshot.tree, tree)
            if difference.path in committed
        ]
        return replacements_of(self._shadow, wanted)


def _message_bytes(message: str) -> bytes:
    try:
        data = message.encode()
    except UnicodeEncodeError as error:
        raise RepositoryRefused("the commit message is not valid text") from error
    if not data.strip() or b"\0" in data:
        raise RepositoryRefused("the commit message is empty, or holds a NUL byte")
    if found := NO_CHARACTER.search(message):
        raise RepositoryRefused(
            f"git would change the commit message: U+{ord(found[0]):04X} in it is no character"
        )
    return data
