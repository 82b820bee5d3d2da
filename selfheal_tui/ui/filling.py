"""What follows the first frame: everything that typing does not need, in steps so small that keys
come through between them.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp

LATER_CSS = ("panes.tcss", "bars.tcss", "screens.tcss", "low.tcss")
"""The looks of everything that was not in the first frame."""

GAP = 0.005
"""Seconds between two steps: a key that came meanwhile passes through several tasks to its echo."""


async def fill(app: SelfhealApp) -> None:
    """Put in what the first frame has left out."""
    from selfheal_tui.ui.bars.header import Header
    from selfheal_tui.ui.bars.keysline import KeysLine
    from selfheal_tui.ui.bars.search import SearchLine
    from selfheal_tui.ui.bars.status import Status
    from selfheal_tui.ui.bars.waiting import WaitingLines

    bottom = app.screen_stack[0]
    await _read_css(app)
    if not app.conductor.replayed:
        # Before the panes, so that nobody places and draws what it hides.
        await app.deck.greet()
        await asyncio.sleep(GAP)
    await bottom.query_one(Header).fill()
    if app.prompt:
        await app.prompt.fill()
    await asyncio.sleep(GAP)
    await bottom.mount(WaitingLines(), SearchLine(), after=app.deck)
    await bottom.mount(Status(), KeysLine())
    await asyncio.sleep(GAP)
    await app.deck.fill()


async def _read_css(app: SelfhealApp) -> None:
    """Read the later style sheets one by one. Unlike a refresh, it parses none of them twice."""
    for name in LATER_CSS:
        app.stylesheet.read(Path(__file__).with_name(name))
        app.stylesheet.parse()
        await asyncio.sleep(GAP)
    app.stylesheet.update(app, animate=False)
    app.screen_stack[0].refresh(layout=True)
