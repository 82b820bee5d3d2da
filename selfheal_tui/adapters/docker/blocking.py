"""Runs blocking calls of the engine's client in a thread, so that a cancelled task ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from selfheal_tui.adapters.docker.calls import in_thread

T = TypeVar("T")


async def until_done(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """The result of `work`, run in a thread.

    When the task is cancelled, `stop` is called once, in a thread as well, and must make `work`
    end soon; the cancellation goes on only when it has ended.
    """
    running = asyncio.ensure_future(in_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.shield(in_thread(stop))
        # Whether it was cut short or just ready does not matter any more.
        await asyncio.gather(running, return_exceptions=True)
        raise


def on_loop(hear: Callable[[str], None]) -> Callable[[str], None]:
    """`hear` for use in a thread: it is called on this event loop, in order."""
    loop = asyncio.get_running_loop()

    def pass_on(text: str) -> None:
        loop.call_soon_threadsafe(hear, text)

    return pass_on
