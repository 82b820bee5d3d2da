"""A pseudo-terminal with a program in it: keys go in, what is drawn comes out as text."""

from __future__ import annotations

import codecs
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

MODES = {"1049": "l", "25": "h", "7": "h", **dict.fromkeys(["1000", "1003", "1006", "2004"], "l")}
"""Private modes as a shell wants them: screen, cursor, wrapping, mouse, paste."""


class Terminal:
    """Runs `argv` in `cwd` on a terminal of `columns` by `lines`."""

    def __init__(self, argv, *, cwd, env, columns=120, lines=36):
        # They would count for more than the size of the terminal.
        env = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
                os.chdir(cwd)
                # As a shell at a terminal does; tests in the background inherit it as ignored.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.execvpe(argv[0], argv, env)
            finally:
                # Two processes would go on with the tests.
                os._exit(127)
        self._begin()

    def _begin(self):
        self.raw = bytearray()
        self.drawn = ""
        # Its text, as far as no sequence is open, and what follows: it grows to megabytes.
        self._text, self._open = "", ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._seen = 0
        self._code = None
        # Before the program comes to it.
        self._attributes = termios.tcgetattr(self._fd)

    def send(self, keys):
        os.write(self._fd, keys.encode())

    def send_bytes(self, data):
        os.write(self._fd, data)

    def resize(self, columns, lines):
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text, timeout=60.0):
        """Read until `text` is drawn after what was found last; fails with what was drawn."""
        self.until_one((text,), timeout)

    def until_one(self, texts, timeout=60.0):
        """The same for the one of `texts` that is drawn first; that one."""
        end = time.monotonic() + timeout
        while True:
            drawn = self._plain()
            places = {text: at for text in texts if (at := drawn.find(text, self._seen)) >= 0}
            if places:
                first = min(places, key=places.get)
                self._seen = places[first] + len(first)
                return first
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{texts} never came:\n{drawn[self._seen :]}")

    def ended(self, timeout=20.0):
        """Read to the end; the exit code."""
        end = time.monotonic() + timeout
        while self._read(end - time.monotonic()):
            pass
        if self._code is None:
            self._code = self._waited()
        return self._code

    def rest(self, quiet=0.3):
        """Read until nothing comes for a while."""
        while self._read(quiet):
            pass

    def read_for(self, seconds):
        """Read what comes in this time: nobody draws on when nobody reads."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def forget(self):
        """Look no more at what was drawn so far."""
        self.rest()
        self._seen = len(self._plain())

    def stopped(self, timeout=30.0):
        """Wait until the program is suspended, and read what it draws before."""
        end = time.monotonic() + timeout
        pid = 0
        while not pid and time.monotonic() < end:
            # Nobody who has something left to draw stops before it is read.
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WUNTRACED | os.WNOHANG)
        assert pid, "the program was not suspended"
        assert os.WIFSTOPPED(status), f"ended with {status}"
        while self._read(0):
            pass

    def left(self):
        """What of the terminal is not as it was: modes and attributes; empty where all is well."""
        wrong = [mode for mode, wanted in MODES.items() if _last(self.drawn, mode) != wanted]
        same = termios.tcgetattr(self._fd) == self._attributes
        return wrong if same else [*wrong, "attributes"]

    def signal(self, number):
        os.kill(self.pid, number)

    def hang_up(self):
        """Close the terminal under the program; its exit code."""
        os.close(self._fd)
        self._fd = -1
        self._code = self._waited()
        return self._code

    def _waited(self, timeout=30.0):
        """The exit code of the program, which is to end in time."""
        process = os.pidfd_open(self.pid)
        try:
            assert select.select([process], [], [], timeout)[0], "the program did not end"
        finally:
            os.close(process)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        """End what is still there."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._waited()
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
        self.raw += piece
        text = self._decode(piece)
        self.drawn += text
        self._open += text
        return bool(piece)

    def _plain(self):
        """`plain` of all that was drawn, by what came since the last time."""
        # Of all that begins with an escape, this alone cannot be the end of something before it.
        if (at := self._open.rfind("\x1b[")) > 0:
            self._text += plain(self._open[:at])
            self._open = self._open[at:]
        return self._text + plain(self._open)


def _last(drawn, mode):
    """`h` or `l`, as the mode was set last."""
    return re.findall(rf"\x1b\[\?{mode}([hl])", drawn)[-1]


def plain(drawn):
    """The text of what was drawn, in the order it was drawn."""
    return _ESCAPE.sub("", drawn)
