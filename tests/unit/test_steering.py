"""What the user does while the agent works, in whole runs: cuts, commands, refusals, wishes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import calling, say
from selfheal_tui.agent.steering import Said, Steering, StepCut
from selfheal_tui.agent.stopwatch import Stopwatch
from selfheal_tui.core.approval import Answer, CommitRequest, CommitWish, key_of
from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    CommandEnded,
    CommandPrinted,
    CommandStarted,
    Committed,
    MessageSent,
    ToolReturned,
    TurnEnded,
    Warned,
)
from selfheal_tui.settings import LimitSettings
from tests.unit.test_session import FILES, Bench, submitted, write


@pytest.fixture
def steered(tmp_path):
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


def bash(command):
    return calling(("bash", {"command": command}))


def yes(request):
    return Answer(key_of(request), granted=True, by="user")


def no(request, reason, **fields):
    return Answer(key_of(request), granted=False, by="user", reason=reason, **fields)


def answering(*given):
    """Answers requests in order; each is a function of the request."""
    left = list(given)

    async def ask(request):
        return left.pop(0)(request)

    return ask


def on_event(bench, does):
    """A `show` that calls `does` for every event, too."""

    def show(event):
        bench.events.append(event)
        does(event)

    return show


async def test_a_cut_command_ends_the_model_is_told_and_waits_for_the_user(steered):
    def cut_then_speak(event):
        if isinstance(event, CommandPrinted) and "started" in event.text:
            assert session.cancel_step()
        if isinstance(event, ToolReturned) and not event.ok:
            session.say("write b")

    session = steered.session(
        [
            calling(("bash", {"command": "echo started; sleep 60"}), ("bash", {"command": "date"})),
            submitted(write("a.txt", "b\n")),
        ],
        show=on_event(steered, cut_then_speak),
    )
    ended = await session.run()
    assert ended.exit_code == 0
    assert steered.of(ToolReturned)[0].text == "the user interrupted this call"
    assert any(command.cancelled for command in steered.of(CommandEnded))
    told = [message.text for message in steered.model.requests[1].messages[-4:]]
    assert told == [
        "the user interrupted this call",
        "not run: the user interrupted",
        "The user interrupted you here, and says what to do now:",
        "write b",
    ]


async def test_a_cut_turn_is_told_as_cancelled_and_asked_again(steered):
    def slow(request):
        session.cancel_step()
        return say("never heard")

    def speak(event):
        if isinstance(event, TurnEnded) and event.finish == "cancelled":
            session.say("go on")

    async def asleep(seconds):
        await asyncio.Event().wait() if len(steered.model.requests) == 1 else None

    from selfheal_tui.adapters.scripted import ScriptedModel

    model = ScriptedModel([slow, submitted(write("a.txt", "b\n"))], sleep=asleep)
    session = steered.session(model, show=on_event(steered, speak))
    ended = await session.run()
    assert ended.exit_code == 0
    assert next(turn.finish for turn in steered.of(TurnEnded)) == "cancelled"
    assert steered.of(MessageSent) == [MessageSent("go on")]


async def test_a_run_that_is_stopped_while_it_waits_for_the_user_ends(steered):
    from selfheal_tui.errors import Interrupted

    def cut_then_stop(event):
        if isinstance(event, CommandPrinted):
            session.cancel_step()
        if isinstance(event, ToolReturned):
            asyncio.get_running_loop().call_soon(session.stop, Interrupted(2))

    session = steered.session(
        [bash("echo started; sleep 60")], show=on_event(steered, cut_then_stop)
    )
    ended = await session.run()
    assert ended.exit_code == 130


async def test_a_command_of_the_user_runs_between_two_steps_and_the_model_is_told(steered):
    session = steered.session([bash("true"), submitted()])
    session.shell("echo b > a.txt; cat a.txt")
    ended = await session.run()
    assert ended.exit_code == 0
    assert "user" in [command.purpose for command in steered.of(CommandStarted)]
    assert "The user ran `echo b > a.txt; cat a.txt` in the sandbox:\n[exit code 0]\nb" in [
        message.text for message in steered.model.requests[0].messages
    ]


async def test_a_refused_commit_with_a_reason_is_the_coders_next_turn(steered):
    ask = answering(lambda r: no(r, "one line too many", again=True), yes)
    ended = await steered.run(
        [submitted(write("a.txt", "b\nc\n")), submitted(write("a.txt", "b\n"))], ask
    )
    assert ended.exit_code == 0
    assert steered.model.requests[1].messages[-1].text == (
        "The user read the change and does not want it like this: one line too many"
    )
    assert [given.reason for given in steered.of(ApprovalAnswered)] == ["one line too many", ""]
    (made,) = steered.of(Committed)
    assert steered.place.git("show", f"{made.commit}:a.txt") == "b"


async def test_a_refusal_without_attempts_left_ends_the_run(steered):
    steered.settings = replace(steered.settings, limits=LimitSettings(attempts=1))
    ask = answering(lambda r: no(r, "no", again=True))
    ended = await steered.run([submitted(write("a.txt", "b\n"))], ask)
    assert ended.exit_code == 3
    assert len(steered.model.requests) == 1


async def test_a_plain_no_ends_the_run_also_with_attempts_left(steered):
    ended = await steered.run(
        [submitted(write("a.txt", "b\n"))], answering(lambda r: no(r, "discarded"))
    )
    assert ended.exit_code == 3
    assert len(steered.model.requests) == 1


async def test_another_message_and_branch_are_asked_for_again_and_then_committed(steered):
    wish = CommitWish("My words\n", "mine")
    asked = []

    async def ask(request: CommitRequest):
        asked.append(request)
        return no(request, "otherwise", wish=wish) if len(asked) == 1 else yes(request)

    ended = await steered.run([submitted(write("a.txt", "b\n"))], ask)
    assert ended.exit_code == 0
    first, second = asked
    assert second == replace(first, message="My words\n", ref="refs/heads/mine")
    assert [event.key for event in steered.of(ApprovalAsked)] == [key_of(first), key_of(second)]
    (made,) = steered.of(Committed)
    assert made.ref == "refs/heads/mine"
    assert steered.place.git("log", "-1", "--format=%B", "mine") == "My words"


async def test_a_yes_to_the_request_before_the_change_commits_nothing(steered):
    asked = []

    async def ask(request):
        asked.append(request)
        wish = CommitWish("My words\n", "mine")
        return no(request, "otherwise", wish=wish) if len(asked) == 1 else yes(asked[0])

    ended = await steered.run([submitted(write("a.txt", "b\n"))], ask)
    assert ended.exit_code == 3
    assert steered.of(Committed) == []


async def test_a_branch_that_git_does_not_allow_leaves_the_commit_as_it_was(steered):
    asked = []

    async def ask(request):
        asked.append(request)
        wish = CommitWish(request.message, "no..such")
        return no(request, "otherwise", wish=wish) if len(asked) == 1 else yes(request)

    ended = await steered.run([submitted(write("a.txt", "b\n"))], ask)
    assert ended.exit_code == 0
    assert asked[0] == asked[1]
    assert any("what is asked stays as it was" in event.text for event in steered.of(Warned))


async def test_the_limit_of_time_stands_still_while_the_user_is_asked():
    loop = asyncio.get_running_loop()
    rang, later = asyncio.Event(), asyncio.Event()
    watch = Stopwatch(0.0001, rang.set)
    watch.start()
    with watch.paused(), watch.paused():
        loop.call_later(0.01, later.set)
        await later.wait()
        assert not rang.is_set()
    await rang.wait()
    watch.stop()


async def test_a_cut_and_the_end_of_the_run_at_once_end_the_run():
    steering = Steering()
    begun = asyncio.Event()

    async def work():
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(steering.step(work()))
    await begun.wait()
    assert steering.cut()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_step_that_ended_cannot_be_cut():
    steering = Steering()
    assert not steering.cut()

    async def work():
        return 7

    assert await steering.step(work()) == 7
    assert not steering.cut()


async def test_a_cut_step_has_ended_when_it_is_told():
    steering = Steering()
    ended = []

    async def work():
        steering.cut()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(StepCut):
        await steering.step(work())
    assert ended == [True]


async def test_wishes_are_taken_once_in_their_order():
    steering = Steering()
    steering.add(Said("one"))
    steering.add(Said("two"))
    await steering.wait()
    assert [steering.take(), steering.take()] == [[Said("one"), Said("two")], []]


async def test_a_step_within_a_step_is_the_one_that_is_cut():
    steering = Steering()

    async def inner():
        steering.cut()
        await asyncio.Event().wait()

    async def outer():
        with pytest.raises(StepCut):
            await steering.step(inner())
        return "went on"

    assert await steering.step(outer()) == "went on"


async def test_the_step_around_one_that_has_ended_can_be_cut_again():
    steering = Steering()

    async def inner():
        return 1

    async def outer():
        await steering.step(inner())
        assert steering.cut()
        await asyncio.Event().wait()

    with pytest.raises(StepCut):
        await steering.step(outer())
    assert not steering.cut()
