"""Waiting: for as long as was said, and no cancellation is lost over it."""

from __future__ import annotations

import asyncio

import pytest

from selfheal_tui.adapters.threads import within


async def test_a_result_that_comes_in_time_is_given():
    assert await within(asyncio.sleep(0, "here"), 5) == "here"


async def test_what_takes_longer_is_cancelled():
    ended = []

    async def long():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(asyncio.TimeoutError):
        await within(long(), 0.01)
    await asyncio.sleep(0)
    assert ended == [True]


async def test_its_error_is_raised():
    async def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await within(broken(), 5)


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancellation_in_the_moment_of_the_result_is_not_lost(steps):
    """At each step of the loop between the result and whoever waits for it."""
    came = asyncio.get_running_loop().create_future()

    async def result():
        return await came

    waiting = asyncio.ensure_future(within(result(), 5))
    await asyncio.sleep(0.01)
    came.set_result("here")
    for _ in range(steps):
        await asyncio.sleep(0)
    was_done = waiting.done()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() is not was_done
