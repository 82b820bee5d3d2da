"""Finds and ends the processes that a command of the local sandbox left, as far as they show.

They are told by their session and by a mark in their environment; one that shed both escapes:
there is no isolation here.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def end_processes(leader: int, mark: str, proc: Path = PROC) -> int:
    """Kill the session of `leader` and whatever carries `mark` (`NAME=VALUE`) in its environment.

    Says how many were killed beyond the leader's own group.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    killed = 0
    for pid in _left_over(leader, mark.encode(), proc):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def _left_over(leader: int, mark: bytes, proc: Path) -> Iterator[int]:
    for entry in proc.glob("[0-9]*"):
        try:
            if int(entry.name) == os.getpid() or entry.stat().st_uid != os.getuid():
                continue
            # After the name in brackets: state, parent, group, session.
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] in {b"Z", b"X"}:
                continue
            is_marked = mark in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # It ended meanwhile.
        if int(fields[3]) == leader or is_marked:
            yield int(entry.name)
