"""The terminal interface's composition root: a conductor, the panes, the themes, the signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    user chooses which one. Nothing of that: the input waits."""

    task: str = ""
    resume: str = ""
    pick: bool = False


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
    )
    return await show(app)


async def show(app: SelfhealApp) -> int:
    """Run the app; a signal that asks a program to end, ends its session first."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, app.begin_leaving, number)
    try:
        code = await app.run_async()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        ended = await app.conductor.close()
    return ended if code is None else code
