"""What a change does to the files that decide the verdict, as values, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass

DELETED = "test deleted"
RENAMED = "test renamed away"
ASSERT = "assert removed"
CHANGED = "assert changed"
CONDITIONAL = "assert made conditional"
TOLERANCE = "tolerance loosened"
SKIP = "skip added"
ONLY = "only some tests"
CASES = "cases removed"
RETURN = "early return"
CAUGHT = "failure caught"
EXIT = "exit status"
RUNNER = "runner patched"
AWARE = "knows that it is tested"
CONFIG = "configuration"
SELECTION = "fewer tests selected"
HIDDEN = "failure hidden"
SHADOW = "runner shadowed"
LOCK = "lock of the runner"
SNAPSHOT = "snapshot changed"
DATA = "test data changed"
CI = "continuous integration"
SCRIPT = "script of the check"
FEWER = "fewer tests ran"

ALSO_IN_NEW = frozenset((ONLY, EXIT, RUNNER, AWARE, CONFIG, SELECTION, HIDDEN, SHADOW, FEWER))
"""What counts in a new file too: a test that was never there can be skipped without any loss."""


@dataclass(frozen=True)
class Finding:
    """One thing that a change does. `line` counts from 1 in the file as it is now, in the file as
    it was for what is gone, and is 0 for the file as a whole; `path` is empty for no file."""

    path: str
    line: int
    kind: str
    text: str

    @property
    def sentence(self) -> str:
        """`tests/test_a.py:3: an assert was removed: ...`."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.text}" if where else self.text
