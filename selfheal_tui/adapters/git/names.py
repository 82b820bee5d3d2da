"""Which names a change may bring into a tree: one by one, and beside those that are there.

Refuses (TreeRejected) what `core.paths` finds fault with, a path that is a file and a folder at
once, names that collide, and a folder that git would take for a repository. What the user's own
tree held before is no fault of the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from selfheal_tui.adapters.git.beneath import above_of, folders_of, parts_of
from selfheal_tui.core.paths import (
    bare_repository_in,
    collision_in,
    fault_of,
    folded,
    named,
    repository_sign,
)
from selfheal_tui.core.tree import TreeChange
from selfheal_tui.errors import TreeRejected


def check_change(before: Collection[str], change: TreeChange) -> None:
    """Raises TreeRejected when `change` cannot be made to a tree that holds the paths `before`."""
    written = [file.path for file in change.written]
    for path in (*change.deleted, *written):
        _check_name(path)
    kept = set(before).difference(change.deleted)
    added = set(written).difference(before)
    if added:
        _check_folders(kept | added, added)
        _check_collisions(kept, added)
        _check_repositories(before, kept | added, added)


def _check_name(path: str) -> None:
    fault = fault_of(path)
    if fault:
        raise TreeRejected(f"the sandbox made a file {named(path)}, whose name {fault}")
    try:
        parts_of(path)
    except ValueError as error:
        raise TreeRejected(f"the sandbox made a file that is not taken: {error}") from error


def _check_folders(files: set[str], added: set[str]) -> None:
    below_files = {path for path in added if not files.isdisjoint(above_of(path))}
    now_folders = added & folders_of(files)
    for path in sorted(below_files | now_folders):
        raise TreeRejected(f"the sandbox made {named(path)} both a file and a folder")


def _check_collisions(kept: set[str], added: set[str]) -> None:
    found = collision_in(sorted(added)) or _collision(kept, added)
    if found:
        raise TreeRejected(
            f"the sandbox made {named(found[1])}, which other systems take for {named(found[0])}"
        )


def _collision(kept: set[str], added: set[str]) -> tuple[str, str] | None:
    new = {folded(name): name for path in added for name in _names(path)}
    for name in kept | folders_of(kept):
        other = new.get(folded(name), name)
        if other != name:
            return name, other
    return None


def _names(path: str) -> Iterable[str]:
    return (path, *above_of(path))


def _check_repositories(before: Collection[str], after: set[str], added: set[str]) -> None:
    for folder in {folder for path in added for folder in _suspect_folders(path)}:
        found = bare_repository_in(_below(folder, after))
        if found and found != bare_repository_in(_below(folder, before)):
            raise TreeRejected(
                f"the sandbox made the folder {named(folder or '.')}, which git takes for a"
                " repository"
            )


def _suspect_folders(path: str) -> Iterable[str]:
    """The folders that the path gives one sign of a bare repository."""
    for name in _names(path):
        folder, _, last = name.rpartition("/")
        if repository_sign(last):
            yield folder


def _below(folder: str, paths: Iterable[str]) -> Iterable[str]:
    return [path for path in paths if not folder or path.startswith(folder + "/")]
