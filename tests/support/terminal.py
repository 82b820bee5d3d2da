"""A pseudo-terminal with a program in it: keys go in, what is drawn comes out as text."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

_ESCAPE = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[^\[\]]")
RESTORED = "\x1b[?1049l"
"""What leaves the alternate screen: the last thing a well-mannered program draws."""


class Terminal:
    """Runs `argv` in `cwd` on a terminal of `columns` by `lines`."""

    def __init__(self, argv, *, cwd, env, columns=120, lines=36):
        self.drawn = ""
        self._seen = 0
        self._code = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.chdir(cwd)
            os.execvpe(argv[0], argv, env)

    def send(self, keys):
        os.write(self._fd, keys.encode())

    def resize(self, columns, lines):
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text, timeout=60.0):
        """Read until `text` is drawn after what was found last; fails with what was drawn."""
        end = time.monotonic() + timeout
        while (at := plain(self.drawn).find(text, self._seen)) < 0:
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{text!r} never came:\n{plain(self.drawn)[self._seen :]}")
        self._seen = at + len(text)

    def ended(self, timeout=20.0):
        """Read to the end; the exit code."""
        end = time.monotonic() + timeout
        while self._read(end - time.monotonic()):
            pass
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def signal(self, number):
        os.kill(self.pid, number)

    def hang_up(self):
        """Close the terminal under the program; its exit code."""
        os.close(self._fd)
        self._fd = -1
        self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def close(self):
        """End what is still there."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self, seconds):
        """Read a piece; False at the end, or when nothing comes in time."""
        ready, _, _ = select.select([self._fd], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            piece = os.read(self._fd, 65536)
        except OSError:
            return False
        self.drawn += piece.decode("utf-8", "replace")
        return bool(piece)


def plain(drawn):
    """The text of what was drawn, in the order it was drawn."""
    return _ESCAPE.sub("", drawn)
