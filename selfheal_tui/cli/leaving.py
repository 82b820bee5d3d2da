"""How the interface ends when something outside asks for it: a signal, or a terminal that is gone.

The first time its session is ended; the second time, or when that takes too long, the process is.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LONGEST = 5.0
"""Seconds that the end of a session may take."""

LOOK_EVERY = 1.0
"""Seconds between two looks whether the terminal is still there: not every one sends a signal."""

RESTORING = (
    b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Paste, wrapping, mouse, keyboard, screen, cursor and focus as a shell wants them."""

IN, OUT = 0, 2
"""Descriptors of the terminal, as Textual uses them."""


class Leaving:
    """Calls `begin` once with the number of the signal. Use it as a context, around the app."""

    def __init__(self, begin: Callable[[int], None]) -> None:
        self._begin = begin
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._terminal = _attributes()
        self.number = 0

    def __enter__(self) -> Leaving:
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._asked, number)
        self._look()
        return self

    def __exit__(self, *_: object) -> None:
        for timer in (self._deadline, self._next_look):
            if timer:
                timer.cancel()
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)

    def code(self, ended: int) -> int:
        """The exit code: that of the signal, where one came before the session's own end."""
        return 128 + self.number if self.number else ended

    def _asked(self, number: int) -> None:
        if self.number:
            self._now(number)
        self.number = number
        self._deadline = self._loop.call_later(LONGEST, self._now, number)
        self._begin(number)

    def _now(self, number: int) -> None:
        """Every event is stored, and the container ends with us: nothing is lost."""
        if self._terminal:
            with suppress(OSError):
                os.write(OUT, RESTORING)
            with suppress(termios.error):
                termios.tcsetattr(IN, termios.TCSANOW, self._terminal)
        os._exit(128 + number)

    def _look(self) -> None:
        """Once a terminal is gone, its signal may have gone to somebody else."""
        if self._terminal and _hung_up():
            if not self.number:
                self._asked(signal.SIGHUP)
            return
        self._next_look = self._loop.call_later(LOOK_EVERY, self._look)


def _attributes() -> list[Any] | None:
    """The terminal's settings as they are before the interface; None where there is none."""
    try:
        return termios.tcgetattr(IN)
    except termios.error:
        return None


def _hung_up() -> bool:
    poll = select.poll()
    poll.register(IN, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
