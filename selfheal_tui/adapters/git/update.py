"""Writes an approved change into the files of the working tree, and nothing else: no commit, no
ref, no index.

Refuses states that forbid it, files with a filter, and files that are not the snapshot's any more.
"""

from __future__ import annotations

from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.obstacles import check_filters, check_state
from selfheal_tui.adapters.git.replacing import replacements_of
from selfheal_tui.adapters.git.worktree import Replacement
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.approval import Granted, WorktreeRequest
from selfheal_tui.errors import RepositoryRefused


class Updates:
    """Updates of the files of one working tree, each all or nothing."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def request(self, snapshot: Snapshot, tree: str) -> WorktreeRequest:
        """What would be written now. Raises RepositoryRefused where that cannot be."""
        check_state(self._ground.place)
        replacements = self._replacements(snapshot.tree, tree)
        if not replacements:
            raise RepositoryRefused("there is nothing to write: the files are as proposed")
        self._ground.files.check(replacements)
        paths = tuple(replacement.path for replacement in replacements)
        return WorktreeRequest(base=snapshot.tree, tree=tree, paths=paths)

    def make(self, granted: Granted[WorktreeRequest], snapshot: Snapshot) -> None:
        """Write what was approved. No file has changed when this raises RepositoryRefused."""
        request = granted.request
        check_state(self._ground.place)
        replacements = self._replacements(snapshot.tree, request.tree)
        paths = tuple(replacement.path for replacement in replacements)
        if (request.base, request.paths) != (snapshot.tree, paths):
            raise RepositoryRefused("what would be written is not what was approved; ask again")
        # A checkout of the user's that runs right now holds this lock.
        self._ground.index.wait_until_free()
        self._ground.files.check(replacements)
        self._ground.files.replace(replacements)

    def _replacements(self, base: str, tree: str) -> list[Replacement]:
        shadow = self._ground.shadow
        differences = shadow.differences(base, tree)
        check_filters(shadow, tree, [d.path for d in differences], "written")
        return replacements_of(shadow, differences)
