"""The meter of the sandbox's memory: what it tells, and when it is silent."""

from __future__ import annotations

import asyncio

import pytest

from selfheal_tui.agent.meter import LOOK, PERIOD, Meter
from selfheal_tui.core.events import SandboxMeasured
from selfheal_tui.errors import SandboxError, SandboxLost, SelfhealError

MB = 1024 * 1024


class Measured:
    """A sandbox whose memory is given in advance; an error is raised."""

    def __init__(self, *found):
        self._found = list(found)

    async def memory(self):
        found = self._found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


async def told(*found):
    events = []
    sandbox = Measured(*found)
    meter = Meter(lambda: sandbox, events.append)
    for _ in found:
        await meter.measure()
    return events


async def test_the_first_measurement_is_told():
    assert await told((7 * MB, 2048 * MB)) == [SandboxMeasured(7 * MB, 2048 * MB)]


@pytest.mark.parametrize(
    ("limit", "change", "is_told"),
    [
        (0, 4 * MB, False),
        (0, 4 * MB + 1, True),
        (0, -4 * MB - 1, True),
        (100 * MB, 2 * MB, False),
        (100 * MB, 2 * MB + 1, True),
        (2048 * MB, 4 * MB + 1, True),
        (2048 * MB, 4 * MB, False),
    ],
)
async def test_a_change_is_told_from_its_least_on(limit, change, is_told):
    first = (50 * MB, limit)
    events = await told(first, (50 * MB + change, limit))
    assert len(events) == 1 + is_told


async def test_slow_growth_is_told_once_it_is_enough():
    steps = [(n * MB, 0) for n in range(11)]
    assert [event.memory // MB for event in await told(*steps)] == [0, 5, 10]


async def test_what_is_not_known_is_not_told():
    assert await told(None, None) == []


async def test_a_sandbox_that_was_lost_is_measured_anew():
    events = await told((9 * MB, 0), SandboxLost("gone"), (9 * MB, 0))
    assert events == [SandboxMeasured(9 * MB, 0)] * 2


async def test_before_a_sandbox_is_open_there_is_silence():
    def none():
        raise SandboxError("the sandbox is not open")

    events = []
    assert await Meter(none, events.append).measure() is False
    assert events == []


async def test_a_sandbox_is_looked_for_more_often_than_it_is_measured():
    waited, enough = [], asyncio.Event()
    sandbox = Measured((MB, 0), (MB, 0))

    async def wait(seconds):
        waited.append(seconds)
        if len(waited) == 4:
            enough.set()
            await asyncio.Event().wait()

    def opened():
        if len(waited) < 2:
            raise SandboxError("the sandbox is not open")
        return sandbox

    meter = Meter(opened, lambda event: None, wait=wait)
    meter.start()
    await enough.wait()
    await meter.stop()
    assert waited == [LOOK, LOOK, PERIOD, PERIOD]


async def test_it_measures_again_and_again_until_it_is_stopped():
    events, waited, thrice = [], [], asyncio.Event()
    sandbox = Measured(*[(n * 10 * MB, 0) for n in range(1, 100)])

    async def wait(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            thrice.set()
            await asyncio.Event().wait()

    meter = Meter(lambda: sandbox, events.append, wait=wait)
    meter.start()
    await thrice.wait()
    await meter.stop()
    assert waited == [PERIOD] * 3
    assert events == [SandboxMeasured(n * 10 * MB, 0) for n in (1, 2, 3)]


async def test_stopping_before_the_start_and_twice_is_fine():
    meter = Meter(lambda: Measured(), lambda event: None)
    await meter.stop()
    meter.start()
    await meter.stop()
    await meter.stop()


async def test_it_stops_though_a_measurement_comes_in_the_very_moment():
    """Whoever is asked may lose a cancellation over what it was waiting for."""

    class Late:
        async def memory(self):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return 7 * MB, 2048 * MB

    events = []
    meter = Meter(Late, events.append)
    meter.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(meter.stop(), 5)
    told = list(events)
    await asyncio.sleep(LOOK * 2)
    assert events == told


async def test_an_event_that_nobody_takes_ends_the_meter_alone():
    def full(event):
        raise SelfhealError("the disk is full")

    meter = Meter(lambda: Measured((1, 1)), full)
    meter.start()
    await meter.stop()
