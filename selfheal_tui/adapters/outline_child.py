"""The process behind `outline_process`: reads files on its standard input, says what they define.

A grammar is native code, and what it reads comes from outside: a crash of it ends this process and
nothing else. One line of JSON comes before each file, one goes back for it.
"""

from __future__ import annotations

import json
import sys

from selfheal_tui.adapters.outline import TreeSitterOutliner

MEMORY = 1 << 30
"""Bytes of address space."""

PROCESSOR = 10
"""Seconds of processor time."""


def main() -> None:
    """Answer until the input ends."""
    _limit()
    outliner = TreeSitterOutliner()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := asked.readline():
        path, size = json.loads(head)
        found = outliner.definitions(path, asked.read(size), lambda: False)
        rows = [(each.name, each.line, each.depth, each.signature) for each in found]
        answers.write(json.dumps(rows).encode() + b"\n")
        answers.flush()


def _limit() -> None:
    try:
        import resource
    except ImportError:
        # Not on Windows: there, only the time that is left ends it.
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
