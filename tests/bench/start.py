"""How long until the interface takes keys, beside the smallest Textual app with an input.

`python -m tests.bench.start [RUNS] [COMMAND ...]` runs both by turns in a pseudo-terminal and
prints medians in milliseconds and their ratio. COMMAND is the `selfheal` to measure (default: this
checkout's, as a console script would start it): name one of a fresh environment with a wheel in it
to measure what users get; the small app then runs on that environment's Python.

All times are from the start of the process, on the terminal's side:

- `frame`: the input's placeholder is on the screen;
- `ready`: a key that is typed the moment that is seen, is on the screen too. This is the figure
  that counts: an app that shows a picture first and then is busy is not ready;
- `work`: the processor time that the program has used by then (Linux; all its threads). The same
  ratio, but for the noise of a machine that does other things too;
- `slowest`: from a key to its echo, the slowest of those typed one after the other in the second
  after `ready`, while everything else is loaded behind the input. The small app loads nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

RUNS = 15
COLUMNS, LINES = 120, 36
PLACEHOLDER = "what should be healed?"
SHOWN = b"should be healed?"
"""What is looked for of it: the cursor stands on its first letter, with colours of its own."""
KEYS = b"~`^&=+;<>|"
"""Typed one after the other; neither program draws one of these by itself."""
WATCHED = 1.0
"""Seconds after `ready` in which keys go on."""
LONGEST = 60.0

SMALLEST = f"""
from textual.app import App
from textual.widgets import Input

class Smallest(App):
    def compose(self):
        yield Input(placeholder={PLACEHOLDER!r})

Smallest().run()
"""
PRODUCT = "import sys; from selfheal_tui.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Start:
    """One start, in milliseconds."""

    frame: float
    ready: float
    work: float
    slowest: float


class Screen:
    """What a program that runs in a pseudo-terminal draws, as bytes."""

    def __init__(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._drawn = b""
        self._began = time.perf_counter()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
                os.chdir(folder)
                os.execve(argv[0], list(argv), dict(environment))
            finally:
                os._exit(127)

    def until(self, wanted: bytes) -> float:
        """Read until `wanted` is drawn, and forget what came before; milliseconds since the
        start. Raises TimeoutError with what was drawn."""
        end = time.perf_counter() + LONGEST
        while (at := self._drawn.find(wanted)) < 0:
            ready, _, _ = select.select([self._fd], [], [], max(end - time.perf_counter(), 0))
            piece = b""
            with contextlib.suppress(OSError):
                piece = os.read(self._fd, 65536) if ready else b""
            if not piece:
                raise TimeoutError(f"{wanted!r} never came: {self._drawn[-2000:]!r}")
            self._drawn += piece
        self._drawn = self._drawn[at + len(wanted) :]
        return self._since()

    def type(self, key: bytes) -> float:
        """Press a key and wait until it is drawn; milliseconds since the start."""
        os.write(self._fd, key)
        return self.until(key)

    def work(self) -> float:
        """Milliseconds of processor time so far; 0 where the system does not tell."""
        told = Path(f"/proc/{self._pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in told) / 1e6

    def slowest(self) -> float:
        """Milliseconds of the slowest echo of the next second."""
        waits, number, end = [], 1, self._since() + 1000 * WATCHED
        while self._since() < end:
            pressed = self._since()
            waits.append(self.type(KEYS[number % len(KEYS) :][:1]) - pressed)
            number += 1
            time.sleep(0.02)
        return max(waits)

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def _since(self) -> float:
        return 1000 * (time.perf_counter() - self._began)


def measure(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Start:
    """Start a program once, and end it."""
    screen = Screen(argv, folder, environment)
    try:
        frame = screen.until(SHOWN)
        ready = screen.type(KEYS[:1])
        return Start(frame, ready, screen.work(), screen.slowest())
    finally:
        screen.close()


def medians(starts: Sequence[Start]) -> Start:
    return Start(*(statistics.median(column) for column in zip(*map(astuple, starts), strict=True)))


def surroundings(folder: Path) -> dict[str, str]:
    """A home of its own; a key, so that the model library is loaded; no engine."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return environment | {
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SELFHEAL_STATE_DIR": str(folder / "state"),
        "SELFHEAL_CONFIG_DIR": str(folder / "config"),
        "OPENAI_API_KEY": "no-such-key",
        "DOCKER_HOST": f"unix://{folder}/none.sock",
    }


def repository(folder: Path) -> Path:
    """A small project under git."""
    place = folder / "project"
    place.mkdir()
    (place / "Makefile").write_text("test:\n\ttrue\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    return place


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    product, python = sys.argv[2:], sys.executable
    checkout = Path(__file__).resolve().parents[2]
    if product:
        product[0] = shutil.which(product[0]) or product[0]
        python = str(Path(product[0]).with_name("python"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        environment = surroundings(folder)
        ours = environment if product else environment | {"PYTHONPATH": str(checkout)}
        product = product or [python, "-c", PRODUCT]
        place = repository(folder)
        small: list[Start] = []
        whole: list[Start] = []
        # The first start of each writes bytecode and fills the page cache: it is not counted.
        for run in range(runs + 1):
            pair = (
                measure([python, "-c", SMALLEST], place, environment),
                measure(product, place, ours),
            )
            if run:
                small.append(pair[0])
                whole.append(pair[1])
    report({"smallest app": small, "selfheal": whole})


def report(found: Mapping[str, Sequence[Start]]) -> None:
    """Print the medians, and the ratio of the second to the first."""
    rows = {name: asdict(medians(starts)) for name, starts in found.items()}
    for name, row in rows.items():
        print(f"{name:<14}", *(f"{key} {value:6.0f} " for key, value in row.items()))
    small, whole = rows.values()
    print(f"{'ratio':<14}", *(f"{key} {whole[key] / small[key]:6.2f} " for key in small))
    pairs = zip(*found.values(), strict=True)
    ratios = sorted(theirs.ready / mine.ready for mine, theirs in pairs)
    middle = statistics.median(ratios)
    print(f"ready by pairs: median {middle:.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main()
