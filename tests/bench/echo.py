"""How long a key takes to be seen while much is going on: `python -m tests.bench.echo [CASE ...]`.

A case is any part of its name; all of them without one. Prints milliseconds: `p50`, `p95` and
`worst` from a key to the drawing that shows it, `block` for the longest time that the event loop
was held by one thing (nothing at all is drawn meanwhile), and the megabytes that memory grew by.
Aims: p95 at most 50 with 10,000 events and 20 MB/s, at most 100 with a line of 5 MB or 10,000
files; no block over 150; memory under 100. What is large comes while the keys are typed, anew each
second, so that nothing of it was laid out before.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from selfheal_tui.core import events as e
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Happened
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.prompt import Editor
from selfheal_tui.ui.themes import load_themes
from tests.support import stories
from tests.support.conductor import FakeConductor, opened

SECONDS = 4.0
STEP = 0.02
LOOK = 0.002
"""Seconds between two looks whether the loop still turns."""
RATE = 20_000_000
"""Characters of output a second."""

Tell = Callable[..., None]
"""Tells the app one event or several, as one piece of news."""
Pour = Callable[[Tell, float], None]


async def measure(story: stories.Timed, pour: Pour | None) -> dict[str, float]:
    """Run one case in the whole app; the figures by name."""
    conductor = FakeConductor()
    app = SelfhealApp(conductor, make_panes=all_panes, themes=load_themes(themes_folder(), None))
    async with opened(app, size=(200, 50)) as pilot:
        conductor.tell(*(Happened(event, at) for event, at in story))
        await conductor.told(pilot)
        app.focus_input()
        before, waits, late = _memory(), [], [0.0]
        until = time.monotonic() + SECONDS
        looking = asyncio.create_task(_look(late))
        pouring = asyncio.create_task(_pour(conductor.tell, pour, until))
        while time.monotonic() < until:
            waits.append(await _echo(app))
            await asyncio.sleep(0.03)
        await pouring
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        growth = _memory() - before
    waits.sort()
    return {
        "p50": 1000 * statistics.median(waits),
        "p95": 1000 * waits[int(len(waits) * 0.95)],
        "worst": 1000 * waits[-1],
        "block": 1000 * max(late),
        "grown MB": growth,
    }


async def _look(late: list[float]) -> None:
    """Note how late each look is: so long something held the loop."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(LOOK)
        late.append(time.monotonic() - began - LOOK)


async def _echo(app: SelfhealApp) -> float:
    """From a key to the moment after the next drawing of the input."""
    entry = app.query_one(Editor)
    seen = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    app.post_message(_key())
    text = entry.text

    def look() -> None:
        if seen.done():
            return
        if entry.text != text:
            seen.set_result(None)
        else:
            entry.call_after_refresh(look)

    entry.call_after_refresh(look)
    await seen
    return time.monotonic() - began


def _key() -> object:
    from textual.events import Key

    return Key("x", "x")


async def _pour(tell: Tell, pour: Pour | None, until: float) -> None:
    began = last = time.monotonic()
    while pour is not None and last < until:
        await asyncio.sleep(STEP)
        now = time.monotonic()
        pour(tell, now - last)
        last = now
    assert began <= last


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


LINE = "\x1b[32mok\x1b[0m test_number_of_many.py::test_it_holds " + "x" * 40 + "\n"
PIECE = LINE * (16_384 // len(LINE))


def log_pours(tell: Tell, passed: float) -> None:
    for _ in range(int(RATE * passed / len(PIECE))):
        tell(e.CommandPrinted("c900", PIECE))


def thousand_events(tell: Tell, passed: float) -> None:
    for _ in range(int(1_000 * passed)):
        tell(e.TextStreamed("t50", "another word of *many* "))


def each_second(make: Callable[[int], Sequence[e.Event]]) -> Pour:
    """Something large, anew each second; `make` is told which time it is."""
    # Made before: the time of making them is not the interface's.
    made = [make(number) for number in range(1, int(SECONDS) + 2)]
    passed_so_far, done = 0.0, 0

    def pour(tell: Tell, passed: float) -> None:
        nonlocal passed_so_far, done
        passed_so_far += passed
        if passed_so_far < done:
            return
        done += 1
        tell(*made[done - 1])

    return pour


def long_line(number: int) -> Sequence[e.Event]:
    name = f"c{number}"
    line = chr(ord("a") + number) * 5_000_000
    return e.CommandStarted(name, "x", "tool"), e.CommandPrinted(name, line)


def many_files(number: int) -> Sequence[e.Event]:
    count = 10_000
    patch = "".join(
        f"diff --git a/f{n}.py b/f{n}.py\nindex 1..{number} 100644\n--- a/f{n}.py\n+++ b/f{n}.py\n"
        f"@@ -1,2 +1,2 @@\n a\n-b = 1\n+b = {number}\n"
        for n in range(count)
    )
    counts = tuple((f"f{n}.py", 1, 1) for n in range(count))
    return [e.TreeChanged(str(number), counts, patch)]


def one_hunk(number: int) -> Sequence[e.Event]:
    """One hunk of nearly a megabyte: the most that a difference is shown of."""
    count = 11_000
    old = "".join(f"-value_{n} = call(argument_{n}, {number})\n" for n in range(count))
    new = "".join(f"+value_{n} = call(argument_{n}, other={number})\n" for n in range(count))
    patch = (
        "diff --git a/large.py b/large.py\nindex 1..2 100644\n--- a/large.py\n+++ b/large.py\n"
        f"@@ -1,{count} +1,{count} @@\n{old}{new}"
    )
    return [e.TreeChanged(str(number), (("large.py", count, count),), patch)]


def long_lines_of_a_hunk(number: int) -> Sequence[e.Event]:
    """A minified file: one line, before and after."""
    old = f"var a{number}=1;" + "f(x);" * 90_000
    patch = (
        "diff --git a/min.js b/min.js\nindex 1..2 100644\n--- a/min.js\n+++ b/min.js\n"
        f"@@ -1 +1 @@\n-{old}\n+{old}g();\n"
    )
    return [e.TreeChanged(str(number), (("min.js", 1, 1),), patch)]


def cases() -> dict[str, tuple[stories.Timed, Callable[[], Pour | None]]]:
    at = stories.START
    long = stories.long(10_000)[:-1]
    long.append((e.CommandStarted("c900", "make everything", "tool"), at))
    running = stories.running()
    return {
        "quiet": (running, lambda: None),
        "10,000 events": (long, lambda: None),
        "10,000 events, 20 MB/s": (long, lambda: log_pours),
        "streaming 1,000 events/s": (running, lambda: thousand_events),
        "5 MB line": (running, lambda: each_second(long_line)),
        "10,000-file diff": (running, lambda: each_second(many_files)),
        "1 MB hunk": (running, lambda: each_second(one_hunk)),
        "1 MB in two lines of a hunk": (running, lambda: each_second(long_lines_of_a_hunk)),
    }


def main() -> None:
    wanted = sys.argv[1:] or [""]
    for name, (story, pour) in cases().items():
        if not any(part in name for part in wanted):
            continue
        found = asyncio.run(measure(story, pour()))
        print(f"{name:<28}", "  ".join(f"{key} {value:7.1f}" for key, value in found.items()))


if __name__ == "__main__":
    main()
