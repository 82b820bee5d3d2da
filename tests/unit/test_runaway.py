"""Answers that come to nothing are cut off, the model is told, and the attempt ends."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.agent.ports import (
    FellBack,
    Message,
    ModelRequest,
    ReasoningDelta,
    Reply,
    Retrying,
    TextDelta,
    Usage,
)
from selfheal_tui.agent.runaway import (
    ENDLESS_THINKING,
    REPETITION,
    BoundedModel,
    Patience,
    RunawayWatch,
    period_of,
)
from selfheal_tui.errors import ModelRetryable

ASKED = ModelRequest((Message("user", "hello"),))
SHORT = Patience(characters=100, seconds=10.0, window=40, times=4)
NUMBERS = " ".join(map(str, range(1000)))


class Speaking:
    """Says these news and then waits; answers, or raises, when there is something to."""

    name, context_window = "any", 9

    def __init__(self, news, ended=None):
        self.news, self.ended, self.cancelled = news, ended, False

    async def complete(self, _request, hear):
        for each in self.news:
            hear(each)
        try:
            if self.ended is None:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.ended, Exception):
            raise self.ended
        return self.ended


def seen(*news, clock=lambda: 0.0):
    watch = RunawayWatch(SHORT, clock)
    return [found for found in map(watch.see, news) if found][:1]


async def test_endless_thinking_is_cancelled_and_says_so():
    heard, inner = [], Speaking([ReasoningDelta(NUMBERS)])
    reply = await BoundedModel(inner, SHORT).complete(ASKED, heard.append)
    assert reply == Reply("(cut off: endless thinking)", (), Usage(), "any", ENDLESS_THINKING)
    assert (inner.cancelled, heard) == (True, [ReasoningDelta(NUMBERS)])


async def test_the_same_words_over_and_over_are_cancelled_and_say_so():
    inner = Speaking([TextDelta("I go on. ") for _ in range(40)])
    reply = await BoundedModel(inner, SHORT).complete(ASKED, lambda news: None)
    assert (reply.finish, inner.cancelled) == (REPETITION, True)


async def test_an_answer_and_an_error_pass_as_they_are():
    answer = Reply("hi", (), Usage(1, 2), "any", "stop")
    model = BoundedModel(Speaking([TextDelta("hi")], answer))
    assert await model.complete(ASKED, lambda news: None) == answer
    assert (model.name, model.context_window) == ("any", 9)
    with pytest.raises(ModelRetryable, match="later"):
        await BoundedModel(Speaking([], ModelRetryable("later"))).complete(ASKED, lambda n: None)


async def test_who_cancels_cancels_the_request():
    inner = Speaking([])
    asking = asyncio.ensure_future(BoundedModel(inner).complete(ASKED, lambda news: None))
    await asyncio.wait({asking}, timeout=0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert inner.cancelled


def test_thinking_too_long_in_time_is_endless_too():
    times = iter([0.0, 5.0, 10.5])
    thoughts = [ReasoningDelta(word) for word in ("a", "b", "c")]
    assert seen(*thoughts, clock=lambda: next(times)) == [ENDLESS_THINKING]


def test_what_has_begun_to_answer_may_think_on():
    thoughts = [ReasoningDelta(NUMBERS[at : at + 30]) for at in range(0, 300, 30)]
    assert seen(*thoughts) == [ENDLESS_THINKING]
    assert seen(TextDelta("so: "), *thoughts) == []
    assert seen(TextDelta(" \n"), *thoughts) == [ENDLESS_THINKING]


@pytest.mark.parametrize("news", [Retrying("busy", 1.0, 1, "any"), FellBack("any", "b", "gone")])
def test_another_request_is_counted_anew(news):
    first, second = ReasoningDelta(NUMBERS[:60]), ReasoningDelta(NUMBERS[60:120])
    assert seen(first, second) == [ENDLESS_THINKING]
    assert seen(first, news, second) == []


def test_a_table_with_few_equal_lines_is_no_repetition():
    watch = RunawayWatch(Patience(), lambda: 0.0)
    lines = [f"| {number} | 0 | 0 |\n" for number in range(2000)]
    assert {watch.see(TextDelta(line)) for line in lines} == {""}


@given(st.text("ab", min_size=1, max_size=40))
@settings(max_examples=200)
def test_the_period_is_the_smallest_that_fits(text):
    def fits(period):
        return all(text[at] == text[at - period] for at in range(period, len(text)))

    assert period_of(text) == next(period for period in range(1, len(text) + 1) if fits(period))
