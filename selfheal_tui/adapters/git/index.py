"""Sets the changed paths of a commit in the user's index.

The new index is made from a copy, by the shadow's git, and put in place under `index.lock`, which
exists for one comparison and one rename. Refuses paths with staged or unmerged changes, and never
removes a lock that is not its own.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from selfheal_tui.adapters.git.leftovers import INDEX, index_name, is_left_index
from selfheal_tui.adapters.git.objects import Difference, Entry, zeros
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.runner import GitFailed, Runner
from selfheal_tui.adapters.git.snapshot import Listing
from selfheal_tui.errors import RepositoryRefused


@dataclass(frozen=True)
class NewIndex:
    """The bytes that the index had, and those it is to have; None for no index."""

    before: bytes | None
    after: bytes | None

    @property
    def reversed(self) -> NewIndex:
        return NewIndex(self.after, self.before)


class UserIndex:
    """The index in `git_dir`. `shadow` edits copies of it, in the folder `scratch`."""

    def __init__(
        self, git_dir: Path, shadow: Runner, scratch: Path, object_format: str, patience: Patience
    ) -> None:
        self._folder = git_dir
        self._file = git_dir / "index"
        self._lock = git_dir / "index.lock"
        self._shadow = shadow
        self._scratch = scratch
        self._zeros = zeros(object_format)
        self._patience = patience

    def check(self, listing: Listing, changes: Sequence[Difference]) -> None:
        """Raises RepositoryRefused when a changed path has staged, unmerged or sparse state.

        `changes` lead from HEAD's tree to the commit's.
        """
        staged = [c.path for c in changes if listing.tracked.get(c.path) != c.old]
        unmerged = [c.path for c in changes if c.path in listing.unmerged]
        if staged or unmerged:
            raise RepositoryRefused(
                f"you have staged changes in {_named(staged or unmerged)}: commit or unstage them "
                f"first, or commit on a new branch"
            )
        check_sparse(listing, [change.path for change in changes])

    def prepare(self, changes: Sequence[Difference]) -> NewIndex:
        """The index with the new side of `changes`; nothing is written yet."""
        before = self._read()
        lines = [_line(c.path, None, self._zeros) for c in changes if c.new is None]
        lines += [_line(c.path, c.new, self._zeros) for c in changes if c.new is not None]
        with TemporaryDirectory(dir=self._scratch) as folder:
            copy = Path(folder, "index")
            if before is not None:
                copy.write_bytes(before)
            git = self._shadow.adding(GIT_INDEX_FILE=str(copy))
            try:
                git.call("update-index", "-z", "--index-info", feed=b"".join(lines))
            except GitFailed as error:
                raise RepositoryRefused(
                    f"the index has a form that cannot be edited ({error}): commit on a new branch"
                ) from error
            return NewIndex(before, copy.read_bytes())

    def wait_until_free(self) -> None:
        """Wait while somebody else holds the lock. Raises RepositoryRefused when it takes long."""
        self._patience.wait(lambda: not os.path.lexists(self._lock) or None, _held(self._lock))

    def install(self, new: NewIndex) -> None:
        """Put the new index in place, if the old one is still the one it was made from."""
        temporary = self._folder / index_name()
        try:
            _write_synced(temporary, new.after or b"", self._permissions())
            self._patience.wait(lambda: _link(temporary, self._lock) or None, _held(self._lock))
            try:
                if self._read() != new.before:
                    raise RepositoryRefused(
                        "the index changed at the same moment (another git command ran): try again"
                    )
                if new.after is None:
                    self._file.unlink()
                    self._lock.unlink()
                else:
                    self._lock.rename(self._file)
            except BaseException:
                self._lock.unlink()
                raise
        except OSError as error:
            raise RepositoryRefused(f"the index cannot be written: {error}") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def _read(self) -> bytes | None:
        try:
            status = self._file.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise RepositoryRefused(f"{self._file} is not a regular file; that is not supported")
        return self._file.read_bytes()

    def _permissions(self) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return stat.S_IMODE(self._file.lstat().st_mode)
        return None


def check_sparse(listing: Listing, paths: Iterable[str]) -> None:
    """Raises RepositoryRefused when a path is not to be on disk at all."""
    sparse = listing.sparse.intersection(paths)
    if sparse:
        raise RepositoryRefused(
            f"{_named(sparse)} is outside the sparse checkout: commit on a new branch"
        )


def sweep(git_dir: Path) -> None:
    """Remove what a killed process of ours left in `git_dir`: a temporary index, and a lock.

    A lock is ours when it is the very same file (a second name) as such a temporary index.
    """
    for temporary in git_dir.glob(f"{INDEX}*"):
        if not is_left_index(temporary.name):
            continue
        with contextlib.suppress(FileNotFoundError):
            lock = git_dir / "index.lock"
            if os.path.lexists(lock) and os.path.samestat(lock.lstat(), temporary.lstat()):
                lock.unlink()
            temporary.unlink()


def _line(path: str, entry: Entry | None, nothing: str) -> bytes:
    mode, name = (entry.mode, entry.id) if entry else (0, nothing)
    return f"{mode:06o} {name} 0\t".encode() + os.fsencode(path) + b"\0"


def _link(temporary: Path, lock: Path) -> bool:
    try:
        os.link(temporary, lock)
    except FileExistsError:
        return False
    return True


def _write_synced(file: Path, content: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o666), "wb") as stream:
        stream.write(content)
        if mode is not None:
            os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())


def _held(lock: Path) -> str:
    return (
        f"another git process holds {lock}; if none is running, a crash left it behind and it "
        f"can be removed"
    )


def _named(paths: Iterable[str]) -> str:
    found = sorted(paths)
    names = ", ".join(repr(path)[1:-1] for path in found[:10])
    return names + (f" and {len(found) - 10} more" if len(found) > 10 else "")
