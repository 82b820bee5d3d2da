"""Ends what a runner has started, from another thread: who leaves does not wait for a remote."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator

MOMENT = 1.0
"""Seconds that a command has to clean up after itself."""


class Cord:
    """The commands of a runner that run at the moment. Once it is pulled, later ones end too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._pulled = False

    @contextlib.contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """While this lasts, `pull` ends `process` and its group."""
        with self._lock:
            self._running.add(process)
            pulled = self._pulled
        if pulled:
            _ask_to_end(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)

    def pull(self) -> None:
        """End all that runs; returns at once."""
        with self._lock:
            self._pulled = True
            running = list(self._running)
        for process in running:
            _ask_to_end(process)


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """A git that is killed leaves locks and pieces behind, at a remote on this machine too: it may
    end by itself first."""
    end_group(process, signal.SIGTERM)
    killing = threading.Timer(MOMENT, end_group, (process, signal.SIGKILL))
    killing.daemon = True
    killing.start()


def end_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the group of a process that still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
