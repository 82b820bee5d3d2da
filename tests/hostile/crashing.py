"""Planted in a forked run: ends it, fails it, or lets its user do something, at the n-th place
where it does what lasts. The places are the product's own functions, wrapped; nothing of the
product knows of it."""

from __future__ import annotations

import errno
import itertools
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selfheal_tui import headless
from selfheal_tui.adapters.git import commit, together, undo, worktree
from selfheal_tui.adapters.git.index import UserIndex
from selfheal_tui.adapters.git.push import Pushes
from selfheal_tui.adapters.git.runner import Runner
from selfheal_tui.adapters.store import Store

EFFECTS: tuple[tuple[Any, str], ...] = (
    (Store, "append"),
    (commit.Commits, "_write_commit"),
    (commit.Commits, "_hand_over"),
    (commit, "move"),
    (together, "move"),
    (undo, "move"),
    (worktree, "_write"),
    (worktree, "_write_synced"),
    (worktree, "_delete"),
    (UserIndex, "install"),
    (Pushes, "_send"),
    (headless.OutputFolder, "finish"),
)
"""What lasts: records, objects, the ref, files, the index, the push, the result."""

_FIRST = "CommitStarted"


def die_at(told: Path, number: int, only_after: str = "") -> None:
    """SIGKILL before or after the effect: the n-th such moment, counted from 1; with `only_after`
    from the first event of this name on."""
    moments = itertools.count(1)

    def moment(name: str) -> None:
        if next(moments) == number:
            told.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    _wrap_effects(only_after, moment)


def meddle_before(told: Path, effect: str, number: int, command: str) -> None:
    """The user runs this command of the shell right before the n-th effect of this name from the
    consent on. Tells the exit code of their command."""
    counts = itertools.count(1)

    def meddle(name: str) -> None:
        if name == f"before {effect}" and next(counts) == number:
            done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=20)
            told.write_text(str(done.returncode))

    _wrap_effects("CommitStarted", meddle)


def _wrap_effects(only_after: str, moment: Callable[[str], None]) -> None:
    """Call `moment` before and after each effect, from the first event of this name on."""
    counting = not only_after

    def wrapped(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(*args: Any, **more: Any) -> Any:
            nonlocal counting
            what = type(args[2]).__name__ if name == "append" else name
            counting = counting or what == only_after
            if counting:
                moment(f"before {what}")
            result = function(*args, **more)
            if counting and name != "append":
                # After a record comes the next effect at once: one moment between two is enough.
                moment(f"after {what}")
            return result

        return around

    for owner, name in EFFECTS:
        setattr(owner, name, wrapped(getattr(owner, name), name))


def die_within(told: Path, event: str, seconds: float) -> None:
    """SIGKILL from another process, so many seconds after the first record of this event was
    begun; for no event, from now."""
    reading, writing = os.pipe()
    run = os.getpid()
    if os.fork() == 0:
        os.close(writing)
        _kill_when_told(reading, run, seconds)
    os.close(reading)
    if not event:
        told.write_text("the start")
        os.write(writing, b"now")
        return
    real = Store.append

    def append(self: Store, session: str, what: Any, *args: Any) -> Any:
        if type(what).__name__ == event and not told.exists():
            told.write_text(f"{event} {time.monotonic()}")
            os.write(writing, b"now")
        return real(self, session, what, *args)

    Store.append = append  # type: ignore[method-assign]


def _kill_when_told(reading: int, run: int, seconds: float) -> None:
    """Never returns. Whoever told must still be there: a number may be somebody else's later."""
    if os.read(reading, 3):
        ready, _, _ = select.select([reading], [], [], seconds)
        if not ready:
            os.kill(run, signal.SIGKILL)
    os._exit(0)


def die_before(told: Path, event: str) -> None:
    """SIGKILL before the first record of this event."""
    real = Store.append

    def append(self: Store, session: str, what: Any, *args: Any) -> Any:
        if type(what).__name__ == event:
            told.write_text(event)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, session, what, *args)

    Store.append = append  # type: ignore[method-assign]


def fail_write(told: Path, number: int, code: str, where: str) -> None:
    """The n-th write below one of the folders `where` (joined by `:`) fails with this error of
    the system: of a file that is opened to be written, made, renamed or linked, and of git."""
    folders = [os.path.realpath(folder) for folder in where.split(":")]
    failure = getattr(errno, code)
    counts = itertools.count(1)

    def hit(path: object, name: str) -> None:
        if next(counts) == number:
            told.write_text(f"{name} {path}")
            raise OSError(failure, os.strerror(failure), str(path))

    def is_there(path: object) -> bool:
        if not isinstance(path, (str, os.PathLike)):
            return False
        text = os.path.abspath(os.fspath(path))  # noqa: PTH100 - follows no link
        return any(text.startswith(folder) for folder in folders)

    def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(path: Any, *args: Any, **more: Any) -> Any:
            writes = name != "open" or (args and args[0] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if writes and (is_there(path) or "dir_fd" in more or "src_dir_fd" in more):
                hit(path, name)
            return function(path, *args, **more)

        return around

    for name in ("open", "mkdir", "rename", "replace", "link", "symlink", "chmod"):
        setattr(os, name, guarded(getattr(os, name), name))
    _guard_git(hit, folders)
    _guard_moves(hit)
    _guard_store(hit, folders)


WRITING = {"index-pack", "update-ref", "fast-import", "pack-objects", "commit-tree", "write-tree"}


def _guard_git(hit: Callable[[object, str], None], folders: list[str]) -> None:
    """git of a full disk says why and ends with 128."""
    from selfheal_tui.adapters.git.runner import GitFailed

    real = Runner.call

    def call(self: Any, *arguments: str, **more: Any) -> Any:
        if arguments[0] in WRITING:
            try:
                hit(arguments[0], "git")
            except OSError as error:
                raise GitFailed(arguments[0], 128, f"fatal: {error.strerror}".encode()) from error
        return real(self, *arguments, **more)

    Runner.call = call  # type: ignore[method-assign]


def _guard_moves(hit: Callable[[object, str], None]) -> None:
    """git that has the ref locked, and cannot write its new value in the end."""
    from selfheal_tui.adapters.git.runner import GitFailed

    def guarded(move: Callable[..., Any]) -> Callable[..., Any]:
        def around(transaction: Any) -> Any:
            try:
                hit("update-ref", "git")
            except OSError as error:
                raise GitFailed("update-ref", 128, f"fatal: {error.strerror}".encode()) from error
            return move(transaction)

        return around

    for owner in (commit, together, undo):
        owner.move = guarded(owner.move)  # type: ignore[attr-defined]


def _guard_store(hit: Callable[[object, str], None], folders: list[str]) -> None:
    """SQLite writes by itself: what it says of a disk that refuses is raised in its place."""
    import sqlite3

    real = Store._insert

    def insert(self: Any, lines: Any) -> None:
        try:
            hit("sessions.db", "insert")
        except OSError as error:
            raise sqlite3.OperationalError("database or disk is full") from error
        real(self, lines)

    Store._insert = insert  # type: ignore[method-assign]
