"""Taking refused hunks out of a change: out of the tree to commit, and out of the user's files.

Refuses, naming the files, where the two would no longer be the same change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfheal_tui.agent.ports import Repository, Shadow, Snapshot
from selfheal_tui.agent.selection import describe, without_hunks
from selfheal_tui.core.approval import WHOLE_FILE, RefusedHunk
from selfheal_tui.core.patch import FileDiff, Hunk, read_patch
from selfheal_tui.core.text import cut_middle
from selfheal_tui.errors import RepositoryRefused, UsageError

SHOWN = 4 * 1024
"""Characters of each refused hunk that the coder is shown."""


@dataclass(frozen=True)
class Rest:
    """What is left of a change. `tree` and `commit_tree` as in `Healed`; `hunks` names what was
    taken out (path, header, reason), and `text` tells the coder of it."""

    tree: str
    commit_tree: str
    hunks: tuple[tuple[str, str, str], ...]
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """One line for each hunk, for the proof card."""
        return tuple(
            f"{path} {header or '(whole file)'}" + (f": {reason}" if reason else "")
            for path, header, reason in self.hunks
        )


async def take_out(
    tree: str,
    commit_tree: str,
    refused: Sequence[RefusedHunk],
    *,
    snapshot: Snapshot,
    repository: Repository,
    shadow: Shadow,
) -> Rest:
    """The change without the `refused` hunks of the patch from HEAD to `commit_tree`.

    Raises RepositoryRefused where a file's hunks are mixed with the user's uncommitted edits.
    """
    files = read_patch(await shadow.patch(snapshot.head_tree, commit_tree))
    try:
        left = await without_hunks(shadow, snapshot.head_tree, commit_tree, refused)
        # The same hunks leave the user's side; where their own edits moved or merged them, the
        # commit that would come of it is another one, and that shows.
        left_here = await without_hunks(shadow, snapshot.tree, tree, refused)
        same = await repository.commit_tree_for(snapshot, left_here) == left
    except UsageError as error:
        raise RepositoryRefused(f"those parts cannot be taken out: {error}") from error
    if not same:
        names = ", ".join(sorted({hunk.path for hunk in refused}))
        raise RepositoryRefused(
            f"parts of {names} cannot be taken out: they are mixed with your uncommitted edits"
        )
    return Rest(left_here, left, describe(files, refused), _told(files, refused))


def _told(files: Iterable[FileDiff], refused: Iterable[RefusedHunk]) -> str:
    """What was taken out, for the coder."""
    by_path = {file.path: file for file in files}
    parts = []
    for hunk in refused:
        file = by_path[hunk.path]
        chosen = file.hunks if hunk.number == WHOLE_FILE else file.hunks[hunk.number :][:1]
        text = cut_middle("\n".join(map(_hunk_text, chosen)) or f"({file.kind})", SHOWN)
        reason = f"\nTheir reason: {hunk.reason}" if hunk.reason else ""
        parts.append(f"{hunk.path}\n{text}{reason}")
    return "\n\n".join(parts)


def _hunk_text(hunk: Hunk) -> str:
    return "\n".join([hunk.header, *(line.sign + line.text for line in hunk.lines)])
