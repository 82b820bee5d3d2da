"""Definitions in source files, read in a process of its own. Fits `agent.ports.Outliner`.

Bytes from outside meet native parsers there: what crashes, hangs or fills the memory ends that
process, and its file has no definitions. Refuses to go on after some such ends.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from selfheal_tui.adapters.outline import GRAMMARS, reads, suffix_of
from selfheal_tui.core.codemap import Definition

LOST = 3
"""Processes that may end before it is left alone."""

LOOK = 0.02
"""Seconds between two looks at whether it is late."""

LONGEST = 1 << 20
"""Bytes of an answer; the definitions that are read of a file are far fewer."""

_PACKAGES = Path(__file__).parents[2]
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from selfheal_tui.adapters.outline_child import main; main()"
)
# Isolated: neither the folder it is started in nor the environment names code that it loads.
READER = (sys.executable, "-I", "-c", _CODE, str(_PACKAGES))


class OutlineProcess:
    """Starts its process with the first file, and ends it when it is closed, or late."""

    def __init__(self, reader: Sequence[str] = READER) -> None:
        self._reader = reader
        self._process: subprocess.Popen[bytes] | None = None
        self._lost = 0

    def reads(self, path: str) -> bool:
        """Whether a file of this name belongs on a map of the code."""
        return reads(path)

    def definitions(
        self, path: str, content: bytes, late: Callable[[], bool]
    ) -> tuple[Definition, ...]:
        """The definitions of a file, in order; none where it is `late` before they are there."""
        if suffix_of(path) not in GRAMMARS or self._lost >= LOST:
            return ()
        try:
            process = self._process = self._process or _started(self._reader)
        except OSError:
            # No memory or no process to be had: the map is of use, but no run hangs on it.
            self._lost += 1
            return ()
        found = _told(_answer(process, path, content, late))
        if found is None:
            self._lost += not late()
            self.close()
        return found or ()

    def close(self) -> None:
        """End the process; the next file starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _started(reader: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        reader,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_PACKAGES,
        # A Ctrl-C in the terminal is not meant for it.
        start_new_session=True,
    )


def _answer(
    process: subprocess.Popen[bytes], path: str, content: bytes, late: Callable[[], bool]
) -> bytes | None:
    """The line that answers; None where the process ended, or time is up."""
    assert process.stdin is not None
    assert process.stdout is not None
    question = json.dumps([path, len(content)]).encode() + b"\n" + content
    if not _asked(process.stdin.fileno(), memoryview(question), late):
        return None
    answer, output = bytearray(), process.stdout.fileno()
    while not answer.endswith(b"\n"):
        if not select.select([output], [], [], LOOK)[0]:
            if late():
                return None
            continue
        piece = os.read(output, 1 << 16)
        if not piece or len(answer) > LONGEST:
            return None
        answer += piece
    return bytes(answer)


def _asked(pipe: int, question: memoryview, late: Callable[[], bool]) -> bool:
    """Whether the process took the whole question in time."""
    os.set_blocking(pipe, False)
    while question:
        if not select.select([], [pipe], [], LOOK)[1]:
            if late():
                return False
            continue
        try:
            question = question[os.write(pipe, question) :]
        except BrokenPipeError:
            return False
    return True


def _told(answer: bytes | None) -> tuple[Definition, ...] | None:
    """The definitions of an answer; None for one that is none."""
    try:
        return tuple(
            Definition(_whole(name), int(line), int(depth), _whole(signature))
            for name, line, depth, signature in json.loads(answer or b"")
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _whole(text: object) -> str:
    """A text that can be encoded, whatever halves of characters the answer holds."""
    return str(text).encode("utf-8", "replace").decode("utf-8")
