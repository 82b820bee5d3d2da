"""How long a key takes to be seen while much is going on: `python -m tests.bench.echo`.

A timer's lateness stands for the key: both wait for the same loop. Prints milliseconds.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.widgets import Input

from selfheal_tui.core import events as e
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.panes.pane import Pane
from tests.support import stories
from tests.ui.stand_in import PaneApp

SECONDS = 4.0
STEP = 0.02
RATE = 20_000_000
"""Characters of output a second."""

Pour = Callable[[list[Pane], float], None]


class EchoApp(PaneApp):
    """The panes, and an input to type in."""

    def compose(self) -> ComposeResult:
        yield Input()
        yield from super().compose()


async def measure(name: str, story: stories.Timed, pour: Pour | None) -> dict[str, float]:
    """Run one case; p50, p95 and worst echo in milliseconds, growth in megabytes."""
    app = EchoApp(all_panes(), story)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        app.query_one(Input).focus()
        before, waits = _memory(), []
        until = time.monotonic() + SECONDS
        pouring = asyncio.create_task(_pour(app.panes, pour, until))
        while time.monotonic() < until:
            waits.append(await _echo(app))
            await asyncio.sleep(0.05)
        await pouring
        growth = _memory() - before
    waits.sort()
    return {
        "p50": 1000 * statistics.median(waits),
        "p95": 1000 * waits[int(len(waits) * 0.95)],
        "worst": 1000 * waits[-1],
        "grown MB": growth,
    }


async def _echo(app: EchoApp) -> float:
    """From a key to the moment after the next drawing of the input."""
    entry = app.query_one(Input)
    seen = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    app.post_message(_key())
    value = entry.value

    def look() -> None:
        if seen.done():
            return
        if entry.value != value:
            seen.set_result(None)
        else:
            entry.call_after_refresh(look)

    entry.call_after_refresh(look)
    await seen
    return time.monotonic() - began


def _key() -> object:
    from textual.events import Key

    return Key("x", "x")


async def _pour(panes: list[Pane], pour: Pour | None, until: float) -> None:
    began = last = time.monotonic()
    while pour is not None and last < until:
        await asyncio.sleep(STEP)
        now = time.monotonic()
        pour(panes, now - last)
        last = now
    assert began <= last


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


LINE = "\x1b[32mok\x1b[0m test_number_of_many.py::test_it_holds " + "x" * 40 + "\n"
PIECE = LINE * (16_384 // len(LINE))


def log_pours(panes: list[Pane], passed: float) -> None:
    for _ in range(int(RATE * passed / len(PIECE))):
        event = e.CommandPrinted("c900", PIECE)
        for pane in panes:
            pane.fold(event, stories.START)


def thousand_events(panes: list[Pane], passed: float) -> None:
    for _ in range(int(1_000 * passed)):
        for pane in panes:
            pane.fold(e.TextStreamed("t50", "another word of *many* "), stories.START)


def cases() -> dict[str, tuple[stories.Timed, Pour | None]]:
    at = stories.START
    long = stories.long(10_000)[:-1]
    long.append((e.CommandStarted("c900", "make everything", "tool"), at))
    big_line = [(e.CommandStarted("c1", "x", "tool"), at)]
    big_line.append((e.CommandPrinted("c1", "y" * 5_000_000), at))
    files = "".join(
        f"diff --git a/f{n}.py b/f{n}.py\nindex 1..2 100644\n--- a/f{n}.py\n+++ b/f{n}.py\n"
        "@@ -1,2 +1,2 @@\n a\n-b = 1\n+b = 2\n"
        for n in range(10_000)
    )
    counts = tuple((f"f{n}.py", 1, 1) for n in range(10_000))
    return {
        "quiet": (stories.running(), None),
        "10,000 events": (long, None),
        "10,000 events, 20 MB/s": (long, log_pours),
        "streaming 1,000 events/s": (stories.running(), thousand_events),
        "5 MB line": (big_line, None),
        "10,000-file diff": ([(e.TreeChanged("1", counts, files), at)], None),
    }


def main() -> None:
    for name, (story, pour) in cases().items():
        found = asyncio.run(measure(name, story, pour))
        print(f"{name:<28}", "  ".join(f"{key} {value:7.1f}" for key, value in found.items()))


if __name__ == "__main__":
    main()
