"""A change without the hunks that the user refused, as a tree, and those hunks in words.

The contents are put together from the bytes of both sides, never from the text of a patch.
Refuses (UsageError) parts that the change does not have, and those that cannot go alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal_tui.agent.ports import Shadow
from selfheal_tui.core.approval import WHOLE_FILE, RefusedHunk
from selfheal_tui.core.hunkbytes import taken_back
from selfheal_tui.core.patch import FileDiff, read_patch
from selfheal_tui.core.tree import TreeChange, TreeFile
from selfheal_tui.errors import TreeRejected, UsageError


async def without_hunks(
    shadow: Shadow, base: str, tree: str, refused: Sequence[RefusedHunk]
) -> str:
    """The tree that `tree` is when the `refused` hunks of `shadow.patch(base, tree)` are as in
    `base` again.

    A file is wholly as in `base` when it is refused as such or hunk by hunk; otherwise it keeps
    its new mode. Raises UsageError for a hunk that is not in the patch, and where what is left
    cannot be a tree.
    """
    if not refused:
        return tree
    files = read_patch(await shadow.patch(base, tree))
    describe(files, refused)
    change, back = await shadow.change(base, tree), await shadow.change(tree, base)
    rest = _without(change, {file.path: file.content for file in back.written}, files, refused)
    try:
        # From `base` on, so that what is taken back is not looked at as something new.
        return await shadow.apply(base, rest)
    except TreeRejected as error:
        names = ", ".join(sorted({hunk.path for hunk in refused}))
        raise UsageError(
            f"{names} cannot be taken back alone, because another part of the change took its "
            f"place: {error}"
        ) from error


def describe(
    patch_files: Iterable[FileDiff], refused: Iterable[RefusedHunk]
) -> tuple[tuple[str, str, str], ...]:
    """Each refused hunk as its path, its header (empty for the whole file) and the reason.

    Raises UsageError for a hunk that the files do not have.
    """
    by_path = _by_path(patch_files)
    return tuple((hunk.path, _header(by_path, hunk), hunk.reason) for hunk in refused)


def _header(by_path: dict[str, list[FileDiff]], refused: RefusedHunk) -> str:
    if refused.path not in by_path:
        raise UsageError(f"the change does not touch {refused.path}: nothing of it can be refused")
    if refused.number == WHOLE_FILE:
        return ""
    hunks = max((file.hunks for file in by_path[refused.path]), key=len)
    if not 0 <= refused.number < len(hunks):
        raise UsageError(
            f"the change has no hunk {refused.number} in {refused.path}, which has {len(hunks)}: "
            f"refuse the whole file, or one of those"
        )
    return hunks[refused.number].header


def _without(
    change: TreeChange,
    before: dict[str, bytes],
    files: Sequence[FileDiff],
    refused: Sequence[RefusedHunk],
) -> TreeChange:
    """The part of `change` that is left; `before` holds the contents that it replaces."""
    by_path = _by_path(files)
    numbers: dict[str, set[int]] = {}
    for hunk in refused:
        numbers.setdefault(hunk.path, set()).add(hunk.number)
    whole = {path for path, chosen in numbers.items() if _is_whole(by_path[path], chosen)}
    written = []
    for file in change.written:
        if file.path in whole:
            continue
        if file.path in numbers:
            hunks = by_path[file.path][0].hunks
            content = taken_back(
                before[file.path], file.content, [hunks[n] for n in numbers[file.path]]
            )
            file = TreeFile(file.path, file.mode, content)
        written.append(file)
    return TreeChange(tuple(written), tuple(p for p in change.deleted if p not in whole))


def _is_whole(sections: list[FileDiff], numbers: set[int]) -> bool:
    """Whether a file goes back as a whole.

    Where its type changed, git shows it twice, as deleted and as added: neither can go alone.
    """
    if WHOLE_FILE in numbers or len(sections) > 1:
        return True
    return len(numbers) == len(sections[0].hunks)


def _by_path(files: Iterable[FileDiff]) -> dict[str, list[FileDiff]]:
    found: dict[str, list[FileDiff]] = {}
    for file in files:
        found.setdefault(file.path, []).append(file)
    return found
