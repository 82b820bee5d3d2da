"""The terminal interface's composition root: a conductor, the panes, the themes, the signals."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from selfheal_tui.cli.live import Bench, LiveConductor
from selfheal_tui.resources import themes_folder
from selfheal_tui.settings import Settings
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.themes import DARK, load_themes

if TYPE_CHECKING:
    from textual.widget import Widget

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class First:
    """What happens first: `task` is sent, or the session `resume` is taken up; with `pick` the
    user chooses which one. Nothing of that: the input waits. With `no_isolation` the user is told
    what that means before anything of it."""

    task: str = ""
    resume: str = ""
    pick: bool = False
    no_isolation: bool = False


def run_tui(bench: Bench, settings: Settings, first: First) -> int:
    """Show the interface until the user leaves; the exit code."""
    return asyncio.run(_run(bench, settings, first))


async def _run(bench: Bench, settings: Settings, first: First) -> int:
    # Panes bring parsers of code with them: they are loaded when they are wanted.
    def make_panes() -> Sequence[Widget]:
        from selfheal_tui.ui.panes import all_panes

        return all_panes()

    app = SelfhealApp(
        LiveConductor(bench, settings),
        make_panes=make_panes,
        themes=load_themes(themes_folder(), bench.place.config / "themes"),
        theme=DARK,
        task=first.task,
        resume=first.resume,
        pick=first.pick,
        no_isolation=first.no_isolation,
        ui=settings.ui,
    )
    return await show(app)


class LastingOutput:
    """A stream whose terminal may go away: what is drawn then goes nowhere, and nothing raises.

    Textual draws in a thread that would die of the error, and then block the whole app.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


async def show(app: SelfhealApp) -> int:
    """Run the app; a signal that asks a program to end, ends its session first."""
    drawn_on = sys.__stderr__
    # Textual takes its output from here, and offers no other way to name one.
    sys.__stderr__ = LastingOutput(drawn_on)  # type: ignore[misc, assignment, arg-type]
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, app.begin_leaving, number)
    try:
        code = await app.run_async()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        sys.__stderr__ = drawn_on  # type: ignore[misc]
        ended = await app.conductor.close()
    return ended if code is None else code
