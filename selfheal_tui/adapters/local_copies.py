"""Private folders for copies of a tree. Each is held by a lock while its process lives; what a
killed one left is removed when the next one is made.

Refuses to touch what is another user's, or held, or of another form.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.local_tree import remove_tree
from selfheal_tui.errors import SandboxError

_PREFIX = "selfheal-local-"
_HELD = "held"


@dataclass(frozen=True)
class Copy:
    """A folder, and the descriptor that holds it."""

    folder: Path
    hold: int

    def remove(self) -> None:
        """Raises SandboxError or OSError for what cannot be removed."""
        try:
            _remove(self.folder)
        finally:
            os.close(self.hold)


def new_copy() -> Copy:
    """A fresh folder below the system's temporary one. Raises OSError."""
    sweep_copies(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    # It has its name only once it is locked: nobody sees one that is not.
    hold = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(hold, fcntl.LOCK_EX)
    (folder / "new").rename(folder / _HELD)
    return Copy(folder, hold)


def sweep_copies(below: Path) -> None:
    """Remove the copies in a temporary folder that no living process holds."""
    for folder in below.glob(f"{_PREFIX}*"):
        # What cannot be judged, or removed, is left.
        with contextlib.suppress(OSError, SandboxError):
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    hold = os.open(folder / _HELD, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    finally:
        os.close(hold)


def _remove(folder: Path) -> None:
    """What holds it goes last, so that the next one may end what a kill has broken off."""
    folder.chmod(0o700)
    for part in [part for part in folder.iterdir() if part.name != _HELD]:
        if part.is_dir() and not part.is_symlink():
            remove_tree(part)
        else:
            part.unlink()
    remove_tree(folder)
