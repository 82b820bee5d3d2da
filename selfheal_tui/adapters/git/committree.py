"""The tree to commit: HEAD's, with what the session changed and nothing of the user's own edits.

Refuses, naming the files, where the two cannot be told apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from selfheal_tui.adapters.git.beneath import above_of
from selfheal_tui.adapters.git.objects import GITLINK, Difference, Entry
from selfheal_tui.adapters.git.runner import GitFailed
from selfheal_tui.adapters.git.shadow import Drop, Piece, Put, ShadowRepository, Write
from selfheal_tui.adapters.git.snapshot import to_lf
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.tree import LINK, TreeFile
from selfheal_tui.errors import RepositoryRefused


@dataclass(frozen=True)
class _Sides:
    """One changed path: in HEAD, in the snapshot, and in the candidate tree."""

    path: str
    head: Entry | None
    old: Entry | None
    new: Entry | None


class _Conflict(Exception):
    """The change and the user's own edit of one path cannot be told apart."""


class CommitTrees:
    """Makes commit trees; three-way merges are done on plain files in `scratch`."""

    def __init__(self, shadow: ShadowRepository, scratch: Path) -> None:
        self._shadow = shadow
        self._scratch = scratch

    def make(self, snapshot: Snapshot, tree: str) -> str:
        """HEAD's tree plus what leads from `snapshot.tree` to `tree`.

        Raises RepositoryRefused with the names of the files that hold uncommitted edits which
        overlap the change, or that were never committed.
        """
        if tree == snapshot.tree:
            return snapshot.head_tree
        head = self._shadow.entries(snapshot.head_tree)
        changes = self._shadow.differences(snapshot.tree, tree)
        pieces: list[Piece] = []
        refused = sorted(_blocked(head, changes))
        for change in changes:
            sides = _Sides(change.path, head.get(change.path), change.old, change.new)
            try:
                pieces += self._piece(sides)
            except _Conflict:
                refused.append(change.path)
        if refused:
            raise RepositoryRefused(_sentence(refused))
        drops = (piece for piece in pieces if isinstance(piece, Drop))
        writes = (piece for piece in pieces if not isinstance(piece, Drop))
        return self._shadow.store(snapshot.head_tree, itertools.chain(drops, writes))

    def _piece(self, sides: _Sides) -> Iterable[Piece]:
        """What the commit does with one path: nothing, or one piece. Raises _Conflict."""
        if sides.new == sides.head:
            return ()
        if sides.new is None:
            return self._deletion(sides)
        if sides.head is None:
            if sides.old is not None:
                raise _Conflict
            return (Put(sides.path, sides.new),)
        if sides.old is None:
            raise _Conflict
        if sides.old == sides.head:
            return (Put(sides.path, sides.new),)
        return self._merged(sides, sides.head, sides.old, sides.new)

    def _deletion(self, sides: _Sides) -> Iterable[Piece]:
        if sides.head is None:
            return ()
        if sides.old is None or not self._is_committed(sides.head, sides.old):
            raise _Conflict
        return (Drop(sides.path),)

    def _is_committed(self, head: Entry, old: Entry) -> bool:
        """Whether the snapshot holds HEAD's content, line ends apart."""
        if old.id == head.id:
            return True
        blobs = self._shadow.blobs((head.id, old.id))
        return is_crlf_of(blobs[old.id], blobs[head.id])

    def _merged(self, sides: _Sides, head: Entry, old: Entry, new: Entry) -> Iterable[Piece]:
        """The session's change on top of HEAD, where the snapshot differs from HEAD."""
        mode = _merged_mode(head.mode, old.mode, new.mode)
        if old.id == head.id:
            return (Put(sides.path, Entry(mode, new.id)),)
        if new.id == old.id:
            return _unless_same(sides.path, Entry(mode, head.id), head)
        if LINK in {head.mode, old.mode, new.mode}:
            raise _Conflict
        blobs = self._shadow.blobs((head.id, old.id, new.id))
        ours, base, theirs = blobs[head.id], blobs[old.id], blobs[new.id]
        if has_crlf_only(base) and b"\r\n" not in ours:
            base, theirs = to_lf(base), to_lf(theirs)
        content = theirs if base == ours else self._merge_texts(ours, base, theirs)
        if content == ours and mode == head.mode:
            return ()
        return (Write(TreeFile(sides.path, mode, content)),)

    def _merge_texts(self, ours: bytes, base: bytes, theirs: bytes) -> bytes:
        """A three-way merge. Raises _Conflict where both sides changed the same lines."""
        if b"\0" in ours + base + theirs:
            raise _Conflict
        with TemporaryDirectory(dir=self._scratch) as folder:
            names = [str(Path(folder, name)) for name in ("ours", "base", "theirs")]
            for name, content in zip(names, (ours, base, theirs), strict=True):
                Path(name).write_bytes(content)
            try:
                return self._shadow.git.call("merge-file", "-p", "-q", *names)
            except GitFailed as error:
                raise _Conflict from error


def is_crlf_of(content: bytes, lf: bytes) -> bool:
    """Whether `content` is `lf` with CRLF line ends in some or all places."""
    return b"\r\n" in content and b"\r\n" not in lf and to_lf(content) == lf


def has_crlf_only(content: bytes) -> bool:
    """Whether the lines of `content` end with CRLF, all of them, and there is at least one."""
    count = content.count(b"\r\n")
    return count > 0 and count == content.count(b"\n")


def _merged_mode(head: int, old: int, new: int) -> int:
    return head if old == new else new


def _unless_same(path: str, entry: Entry, head: Entry) -> Iterable[Piece]:
    return () if entry == head else (Put(path, entry),)


def _blocked(head: dict[str, Entry], changes: list[Difference]) -> set[str]:
    """New paths that would replace something of HEAD's which the session did not delete.

    That is: a file where HEAD has a folder, or a file below what HEAD has as a file or submodule.
    """
    deleted = {change.path for change in changes if change.new is None}
    added = {change.path for change in changes if change.new and change.path not in head}
    blocked = set()
    for path in added:
        for above in above_of(path):
            if above in head and (above not in deleted or head[above].mode == GITLINK):
                blocked.add(path)
    if not added:
        return blocked
    for path in head.keys() - deleted:
        blocked |= added.intersection(above_of(path))
    return blocked


def _sentence(paths: list[str]) -> str:
    names = ", ".join(repr(path)[1:-1] for path in sorted(set(paths))[:10])
    more = f" and {len(set(paths)) - 10} more" if len(set(paths)) > 10 else ""
    return (
        f"the change cannot be told apart from your own uncommitted edits in {names}{more}: "
        f"commit or stash them first"
    )
