"""Makes the approved commit: in the shadow first, then its objects and one ref in the repository.

The ref is moved by compare-and-swap. Refuses states that forbid a commit, a missing identity,
files with a filter, and anything that is not what was approved.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from selfheal_tui.adapters.git.committree import CommitTrees, has_crlf_only
from selfheal_tui.adapters.git.discovery import Facts, Place, head_of, in_progress, setting
from selfheal_tui.adapters.git.index import UserIndex
from selfheal_tui.adapters.git.objects import GITLINK, Difference, Entry, is_zeros, zeros
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.refs import clash, lock_ref, lost, move
from selfheal_tui.adapters.git.runner import Conversation
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.adapters.git.snapshot import list_worktree, to_lf
from selfheal_tui.adapters.git.worktree import Replacement, WorkingTree
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import CommitRequest, Granted
from selfheal_tui.core.tree import LINK, TreeFile
from selfheal_tui.errors import RepositoryRefused


class Commits:
    """Commits of one session to one repository."""

    def __init__(
        self,
        place: Place,
        facts: Facts,
        shadow: ShadowRepository,
        scratch: Path,
        patience: Patience,
    ) -> None:
        self._place = place
        self._facts = facts
        self._zeros = zeros(facts.object_format)
        self._shadow = shadow
        self._scratch = scratch
        self._patience = patience
        self._trees = CommitTrees(shadow, scratch)
        self._index = UserIndex(place.git_dir, shadow.git, scratch, facts.object_format, patience)
        self._files = WorkingTree(place.root, file_mode=facts.file_mode)

    def tree_for(self, snapshot: Snapshot, tree: str) -> str:
        """The tree to commit. Raises RepositoryRefused as `CommitTrees.make` does, and for
        changed files with a filter, whose bytes in a commit are not those on disk."""
        self._check_filters(tree, self._shadow.differences(snapshot.tree, tree))
        return self._trees.make(snapshot, tree)

    def request(
        self, snapshot: Snapshot, tree: str, message: str, branch: str | None
    ) -> CommitRequest:
        """What would be committed now, when nothing forbids it; `tree` is the tree to commit."""
        self.check_state()
        self._identity()
        _message_bytes(message)
        changes = self._commit_changes(snapshot, tree)
        if not changes:
            raise RepositoryRefused("there is nothing to commit: the tree equals HEAD's")
        self._check_filters(tree, changes)
        ref, old = self._new_branch(branch) if branch is not None else self._current(snapshot)
        if branch is None:
            self._index.check(list_worktree(self._place), changes)
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
        self.check_state()
        if request.parent != snapshot.head or request.tree != self.tree_for(snapshot, tree):
            raise RepositoryRefused("what would be committed is not what was approved; ask again")
        changes = self._commit_changes(snapshot, request.tree)
        commit = self._write_commit(request)
        self._hand_over(request, commit)
        if request.update_worktree:
            self._move_all(request, commit, snapshot, tree, changes)
        else:
            with self._locked_ref(request, commit) as transaction:
                move(transaction)
        return commit

    # --- what forbids a commit

    def check_state(self) -> None:
        """Raises RepositoryRefused while a merge, rebase or the like is in progress."""
        state = in_progress(self._place.git_dir)
        if state:
            raise RepositoryRefused(
                f"a {state} is in progress in {self._place.root}: finish or abort it first"
            )

    def _check_filters(self, tree: str, changes: Sequence[Difference]) -> None:
        filtered = self._shadow.filtered(tree, [change.path for change in changes])
        if filtered:
            names = ", ".join(f"{p!r} ({name})" for p, name in sorted(filtered.items())[:10])
            raise RepositoryRefused(
                f"files with a filter attribute cannot be committed, because filters of the "
                f"repository are never run: {names}"
            )

    def _identity(self) -> dict[str, str]:
        """The user as author and committer. Raises RepositoryRefused when none is set."""
        name = setting(self._place.user, "user.name").strip()
        email = setting(self._place.user, "user.email").strip()
        if not name or not email:
            missing = "user.name" if not name else "user.email"
            raise RepositoryRefused(
                f"git does not know who you are: set it with `git config --global {missing} ...`"
            )
        return {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }

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
        listing = self._place.user.call(
            "for-each-ref", "--format=%(refname)", "refs/heads/"
        ).splitlines()
        return frozenset(os.fsdecode(line).removeprefix("refs/heads/") for line in listing)

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
        git = self._shadow.git.adding(**self._identity())
        made = git.call("commit-tree", request.tree, *parents, feed=_message_bytes(request.message))
        return made.decode().strip()

    def _hand_over(self, request: CommitRequest, commit: str) -> None:
        """Give the repository the commit and the objects that its parent does not have."""
        parent = self._shadow.empty_tree if is_zeros(request.parent) else request.parent
        differences = self._shadow.differences(parent, commit, "-t")
        ids = {d.new.id for d in differences if d.new and d.new.mode != GITLINK}
        names = "".join(f"{name}\n" for name in sorted({*ids, request.tree, commit}))
        with tempfile.TemporaryFile(dir=self._scratch) as pack:
            self._shadow.git.call("pack-objects", "--stdout", "-q", feed=names.encode(), into=pack)
            pack.seek(0)
            self._place.user.call("index-pack", "--stdin", "--fix-thin", feed=pack)

    def _locked_ref(self, request: CommitRequest, commit: str) -> Conversation:
        return lock_ref(
            self._place.user.adding(**self._identity()), request, commit, self._patience
        )

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
        self._index.wait_until_free()
        self._index.check(list_worktree(self._place), changes)
        index = self._index.prepare(changes)
        replacements = self._replacements(snapshot, tree, changes)
        self._files.check(replacements)
        with self._locked_ref(request, commit) as transaction:
            # Only now nobody can move the branch, or switch to another one without our knowing.
            self._current(snapshot)
            self._files.replace(replacements)
            try:
                self._index.install(index)
            except BaseException:
                self._files.undo(replacements)
                raise
            move(transaction)

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
        entries = [entry for d in wanted for entry in (d.old, d.new) if entry is not None]
        blobs = self._shadow.blobs(entry.id for entry in entries)
        return [_replacement(difference, blobs) for difference in wanted]


def _replacement(difference: Difference, blobs: dict[str, bytes]) -> Replacement:
    path = difference.path
    old, new = _file(path, difference.old, blobs), _file(path, difference.new, blobs)
    if old and new and LINK not in {old.mode, new.mode} and has_crlf_only(old.content):
        new = TreeFile(path, new.mode, to_lf(new.content).replace(b"\n", b"\r\n"))
    return Replacement(path, old, new)


def _file(path: str, entry: Entry | None, blobs: dict[str, bytes]) -> TreeFile | None:
    return None if entry is None else TreeFile(path, entry.mode, blobs[entry.id])


def _message_bytes(message: str) -> bytes:
    try:
        data = message.encode()
    except UnicodeEncodeError as error:
        raise RepositoryRefused("the commit message is not valid text") from error
    if not data.strip() or b"\0" in data:
        raise RepositoryRefused("the commit message is empty, or holds a NUL byte")
    return data
