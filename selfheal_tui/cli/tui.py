"""The terminal interface's composition root: a conductor, the panes, the themes, the signals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from selfheal_tui.cli.collecting import taken_up
from selfheal_tui.cli.drawing import Drawing
from selfheal_tui.cli.leaving import Leaving
from selfheal_tui.cli.live import LiveConductor
from selfheal_tui.cli.loading import INTERFACE, load
from selfheal_tui.cli.looks import look_of
from selfheal_tui.cli.readying import Bench
from selfheal_tui.settings import Settings
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.terminal import TerminalDriver

if TYPE_CHECKING:
    from textual.widget import Widget


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
        load=partial(load, INTERFACE),
        look=look_of(bench.place, settings.ui),
        task=first.task,
        resume=first.resume,
        pick=first.pick,
        no_isolation=first.no_isolation,
        ui=settings.ui,
    )
    return await show(app)


async def show(app: SelfhealApp) -> int:
    """Run the app; a signal that asks a program to end, ends its session first."""
    drawn_on = sys.__stderr__
    # Textual takes its output from here, and offers no other way to name one.
    sys.__stderr__ = Drawing(drawn_on)  # type: ignore[misc, assignment, arg-type]
    if not os.environ.get("TEXTUAL_DRIVER"):
        app.driver_class = TerminalDriver
    with taken_up(), Leaving(app.begin_leaving) as leaving:
        try:
            code = await app.run_async()
        finally:
            sys.__stderr__ = drawn_on  # type: ignore[misc]
            ended = await app.conductor.close()
    if app.return_code:
        # Textual has printed what went wrong.
        return 70
    return leaving.code(ended if code is None else code)
