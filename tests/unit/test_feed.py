"""News on their way to the interface: nothing lost, and never so much at once that keys wait."""

from __future__ import annotations

import asyncio

import pytest

from selfheal_tui.ui.feed import BATCH, Feed


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 3 * BATCH])
async def test_everything_comes_in_order_and_then_it_ends(count):
    feed, news = Feed(), list(range(count))
    feed.tell(*news)
    feed.close()
    batches = [batch async for batch in feed.batches()]
    assert [item for batch in batches for item in batch] == news
    assert all(len(batch) <= BATCH for batch in batches)
    assert feed.empty


async def test_others_have_a_turn_between_two_batches():
    feed, turns = Feed(), []
    feed.tell(*range(3 * BATCH))
    feed.close()

    async def keys():
        while True:
            turns.append("key")
            await asyncio.sleep(0)

    typing = asyncio.ensure_future(keys())
    async for _ in feed.batches():
        turns.append("batch")
    typing.cancel()
    assert "batch batch" not in " ".join(turns)


async def test_what_comes_later_is_waited_for():
    feed, heard = Feed(), []

    async def listen():
        heard.extend([tuple(batch) async for batch in feed.batches()])

    listening = asyncio.ensure_future(listen())
    await asyncio.sleep(0)
    feed.tell("first")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    feed.tell("second")
    feed.close()
    await listening
    assert [item for batch in heard for item in batch] == ["first", "second"]
