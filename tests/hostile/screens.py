"""The interface in forks that have a terminal: a start costs a fraction of a second. And what a
user types there.

    with Forks() as forks, at_terminal(forks, scene, *options, "task") as terminal:
        go_on_without_isolation(terminal)
        answer(terminal, "Make this commit?", YES)
        ran = left(terminal)
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.hostile.forking import Forks
from tests.hostile.scene import Ran, Scene
from tests.support.terminal import Terminal

CTRL_C, ESCAPE, LEAVE, YES, NO = "\x03", "\x1b", "\x11", "\x19", "\x0e"

START = 30.0
"""Seconds in which a fork draws something."""


class ForkedTerminal(Terminal):
    """A terminal with a fork in it; `arguments` are those of its command line. When it has ended,
    `wrong` is what of the terminal is not as it was."""

    def __init__(
        self, forks: Forks, scene: Scene, arguments: tuple[str, ...], size: Any, more: Any
    ) -> None:
        self._fd, device = pty.openpty()
        fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._begin()
        environment = {"TERM": "xterm-256color"} | more
        self.arguments = arguments
        self.child = forks.start(scene, *arguments, terminal=os.ttyname(device), **environment)
        self.pid = self.child.pid
        # Nobody may read before the fork has opened it: that would be the end.
        select.select([self._fd], [], [], START)
        os.close(device)

    def _waited(self, timeout: float = 30.0) -> int:
        code = self.child.ended(timeout).exit_code
        self.wrong = self.left() if self._fd >= 0 and "1049" in self.drawn else []
        return code

    def kill(self, number: int) -> Ran:
        """End it with this signal; how it ended."""
        self.signal(number)
        return self.ran(8.0)

    def ran(self, timeout: float = 20.0) -> Ran:
        """Wait for its end, and tell of it."""
        return Ran(self.ended(timeout), drawn=bytes(self.raw), arguments=self.arguments)


@contextmanager
def at_terminal(
    forks: Forks, scene: Scene, *arguments: str, size: tuple[int, int] = (120, 36), **more: Any
) -> Iterator[ForkedTerminal]:
    """The interface of this command line. `more` goes to `Forks.start`."""
    terminal = ForkedTerminal(forks, scene, arguments, size, more)
    try:
        yield terminal
    finally:
        terminal.close()


def go_on_without_isolation(terminal: Terminal) -> None:
    """What `--sandbox local` asks first."""
    terminal.until("goes on without isolation")
    terminal.send(YES)


def answer(terminal: Terminal, question: str, key: str = YES, timeout: float = 60.0) -> None:
    """Wait until this is asked and can be answered, and answer it."""
    terminal.until(question, timeout)
    terminal.until("Ctrl+Y yes")
    terminal.send(key)


def left(terminal: ForkedTerminal) -> Ran:
    """Leave, and tell how it ended."""
    terminal.send(LEAVE)
    return terminal.ran()
