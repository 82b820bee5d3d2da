"""Files, index and branch together, or none of them, in the order that `worktree` documents.

Refuses to guess: where git ends without a word, the branch is looked at before anything goes back.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal_tui.adapters.git.ground import Ground
from selfheal_tui.adapters.git.index import NewIndex
from selfheal_tui.adapters.git.refs import look_up, move
from selfheal_tui.adapters.git.runner import Conversation, GitFailed
from selfheal_tui.adapters.git.worktree import Replacement
from selfheal_tui.errors import RepositoryRefused


def move_together(
    ground: Ground,
    transaction: Conversation,
    ref: str,
    old: str,
    replacements: Sequence[Replacement],
    index: NewIndex,
) -> None:
    """Make the replacements, install the index, and move `ref`, locked at `old` by `transaction`.

    Raises RepositoryRefused or GitFailed, and then all three are as they were; or, should git have
    moved the branch and then failed, all three are new. An index that somebody else wrote in that
    moment stays as it is.
    """
    ground.files.replace(replacements)
    try:
        ground.index.install(index)
    except BaseException:
        ground.files.undo(replacements)
        raise
    try:
        move(transaction)
    except GitFailed as error:
        branch = look_up(ground.place.user, ref)
        if branch is not None and branch.value != old:
            raise
        try:
            ground.index.install(index.reversed)
        finally:
            ground.files.undo(replacements)
        raise RepositoryRefused(f"{ref} cannot be moved, nothing was changed: {error}") from error
