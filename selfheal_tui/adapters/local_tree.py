"""The files of the local sandbox: written, listed and read beneath one folder, never through a
link out of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from selfheal_tui.adapters.git.beneath import Beneath, above_of
from selfheal_tui.adapters.manifest import Manifest
from selfheal_tui.adapters.outgoing import Gate, check_asked, wrong_kind
from selfheal_tui.core.tree import EXECUTABLE, LINK, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class LocalTree:
    """The tree at `root`. All methods block; none is for two threads at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def clear(self) -> None:
        """Remove everything."""
        remove_tree(self._root)
        self._root.mkdir(mode=0o755)

    def apply(self, change: TreeChange) -> None:
        """Delete, then write. Raises SandboxError where something is in the way."""
        with Beneath(self._root) as beneath:
            for path in change.deleted:
                self._delete(beneath, path)
            beneath.forget()
            self._prune(change.deleted)
            for file in change.written:
                self._write(beneath, file)

    def files(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises TreeRejected for what must not come out."""
        gate = Gate()
        check_asked(paths)
        with Beneath(self._root) as beneath:
            return tuple(self._file(beneath, gate, path) for path in dict.fromkeys(paths))

    def manifest(self, tick: Path) -> Manifest:
        """Stamps of all files; `tick` is a file that is written to tell the time."""
        tick.write_bytes(b"\n")
        now = _stamp(tick.lstat()).split(b" ")[4]
        return Manifest(dict(_stamps(self._root)), now)

    def _delete(self, beneath: Beneath, path: str) -> None:
        try:
            folder, name = beneath.parent(path)
            _writable(folder)
            os.unlink(name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return  # It is gone already, or has become a folder of other files.
        except (OSError, ValueError) as error:
            raise SandboxError(f"{path!r} could not be deleted: {error}") from error

    def _prune(self, deleted: Iterable[str]) -> None:
        folders = {folder for path in deleted for folder in above_of(path)}
        for folder in sorted(folders, key=lambda folder: -folder.count("/")):
            # One that still holds something stays.
            with contextlib.suppress(OSError):
                (self._root / folder).rmdir()

    def _write(self, beneath: Beneath, file: TreeFile) -> None:
        try:
            folder, name = beneath.parent(file.path, make=True)
            _writable(folder)
            self._make_way(folder, name, file.path)
            if file.mode == LINK:
                os.symlink(file.content, os.fsencode(name), dir_fd=folder)
                return
            mode = 0o755 if file.mode == EXECUTABLE else 0o644
            with os.fdopen(os.open(name, _NEW, mode, dir_fd=folder), "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(file.content)
        except (OSError, ValueError) as error:
            raise SandboxError(f"{file.path!r} could not be written: {error}") from error

    def _make_way(self, folder: int, name: str, path: str) -> None:
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):
            remove_tree(self._root / path)

    def _file(self, beneath: Beneath, gate: Gate, path: str) -> TreeFile:
        try:
            status = beneath.status(path)
            kind = stat.S_IFMT(status.st_mode)
            if kind in _KINDS:
                raise wrong_kind(path, _KINDS[kind])
            is_link = stat.S_ISLNK(status.st_mode)
            gate.check(path, mode=0 if is_link else status.st_mode, size=status.st_size)
            self._readable(beneath, path, status)
            file = beneath.file(path)
        except (OSError, ValueError) as error:
            raise SandboxError(f"{path!r} could not be read: {error}") from error
        if file is None:
            raise SandboxError(f"{path!r} is not there")
        return file

    def _readable(self, beneath: Beneath, path: str, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IRUSR:
            folder, name = beneath.parent(path)
            os.chmod(name, stat.S_IMODE(status.st_mode) | stat.S_IRUSR, dir_fd=folder)


def remove_tree(root: Path) -> None:
    """Remove a folder, also where a command took the rights on its parts away."""
    for folder in _folders(root):
        folder.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)
    if root.exists():
        raise SandboxError(f"{root} could not be emptied")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file in one step, with the mode of the one that it replaces. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    descriptor, new = tempfile.mkstemp(prefix=".selfheal-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(descriptor, mode)
        Path(new).replace(path)
    except OSError:
        Path(new).unlink(missing_ok=True)
        raise


def _folders(root: Path) -> Iterator[Path]:
    """`root` and all folders below it, each before what it holds."""
    yield root
    with os.scandir(root) as entries:
        found = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    for folder in found:
        yield from _folders(folder)


def _stamps(root: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    with _entries(root) as entries:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    for name, status in found:
        if name == ".git":
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _stamps(root / name, f"{prefix}{name}/")
        else:
            yield prefix + name, _stamp(status)


def _entries(folder: Path) -> os._ScandirIterator[str]:
    try:
        return os.scandir(folder)
    except PermissionError:
        folder.chmod(0o700)
        return os.scandir(folder)


def _stamp(status: os.stat_result) -> bytes:
    kind = {stat.S_IFREG: "f", stat.S_IFLNK: "l"}.get(stat.S_IFMT(status.st_mode), "?")
    mode = stat.S_IMODE(status.st_mode)
    mtime, ctime = _seconds(status.st_mtime_ns), _seconds(status.st_ctime_ns)
    return f"{kind} {mode:o} {status.st_size} {mtime} {ctime} {status.st_ino}".encode()


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}0"


def _writable(folder: int) -> None:
    status = os.fstat(folder)
    if not status.st_mode & stat.S_IWUSR:
        os.fchmod(folder, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
