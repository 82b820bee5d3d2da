"""`results.jsonl` of a bench: what was run in its first line, one finished case in each other one.

A line is on the disk before anybody is told of the case; a line that a kill has cut is taken away.
Refuses to go on with results of another run, and to be written by two processes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfheal_tui.core.bench.outcome import CaseOutcome, from_line, to_line
from selfheal_tui.errors import SelfhealError, UsageError

FILE = "results.jsonl"
_VERSION = 1


class ResultsFile:
    """The results in `folder`, made if it is new. `outcomes` has the last one of each case.

    `run` is what all results have in common (model, limits). Raises UsageError for a folder with
    something else in it, or with results of another run, and SelfhealError for a disk that takes
    nothing.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        self._path = folder / FILE
        self._run = dict(run)
        self.outcomes: dict[str, CaseOutcome] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not self._path.exists() and any(folder.iterdir()):
                raise UsageError(f"{folder} holds other things; name another --output-dir")
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
            self._file = os.open(self._path, flags, 0o644)
        except OSError as error:
            raise SelfhealError(f"cannot write to {folder}: {error.strerror}") from error
        try:
            self._begin()
        except BaseException:
            os.close(self._file)
            raise

    def add(self, outcome: CaseOutcome) -> None:
        """Write what came of a case; it is on the disk afterwards."""
        self._write(to_line(outcome))
        self.outcomes[outcome.case] = outcome

    def close(self) -> None:
        os.close(self._file)

    def _begin(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another selfheal bench works in {self._path.parent}") from error
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            # Killed while it wrote: the case was told to nobody, and is run again.
            os.ftruncate(self._file, len(whole))
        head, *lines = whole.splitlines() or [b""]
        if not head:
            self._write(json.dumps({"v": _VERSION, "run": self._run}, separators=(",", ":")))
            return
        self._compare(head)
        for number, line in enumerate(lines, 2):
            try:
                outcome = from_line(line)
            except ValueError as error:
                raise UsageError(f"{self._path}, line {number}: {error}") from error
            self.outcomes[outcome.case] = outcome

    def _compare(self, head: bytes) -> None:
        try:
            data = json.loads(head)
            version, run = data["v"], dict(data["run"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"{self._path}, line 1: not written by selfheal bench") from error
        if version != _VERSION:
            raise UsageError(f"{self._path} is of another version ({version})")
        for key in sorted(run.keys() | self._run.keys()):
            if run.get(key) != self._run.get(key):
                raise UsageError(
                    f"{self._path.parent} has results with {key} {run.get(key)!r}, not"
                    f" {self._run.get(key)!r}; name another --output-dir"
                )

    def _write(self, line: str) -> None:
        try:
            data = line.encode() + b"\n"
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as error:
            raise SelfhealError(f"cannot write to {self._path}: {error.strerror}") from error
