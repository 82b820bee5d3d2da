"""Answers on their way from the interface to a run."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from selfheal_tui.cli.live import LiveConductor
from selfheal_tui.core.approval import Answer, UndoRequest, key_of
from selfheal_tui.settings import Settings

STALE = UndoRequest("a" * 40, "refs/heads/x", "b" * 40, False)
ANEW = UndoRequest("a" * 40, "refs/heads/x", "c" * 40, False)


async def test_an_answer_to_what_was_withdrawn_is_none_to_what_is_asked_now():
    bench = SimpleNamespace(new_id=lambda: "s1", place=None, records=None)
    conductor = LiveConductor(bench, Settings())
    asking = asyncio.ensure_future(conductor._ask(ANEW))
    await asyncio.sleep(0)
    conductor.answer(Answer(key_of(STALE), granted=True, by="user"))
    await asyncio.sleep(0)
    assert not asking.done()
    given = Answer(key_of(ANEW), granted=True, by="user")
    conductor.answer(given)
    assert await asking == given
