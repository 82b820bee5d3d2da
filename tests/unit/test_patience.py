"""Retries, waits and fallbacks, without sleeping."""

from __future__ import annotations

import pytest

from selfheal_tui.adapters.scripted import ScriptedModel, fail, say
from selfheal_tui.agent.patience import PatientModel, RetryPolicy
from selfheal_tui.agent.ports import FellBack, Message, ModelRequest, Retrying, TextDelta
from selfheal_tui.errors import (
    ContextOverflow,
    ModelAnswerInvalid,
    ModelError,
    ModelRefusedKey,
    ModelRetryable,
    ToolsUnsupported,
)

REQUEST = ModelRequest((Message("user", "hello"),))
POLICY = RetryPolicy(retries=2, first_delay=1.0, factor=2.0, longest_delay=30.0, jitter=0.2)


class Run:
    """One request to patient models, with what was heard and slept."""

    def __init__(self, *models, policy=POLICY, chance=0.5):
        self.heard = []
        self.slept = []
        self.model = PatientModel(models, policy=policy, sleep=self._sleep, chance=lambda: chance)

    async def _sleep(self, seconds):
        self.slept.append(seconds)

    async def ask(self):
        return await self.model.complete(REQUEST, self.heard.append)


def busy(text="busy", **fields):
    return fail(ModelRetryable(text, **fields))


async def test_an_answer_passes_through_at_once():
    run = Run(ScriptedModel([say("hi")]))
    reply = await run.ask()
    assert (reply.text, run.heard, run.slept) == ("hi", [TextDelta("hi")], [])


async def test_failures_are_retried_with_growing_delays_that_are_told():
    cut = fail(ModelAnswerInvalid("cut off"))
    run = Run(ScriptedModel([busy(), cut, say("hi")], name="m"))
    reply = await run.ask()
    assert reply.text == "hi"
    assert run.slept == [1.0, 2.0]
    assert run.heard == [
        Retrying("busy", 1.0, 1, "m"),
        Retrying("cut off", 2.0, 2, "m"),
        TextDelta("hi"),
    ]


async def test_a_server_that_asks_for_a_longer_wait_gets_it_up_to_the_bound():
    script = [busy(retry_after=7.0), busy(retry_after=9000.0), say("hi")]
    run = Run(ScriptedModel(script))
    await run.ask()
    assert run.slept == [7.0, 120.0]


async def test_a_shorter_wait_than_our_own_is_not_believed():
    run = Run(ScriptedModel([busy(retry_after=0.0), say("hi")]))
    await run.ask()
    assert run.slept == [1.0]


@pytest.mark.parametrize(("chance", "delay"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
async def test_delays_are_spread_by_chance(chance, delay):
    run = Run(ScriptedModel([busy(), say("hi")]), chance=chance)
    await run.ask()
    assert run.slept == [pytest.approx(delay)]


def test_delays_grow_up_to_the_longest():
    delays = [RetryPolicy().delay(attempt, None, 0.5) for attempt in range(1, 8)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_the_next_model_answers_when_the_retries_are_used_up():
    first = ScriptedModel([busy()] * 3, name="first")
    run = Run(first, ScriptedModel([say("hi")], name="second"))
    reply = await run.ask()
    assert (reply.text, reply.model) == ("hi", "second")
    assert run.heard[-2:] == [FellBack("first", "second", "busy"), TextDelta("hi")]
    assert len(first.requests) == 3


@pytest.mark.parametrize(
    "error", [ModelRefusedKey("the key is wrong"), ModelError("unknown model 'x'")]
)
async def test_what_cannot_work_falls_back_without_a_retry(error):
    first = ScriptedModel([fail(error)], name="first")
    run = Run(first, ScriptedModel([say("hi")], name="second"))
    await run.ask()
    assert run.slept == []
    assert run.heard == [FellBack("first", "second", str(error)), TextDelta("hi")]


@pytest.mark.parametrize("kind", [ContextOverflow, ToolsUnsupported])
async def test_what_the_caller_can_change_is_raised_at_once(kind):
    second = ScriptedModel([say("hi")])
    run = Run(ScriptedModel([fail(kind("change the request"))]), second)
    with pytest.raises(kind, match="change the request"):
        await run.ask()
    assert (run.heard, run.slept, second.requests) == ([], [], [])


async def test_the_end_names_every_model_and_its_last_reason():
    first = ScriptedModel([busy("one"), busy("two"), busy("three")], name="first")
    run = Run(first, ScriptedModel([fail(ModelRefusedKey("no key"))], name="second"))
    with pytest.raises(ModelError, match=r"^no model answers: first: three; second: no key$"):
        await run.ask()


async def test_a_single_model_is_named_too():
    run = Run(ScriptedModel([fail(ModelRefusedKey("no key"))], name="only"))
    with pytest.raises(ModelError, match=r"^only: no key$"):
        await run.ask()


async def test_no_retries_means_one_request():
    only = ScriptedModel([busy()], name="only")
    with pytest.raises(ModelError, match="only: busy"):
        await Run(only, policy=RetryPolicy(retries=0)).ask()
    assert len(only.requests) == 1


def test_the_name_is_the_first_models_and_the_window_the_smallest():
    wide = ScriptedModel([], name="wide", context_window=100)
    narrow = ScriptedModel([], name="narrow", context_window=10)
    unknown = ScriptedModel([], name="unknown", context_window=None)
    patient = PatientModel([wide, unknown, narrow])
    assert (patient.name, patient.context_window) == ("wide", 10)
    assert PatientModel([unknown]).context_window is None


def test_a_list_without_models_is_refused():
    with pytest.raises(ValueError, match="at least one model"):
        PatientModel([])
