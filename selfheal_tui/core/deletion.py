"""When a change deletes so much that it needs a confirmation of its own. A pure function."""

from __future__ import annotations

from collections.abc import Iterable

from selfheal_tui.core.patch import FileDiff

MANY = 20
"""Deleting more files than this is a mass deletion, however many there are."""

FEW = 3
"""Deleting so few is none, even where a project holds no more."""


def mass_deletion(files: Iterable[FileDiff], of: int) -> str:
    """The sentence for a change that deletes more than 20 files, or more than 3 and half of all.

    `of` is how many files there were before; empty where no such confirmation is needed.
    """
    deleted = sum(file.kind == "deleted" for file in files)
    if deleted > MANY or (deleted > FEW and 2 * deleted > of):
        return f"MASS DELETION: {deleted} of {of} files are deleted"
    return ""
