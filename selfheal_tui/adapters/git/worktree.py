"""Brings the files of a commit into the working tree and the index, or changes nothing.

Only paths that the commit changes, and only while their bytes are still the snapshot's. Order, for
a commit on the branch that is checked out: (1) objects are in the repository; (2) everything is
checked; (3) the ref is locked at its old value by a git process that lets go when we die;
(4) files, each by a synced temporary file and a rename; (5) the index, prepared elsewhere, whose
lock exists for the moment of one rename; (6) the ref. When we are killed in between, the branch has
not moved and the approved change shows as a plain (4) or staged (5) modification, which
`--resume` takes back before it asks again; a failure undoes what was written.
Temporary files are named `.selfheal-PID-HEX.tmp`; a snapshot leaves them out, and what a killed
process left of them goes when its files are replaced anew, or put back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from selfheal_tui.adapters.git.beneath import Beneath
from selfheal_tui.adapters.git.leftovers import is_left_file, temporary_name
from selfheal_tui.core.tree import EXECUTABLE, LINK, TreeFile
from selfheal_tui.errors import RepositoryRefused

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


@dataclass(frozen=True)
class Replacement:
    """What a path must hold now, and what it is to hold; None for nothing there."""

    path: str
    old: TreeFile | None
    new: TreeFile | None

    @property
    def reversed(self) -> Replacement:
        return Replacement(self.path, self.new, self.old)


class WorkingTree:
    """The files below `root`. `file_mode` is false where the disk cannot hold an executable bit."""

    def __init__(self, root: Path, *, file_mode: bool) -> None:
        self._root = root
        self._file_mode = file_mode

    def check(self, replacements: Sequence[Replacement]) -> None:
        """Raises RepositoryRefused, naming the files, unless all can be replaced as planned."""
        with self._open() as root:
            changed = [r.path for r in replacements if not self._may_replace(root, r, replacements)]
        if changed:
            raise RepositoryRefused(moved(changed))

    def found(self, paths: Iterable[str]) -> dict[str, TreeFile | None]:
        """The files on disk, None for nothing there; without what cannot be read or is no file."""
        files: dict[str, TreeFile | None] = {}
        with self._open() as root:
            for path in paths:
                with contextlib.suppress(OSError, ValueError):
                    files[path] = root.file(path)
        return files

    def replaceable(self, replacements: Sequence[Replacement]) -> list[Replacement]:
        """Those that can be made together: without the ones that another one would have to make
        room for which cannot be made itself."""
        possible = list(replacements)
        with self._open() as root:
            while True:
                # One that falls out may have been what another one needs.
                kept = [r for r in possible if self._may_replace(root, r, possible)]
                if len(kept) == len(possible):
                    return kept
                possible = kept

    def same_mode(self, one: TreeFile, other: TreeFile) -> bool:
        """Whether two files are alike but for their bytes, as far as the disk can tell."""
        return one.mode == other.mode or (
            not self._file_mode and LINK not in {one.mode, other.mode}
        )

    def replace(self, replacements: Sequence[Replacement]) -> None:
        """Make all replacements; on a failure undo those that were made, and raise."""
        done: list[Replacement] = []
        ordered = sorted(replacements, key=lambda r: r.new is not None)
        with self._open() as root:
            _sweep(root, replacements)
            try:
                for replacement in ordered:
                    self._replace(root, replacement)
                    done.append(replacement)
            except BaseException:
                self._undo(root, done)
                raise

    def undo(self, replacements: Sequence[Replacement]) -> list[str]:
        """Take replacements back that `replace` made, and name them; a file that changed since
        stays as it is."""
        ordered = sorted(replacements, key=lambda r: r.new is not None)
        with self._open() as root:
            _sweep(root, replacements)
            return self._undo(root, ordered)

    def _open(self) -> Beneath:
        try:
            return Beneath(self._root)
        except OSError as error:
            raise RepositoryRefused(f"{self._root} cannot be opened: {error.strerror}") from error

    def _may_replace(
        self, root: Beneath, wanted: Replacement, all_of_them: Sequence[Replacement]
    ) -> bool:
        deleted = {r.path for r in all_of_them if r.new is None}
        try:
            if wanted.new is not None and not _parents_are_folders(root, wanted.path, deleted):
                return False
            return self._is_at(root, wanted.path, wanted.old)
        except IsADirectoryError:
            # A folder may give way to a file when everything in it is deleted, too.
            return wanted.old is None and all(p in deleted for p in root.below(wanted.path))
        except (OSError, ValueError):
            return False

    def _is_at(self, root: Beneath, path: str, wanted: TreeFile | None) -> bool:
        """Whether exactly `wanted` is on disk. Raises IsADirectoryError for a folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISDIR(root.status(path).st_mode):
                raise IsADirectoryError(path)
        found = root.file(path)
        if found is None or wanted is None:
            return found is wanted
        return self.same_mode(found, wanted) and found.content == wanted.content

    def _replace(self, root: Beneath, wanted: Replacement) -> None:
        try:
            root.forget()
            look = partial(self._look_again, root, wanted)
            look()
            if wanted.new is None:
                _delete(root, wanted.path, look)
            else:
                _write(root, wanted.new, look, keep_mode=wanted.old)
        except FileExistsError as error:
            raise RepositoryRefused(moved([wanted.path])) from error
        except (OSError, ValueError) as error:
            raise RepositoryRefused(f"{wanted.path!r} cannot be replaced: {error}") from error

    def _look_again(self, root: Beneath, wanted: Replacement) -> None:
        """Raises RepositoryRefused where the user was quicker."""
        if not self._is_at(root, wanted.path, wanted.old):
            raise RepositoryRefused(moved([wanted.path]))

    def _undo(self, root: Beneath, done: Sequence[Replacement]) -> list[str]:
        undone: list[str] = []
        for replacement in reversed(done):
            with contextlib.suppress(RepositoryRefused):
                self._replace(root, replacement.reversed)
                undone.append(replacement.path)
        return undone


