"""How parts end that do not simply end: limits, stops, cuts and the user's words."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import call, calling
from selfheal_tui.agent.ports import Usage
from selfheal_tui.agent.steering import Said, Shell, Steering, StepCut
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.events import (
    CommandEnded,
    CommandStarted,
    MessageSent,
    PartEnded,
    PartsMerged,
    PartStarted,
    TreeChanged,
    TurnEnded,
    TurnStarted,
    Warned,
)
from selfheal_tui.errors import Interrupted, SandboxError
from selfheal_tui.headless import no_to_all
from selfheal_tui.settings import LimitSettings
from tests.support.parts import (
    PARTS,
    clashing,
    mend,
    on_event,
    part,
    parts_bench,
    run,
    scripted,
    submitted_plan,
)
from tests.support.sessions import submitted, write


@pytest.fixture
def bench(tmp_path):
    bench = parts_bench(tmp_path)
    yield bench
    bench.store.close()


def only_once():
    """Does what it is given the first time only: a second stop would be another thing."""
    done = []

    def once(does):
        if not done:
            done.append(does)
            does()

    return once


# --- limits, stops and the user ------------------------------------------------------------


async def test_a_limit_reached_in_a_part_ends_the_run_with_what_there_is(bench):
    bench.settings = replace(bench.settings, limits=LimitSettings(max_steps=4))
    looking = (call("bash", command=f"echo {n}") for n in itertools.count())
    ended = await run(
        bench, p1=[submitted(*mend("one"))],
        p2=[calling(write("two/1", "mended\n")), *itertools.islice(looking, 9)],
    )  # fmt: skip
    assert (ended.exit_code, ended.outcome) == (7, "limit reached")
    assert {(e.number, e.outcome) for e in bench.of(PartEnded)} == {(1, "submitted"), (2, "limit")}
    (merged,) = bench.of(PartsMerged)
    assert bench.of(TreeChanged)[-1].tree == merged.tree
    assert len(bench.of(TurnStarted)) == 4


async def test_what_clashes_at_a_limit_is_not_taken_over_by_half(bench):
    bench.settings = replace(bench.settings, limits=LimitSettings(max_steps=4))
    looking = [call("bash", command=f"echo {n}") for n in range(4)]
    session = scripted(bench, p1=clashing("first", "one"), p2=clashing("second", "two"), p3=looking)
    bench.model.plays("planner", submitted_plan([*PARTS, part("Look", "third")]))
    ended = await session.run()
    assert ended.exit_code == 7
    assert [event.conflicts for event in bench.of(PartsMerged)] == [("shared",)]
    assert bench.of(TreeChanged) == []


async def test_costs_of_all_parts_are_counted_once(bench):
    def priced(turn):
        return replace(turn, usage=Usage(100, 10, 0, 0.25))

    ended = await run(
        bench, p1=[priced(submitted(*mend("one")))], p2=[priced(submitted(*mend("two")))]
    )
    assert ended.cost == pytest.approx(0.5)
    assert sum(event.cost or 0 for event in bench.of(TurnEnded)) == pytest.approx(0.5)


async def test_a_stop_ends_all_parts_and_resume_goes_on_from_what_was_kept(bench):
    opened, sandboxes = bench.provision.open, []

    async def open_and_keep():
        sandboxes.append(await opened())
        return sandboxes[-1]

    bench.provision.open = open_and_keep
    hanging = [calling(*mend("one")), call("bash", command="sleep 60")]

    def stop(event):
        if bench.of(PartEnded) and any("sleep" in e.command for e in bench.of(CommandStarted)):
            once(lambda: session.stop(Interrupted(2)))

    once, show = only_once(), on_event(bench, stop)
    session = scripted(bench, show=show, p1=hanging, p2=[submitted(*mend("two"))])
    ended = await session.run()
    assert ended.exit_code == 130
    assert bench.events[-1] == ended
    assert {(e.number, e.outcome, e.reason) for e in bench.of(PartEnded)} == {
        (1, "stopped", "the run ended before it"), (2, "submitted", ""),
    }  # fmt: skip
    (merged,), (changed,) = bench.of(PartsMerged), bench.of(TreeChanged)
    for sandbox in sandboxes:
        with pytest.raises(SandboxError):
            await sandbox.scan()
    kept = take_up(bench.store, bench.order, "s1").kept
    assert (kept.tree, kept.lost) == (merged.tree, 0) == (changed.tree, 0)
    bench.order = take_up(bench.store, bench.order, "s1")
    again = await run(bench, coder=[submitted()])
    assert again.exit_code == 0


async def test_what_clashes_at_a_stop_is_not_kept_and_the_next_run_says_so(bench):
    def stop(event):
        if len(bench.of(PartEnded)) == 2 and any(
            "sleep" in e.command for e in bench.of(CommandStarted)
        ):
            once(lambda: session.stop(Interrupted(2)))

    once, hanging = only_once(), [call("bash", command="sleep 60")]
    session = scripted(
        bench, show=on_event(bench, stop), p1=clashing("first", "one"),
        p2=clashing("second", "two"), p3=hanging,
    )  # fmt: skip
    bench.model.plays("planner", submitted_plan([*PARTS, part("Look", "third")]))
    assert (await session.run()).exit_code == 130
    assert [event.conflicts for event in bench.of(PartsMerged)] == [("shared",)]
    assert bench.of(TreeChanged) == []
    bench.order = take_up(bench.store, bench.order, "s1")
    kept = bench.order.kept
    assert (kept.tree, kept.lost) == (kept.snapshot.tree, 3)
    again = await run(bench, p1=[submitted(*mend("one"))], p2=[submitted(*mend("two"))])
    assert again.exit_code == 0
    assert [event.text[:42] for event in bench.of(Warned) if "parts" in event.text] == [
        "the earlier run ended while 3 parts of its"
    ]


async def test_what_parts_did_is_kept_when_the_time_is_up(bench):
    hanging = [calling(*mend("one")), call("bash", command="sleep 60")]

    def out_of_time(event):
        if bench.of(PartEnded) and any("sleep" in e.command for e in bench.of(CommandStarted)):
            once(session._out_of_time)

    once, show = only_once(), on_event(bench, out_of_time)
    session = scripted(bench, show=show, p1=hanging, p2=[submitted(*mend("two"))])
    ended = await session.run()
    assert (ended.exit_code, ended.outcome) == (7, "limit reached")
    (merged,), (changed,) = bench.of(PartsMerged), bench.of(TreeChanged)
    assert (merged.numbers, changed.tree, len(changed.files)) == ((1, 2), merged.tree, 4)


async def test_a_second_stop_lets_the_parts_end_before_the_session_does(bench):
    def stop(event):
        if isinstance(event, CommandEnded) and event.cancelled:
            session.stop(Interrupted(15))
        if len([e for e in bench.of(CommandStarted) if "sleep" in e.command]) == 2:
            session.stop(Interrupted(2))

    hanging = call("bash", command="sleep 60")
    session = scripted(bench, show=on_event(bench, stop), p1=[hanging], p2=[hanging])
    ended = await session.run()
    assert (ended.exit_code, bench.events[-1]) == (130, ended)
    started, done = bench.of(CommandStarted), bench.of(CommandEnded)
    assert {event.id for event in started} == {event.id for event in done}
    assert len(asyncio.all_tasks()) == 1


async def test_the_users_words_reach_every_part_and_are_shown_once(bench):
    def speak(event):
        if isinstance(event, PartStarted) and event.number == 2:
            session.say("mind the gap")

    session = scripted(
        bench, show=on_event(bench, speak),
        p1=[call("bash", command="echo 1"), submitted(*mend("one"))],
        p2=[call("bash", command="echo 2"), submitted(*mend("two"))],
    )  # fmt: skip
    assert (await session.run()).exit_code == 0
    assert [event.text for event in bench.of(MessageSent)].count("mind the gap") == 1
    for who in "12":
        texts = [m.text for m in bench.model.requests[who][-1].messages if m.role == "user"]
        assert "mind the gap" in texts


async def test_a_cut_holds_all_parts_until_the_user_speaks(bench):
    slow = call("bash", command="sleep 60")
    cut = []

    def cut_and_speak(event):
        running = [e for e in bench.of(CommandStarted) if e.command == "sleep 60"]
        if len(running) == 2 and not cut:
            cut.append(session.cancel_step())
            session.say("do it at once")

    session = scripted(
        bench, show=on_event(bench, cut_and_speak),
        p1=[slow, submitted(*mend("one"))], p2=[slow, submitted(*mend("two"))],
    )  # fmt: skip
    assert (await session.run()).exit_code == 0
    assert cut == [True]
    for who in "12":
        last = bench.model.requests[who][-1].messages
        assert [m.text for m in last[-2:]] == [
            "The user interrupted you here, and says what to do now:", "do it at once",
        ]  # fmt: skip


async def test_a_branch_between_two_steps_is_cut_at_its_next():
    trunk = Steering()
    busy, between = trunk.branch(), trunk.branch()

    async def cut_both():
        assert trunk.cut()
        await asyncio.Event().wait()

    with pytest.raises(StepCut):
        await busy.step(cut_both())
    with pytest.raises(StepCut):
        await between.step(asyncio.sleep(0))
    assert not trunk.cut()
    between.add(Said("go on"))
    between.take()
    await between.step(asyncio.sleep(0))


def test_words_reach_all_branches_a_command_the_first_and_the_rest_stays():
    trunk = Steering()
    trunk.add(Said("before"))
    first, second = trunk.branch(), trunk.branch()
    trunk.add(Said("now"))
    trunk.add(Shell("ls"))
    assert first.take() == [Said("before"), Said("now"), Shell("ls")]
    assert second.take() == [Said("before"), Said("now")]
    first.leave()
    trunk.add(Said("late"))
    second.leave()
    assert trunk.take() == [Said("late")]
    assert first.take() == []


async def test_a_proposal_of_parts_waits_like_any_other(bench):
    ended = await scripted(
        bench, no_to_all(), p1=[submitted(*mend("one"))], p2=[submitted(*mend("two"))]
    ).run()
    assert ended.exit_code == 3
