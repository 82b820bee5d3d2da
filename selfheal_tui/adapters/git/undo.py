"""Takes an approved commit back: its branch to the parent, and the files that are still its own.

The branch is moved by compare-and-swap and never deleted. Files and index entries follow only
where they are byte by byte what the commit made of them; whatever else is there stays. The order
is that of `worktree`: files, index, branch; when we are killed in between, asking again ends it.
Refuses what has other commits on top, a commit without exactly one parent, and a branch that is
checked out although the commit never touched its files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.index import check_sparse
from selfheal_tui.adapters.git.objects import GITLINK, Difference, Entry
from selfheal_tui.adapters.git.obstacles import check_filters, check_state, identity
from selfheal_tui.adapters.git.ownparts import check_own_parts
from selfheal_tui.adapters.git.refs import Branch, Move, lock_ref, look_up, move
from selfheal_tui.adapters.git.replacing import file_of, ids_of, with_line_ends_of
from selfheal_tui.adapters.git.runner import Conversation, one_line
from selfheal_tui.adapters.git.snapshot import Listing, list_worktree
from selfheal_tui.adapters.git.together import move_together
from selfheal_tui.adapters.git.worktree import Replacement
from selfheal_tui.core.approval import Granted, UndoRequest
from selfheal_tui.core.events import Undone
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import RepositoryRefused


@dataclass(frozen=True)
class _Plan:
    """What the files and the index need, and which paths will be back."""

    replacements: list[Replacement]
    index: list[Difference]
    restored: tuple[str, ...]
    kept: tuple[str, ...]


class Undos:
    """Takes commits of one repository back."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._user = ground.place.user
        self._shadow = ground.shadow

    def request(self, commit: str, ref: str, *, update_worktree: bool) -> UndoRequest:
        """What would be taken back now. Raises RepositoryRefused with the reason.

        `update_worktree`: whether the commit had updated the files; they are only asked for while
        its branch is the one checked out.
        """
        check_state(self._ground.place)
        branch = look_up(self._user, ref)
        if branch is None:
            raise RepositoryRefused(f"{ref} is not there any more: there is nothing to undo")
        if branch.value != commit:
            raise RepositoryRefused(self._moved(ref, commit, branch))
        parent = self._parent(commit, ref)
        _check_not_elsewhere(ref, branch)
        if branch.here and not update_worktree:
            raise RepositoryRefused(
                f"{ref} is checked out now, and the commit was made without touching your files: "
                f"switch to another branch first (`git switch -`), then undo"
            )
        paths: tuple[str, ...] = ()
        if branch.here:
            differences = self._differences(commit, parent)
            paths = tuple(difference.path for difference in differences)
        return UndoRequest(commit, ref, parent, update_worktree=branch.here, paths=paths)

    def is_done(self, commit: str, ref: str, new: str) -> bool:
        """Whether `ref` is at `new`, the parent of `commit`: the branch is what moves last."""
        branch = look_up(self._user, ref)
        return branch is not None and branch.value == new == self._parent(commit, ref)

    def undo(self, granted: Granted[UndoRequest]) -> Undone:
        """Take back what was approved. Raises RepositoryRefused, and then nothing has changed."""
        request = granted.request
        now = self.request(request.commit, request.ref, update_worktree=request.update_worktree)
        if now != request:
            raise RepositoryRefused("what would be undone is not what was approved; ask again")
        if request.update_worktree:
            plan = self._move_all(request)
            return Undone(request.commit, request.ref, request.new, plan.restored, plan.kept)
        with self._locked_ref(request) as transaction:
            self._check_here(request)
            move(transaction)
        return Undone(request.commit, request.ref, request.new)

    # --- what forbids it

    def _moved(self, ref: str, commit: str, branch: Branch) -> str:
        tip = f"{branch.value[:12]} ({self._subject(branch.value)})"
        on_top = self._shadow.git.result(
            "merge-base", "--is-ancestor", commit, branch.value, accept=(0, 1, 128)
        )
        if on_top.code == 0:
            return (
                f"{ref} has commits on top of {commit[:12]}, up to {tip}: nothing was undone; take "
                f"those back first, or use `git revert {commit[:12]}`"
            )
        return f"{ref} is at {tip} now and no longer at {commit[:12]}: nothing was undone"

    def _parent(self, commit: str, ref: str) -> str:
        head = self._commit(commit).partition(b"\n\n")[0]
        lines = head.decode("utf-8", "replace").split("\n")
        parents = [line.partition(" ")[2] for line in lines if line.startswith("parent ")]
        if not parents:
            raise RepositoryRefused(
                f"{commit[:12]} is the first commit of {ref}: there is nothing to go back to, and "
                f"a branch is never deleted; `git update-ref -d {ref}` would do it"
            )
        if len(parents) > 1:
            raise RepositoryRefused(f"{commit[:12]} is a merge: it cannot be undone by selfheal")
        return parents[0]

    def _differences(self, commit: str, parent: str) -> list[Difference]:
        """What leads back from the commit to its parent."""
        differences = self._shadow.differences(commit, parent)
        paths = [difference.path for difference in differences]
        for tree in (commit, parent):
            check_filters(self._shadow, tree, paths, "restored")
        entries = [entry for d in differences for entry in (d.old, d.new) if entry]
        if any(entry.mode == GITLINK for entry in entries):
            raise RepositoryRefused(
                f"{commit[:12]} changes a submodule: it cannot be undone by selfheal"
            )
        return differences

    def _check_here(self, request: UndoRequest) -> None:
        """Asked again with the branch locked, because the user may have switched meanwhile."""
        branch = look_up(self._user, request.ref)
        if branch is None or branch.here != request.update_worktree:
            raise RepositoryRefused(
                "another branch was checked out at the same moment: nothing was undone; try again"
            )
        _check_not_elsewhere(request.ref, branch)

    # --- the branch

    def _locked_ref(self, request: UndoRequest) -> Conversation:
        place = self._ground.place
        check_own_parts(place.git_dir, place.common_dir, request.ref)
        wanted = Move(
            ref=request.ref,
            old=request.commit,
            new=request.new,
            why=f"undo of {request.commit[:12]}: {self._subject(request.commit)}",
            lost=f"{request.ref} moved at the same moment: nothing was undone",
        )
        user = self._user.adding(**identity(self._user))
        return lock_ref(user, wanted, self._ground.patience)

    def _subject(self, commit: str) -> str:
        message = self._commit(commit).partition(b"\n\n")[2]
        return one_line(message.strip().partition(b"\n")[0], 72)

    def _commit(self, commit: str) -> bytes:
        return self._user.call("cat-file", "commit", commit)

    # --- the working tree

    def _move_all(self, request: UndoRequest) -> _Plan:
        """Files, index and ref, in the order that `worktree` documents."""
        index = self._ground.index
        index.wait_until_free()
        plan = self._plan(request)
        new_index = index.prepare(plan.index)
        with self._locked_ref(request) as transaction:
            # Only now nobody can move the branch, or switch to another one without our knowing.
            self._check_here(request)
            move_together(
                self._ground,
                transaction,
                request.ref,
                request.commit,
                plan.replacements,
                new_index,
            )
        return plan

    def _plan(self, request: UndoRequest) -> _Plan:
        differences = self._differences(request.commit, request.new)
        listing = list_worktree(self._ground.place)
        check_sparse(listing, request.paths)
        blobs = self._shadow.blobs(ids_of(differences))
        found = self._ground.files.found(request.paths)
        wanted, restored = [], set()
        for difference in differences:
            path, committed, before = difference.path, difference.old, difference.new
            if path not in found and committed is not None:
                continue
            # What cannot be read there may be a folder of the commit's, which gives way.
            disk = found.get(path)
            if self._is(disk, file_of(path, before, blobs)):
                restored.add(path)
            elif self._is(disk, file_of(path, committed, blobs)) and _is_untouched(
                listing, difference
            ):
                back = file_of(path, before, blobs)
                wanted.append(Replacement(path, disk, back and with_line_ends_of(disk, back)))
        replacements = self._ground.files.replaceable(wanted)
        restored.update(replacement.path for replacement in replacements)
        return _Plan(
            replacements,
            [d for d in differences if _index_entry(listing, d.path) == d.old],
            tuple(sorted(restored)),
            tuple(sorted(set(request.paths) - restored)),
        )

    def _is(self, disk: TreeFile | None, file: TreeFile | None) -> bool:
        """Whether the disk holds the file, line ends apart where all of them are CRLF there."""
        if disk is None or file is None:
            return disk is file
        if not self._ground.files.same_mode(disk, file):
            return False
        if disk.content == file.content:
            return True
        return b"\r\n" not in file.content and disk == replace(
            with_line_ends_of(disk, file), mode=disk.mode
        )


def _check_not_elsewhere(ref: str, branch: Branch) -> None:
    if branch.elsewhere:
        raise RepositoryRefused(
            f"{ref} is checked out in {branch.elsewhere}: undo it there, so that its files follow"
        )


def _index_entry(listing: Listing, path: str) -> Entry | None:
    """The path's entry in the index; one that is unmerged is nobody's."""
    return Entry(0, "") if path in listing.unmerged else listing.tracked.get(path)


def _is_untouched(listing: Listing, difference: Difference) -> bool:
    """Whether nothing of the user's own is staged for the path: its entry is the commit's, or the
    parent's already."""
    return _index_entry(listing, difference.path) in (difference.old, difference.new)