def _sweep(root: Beneath, replacements: Sequence[Replacement]) -> None:
    """Remove what a killed process left of files that were to be written beside these."""
    for beside in {replacement.path.rpartition("/")[0] for replacement in replacements}:
        # Where the folder cannot be entered, nothing was written into it.
        with contextlib.suppress(OSError, ValueError):
            folder, _ = root.parent(f"{beside}/x" if beside else "x")
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if is_left_file(entry.name)]
            for name in names:
                # A folder of such a name is none of ours.
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=folder)


def _parents_are_folders(root: Beneath, path: str, deleted: set[str]) -> bool:
    """Whether each folder above `path` is one, is missing, or is a file that is deleted first."""
    above = ""
    for part in path.split("/")[:-1]:
        above = f"{above}/{part}" if above else part
        try:
            is_folder = stat.S_ISDIR(root.status(above).st_mode)
        except FileNotFoundError:
            return True
        if not is_folder:
            return above in deleted
    return True


def _write(
    root: Beneath, file: TreeFile, look: Callable[[], None], *, keep_mode: TreeFile | None
) -> None:
    """Write a file. `look` raises where what it takes the place of is not the known one any more:
    asked right before the rename, for writing and syncing take their time."""
    folder, name = root.parent(file.path, make=True)
    temporary = temporary_name()
    try:
        if file.mode == LINK:
            os.symlink(file.content, os.fsencode(temporary), dir_fd=folder)
        else:
            mode = _mode_for(file, folder, name, keep_mode)
            _write_synced(folder, temporary, file, mode)
        look()
        if keep_mode is not None or not _linked(folder, temporary, name):
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def _linked(folder: int, temporary: str, name: str) -> bool:
    """Give a new file its name, which takes the place of nothing. False where there are no links
    of files. Raises FileExistsError."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    os.unlink(temporary, dir_fd=folder)
    return True


def _write_synced(folder: int, name: str, file: TreeFile, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    wanted = 0o777 if file.mode == EXECUTABLE else 0o666
    with os.fdopen(os.open(name, flags, wanted, dir_fd=folder), "wb") as stream:
        stream.write(file.content)
        if mode is not None:
            os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())


def _mode_for(file: TreeFile, folder: int, name: str, before: TreeFile | None) -> int | None:
    """The permissions a replaced file keeps; None for a new one, where the umask decides."""
    if before is None or before.mode == LINK:
        return None
    now = stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    if file.mode == before.mode:
        return now
    return now | ((now & 0o444) >> 2) if file.mode == EXECUTABLE else now & ~0o111


def _delete(root: Beneath, path: str, look: Callable[[], None]) -> None:
    """Delete a file, and the folders above it that this leaves empty; `look` as for `_write`."""
    folder, name = root.parent(path)
    look()
    os.unlink(name, dir_fd=folder)
    os.fsync(folder)
    while "/" in path:
        path = path.rpartition("/")[0]
        folder, name = root.parent(path)
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}:
                return
            raise


def moved(paths: Sequence[str]) -> str:
    """The sentence for files that are not what they were looked at as."""
    names = ", ".join(repr(path)[1:-1] for path in sorted(paths)[:10])
    return (
        f"the working tree changed, or holds something of yours, in {names}: nothing was "
        f"written; put it aside, or commit on a new branch"
    )
