"""Plans in parts, in whole runs on real git and local sandboxes, with a script for each coder."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import call, calling, fail
from selfheal_tui.agent.dividing import Division, Part, divided
from selfheal_tui.agent.ports import Usage
from selfheal_tui.agent.steering import Said, Shell, Steering, StepCut
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.events import (
    CheckEnded,
    CommandStarted,
    Committed,
    MessageSent,
    PartEnded,
    PartsDeclined,
    PartsMerged,
    PartStarted,
    ProposalMade,
    SandboxOpened,
    TreeChanged,
    TurnEnded,
    TurnStarted,
    Warned,
)
from selfheal_tui.errors import Interrupted, ModelError, SandboxError
from selfheal_tui.headless import no_to_all
from selfheal_tui.settings import FlowSettings, LimitSettings
from tests.support.parts import PartedModel, part
from tests.support.sessions import Bench, submitted, write

PLAN_ONLY = FlowSettings(plan=True, review=False)
FILES = {
    "check.sh": (
        "for file in one/1 one/2 two/1 two/2; do\n"
        'grep -qx mended $file || { echo "FAIL: $file"; bad=1; }\n'
        'done; [ -z "$bad" ]\n'
    ),
    "one/1": "broken\n", "one/2": "broken\n", "two/1": "broken\n", "two/2": "broken\n",
    "shared": "".join(f"line {n}\n" for n in range(9)),
}  # fmt: skip
PARTS = [part("Mend one", "one/1", "one/2"), part("Mend two", "two/1", "two/2")]


def submitted_plan(parts):
    return call("submit_plan", steps=["Mend one.", "Mend two."], parts=parts)


def mend(folder):
    return [write(f"{folder}/{n}", "mended\n") for n in (1, 2)]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    bench.settings = replace(bench.settings, flow=PLAN_ONLY)
    yield bench
    bench.store.close()


def scripted(bench, ask=None, show=None, **script):
    """A session whose model plays a script for each coder; `p1` is the first part's."""
    own = {who.removeprefix("p"): turns for who, turns in script.items()}
    return bench.session(PartedModel({"planner": [submitted_plan(PARTS)]} | own), ask, show)


def on_event(bench, does):
    """A `show` that calls `does` for every event, too."""

    def show(event):
        bench.events.append(event)
        does(event)

    return show


async def run(bench, **script):
    return await scripted(bench, **script).run()


def files_of(bench):
    (made,) = bench.of(Committed)
    names = bench.place.git("ls-tree", "-r", "--name-only", made.commit).split()
    return {name: bench.place.git("show", f"{made.commit}:{name}") for name in names}


async def test_independent_parts_are_merged_and_verified_together(bench):
    ended = await run(
        bench, p1=[submitted(*mend("one"), summary="One.")],
        p2=[submitted(*mend("two"), summary="Two.")],
    )  # fmt: skip
    assert (ended.exit_code, ended.outcome) == (0, "committed")
    assert bench.outcomes == ["green"]
    made = files_of(bench)
    assert [made[f"{side}/{n}"] for side in ("one", "two") for n in (1, 2)] == ["mended"] * 4
    assert [(e.number, e.of, e.title) for e in bench.of(PartStarted)] == [
        (1, 2, "Mend one"), (2, 2, "Mend two"),
    ]  # fmt: skip
    assert {(e.number, e.outcome, e.changed, e.taken) for e in bench.of(PartEnded)} == {
        (1, "submitted", ("one/1", "one/2"), True), (2, "submitted", ("two/1", "two/2"), True),
    }  # fmt: skip
    (merged,) = bench.of(PartsMerged)
    (changed,) = bench.of(TreeChanged)
    assert (merged.numbers, merged.conflicts) == ((1, 2), ())
    assert merged.tree == changed.tree
    assert [check.tree for check in bench.of(CheckEnded) if check.purpose == "verify"] == [
        merged.tree
    ]
    assert len(bench.of(SandboxOpened)) == 1
    assert "Mend one: One.\nMend two: Two." in bench.of(ProposalMade)[0].message


async def test_turns_and_commands_of_a_part_carry_its_number(bench):
    await run(
        bench, p1=[submitted(("bash", {"command": "true"}), *mend("one"))],
        p2=[submitted(*mend("two"))],
    )  # fmt: skip
    turns = {(event.id, event.role) for event in bench.of(TurnStarted)}
    assert {("p1.t1", "coder 1"), ("p2.t1", "coder 2")} < turns
    assert "p1.c1" in {event.id for event in bench.of(CommandStarted)}


async def test_the_coder_of_a_part_is_told_its_part_and_the_whole_plan(bench):
    await run(bench, p1=[submitted(*mend("one"))], p2=[submitted(*mend("two"))])
    (request,) = bench.model.requests["2"]
    text = request.messages[-1].text
    assert "1. Mend one.\n2. Mend two." in text
    assert "Yours is part 2, and nothing else: Mend two\n1. Look.\n2. Mend.\n" in text
    assert "Files of your part: two/1, two/2" in text
    assert [tool.name for tool in request.tools] == [
        "bash", "read_file", "search", "edit_file", "write_file", "submit",
    ]  # fmt: skip


async def test_what_both_parts_changed_in_other_places_comes_together(bench):
    lines = FILES["shared"].splitlines(keepends=True)
    first, second = ["first\n", *lines[1:]], [*lines[:-1], "second\n"]
    await run(
        bench, p1=[submitted(*mend("one"), write("shared", "".join(first)))],
        p2=[submitted(*mend("two"), write("shared", "".join(second)))],
    )  # fmt: skip
    assert files_of(bench)["shared"] == "".join(["first\n", *lines[1:-1], "second"])


def clashing(word, folder):
    lines = FILES["shared"].splitlines(keepends=True)
    return [submitted(*mend(folder), write("shared", "".join([f"{word}\n", *lines[1:]])))]


async def test_a_conflict_goes_to_one_coder_before_the_check(bench):
    both = write("shared", "first and second\n")
    ended = await run(
        bench,
        p1=clashing("first", "one"),
        p2=clashing("second", "two"),
        coder=[submitted(both, summary="Both.")],
    )
    assert ended.exit_code == 0
    (merged,) = bench.of(PartsMerged)
    assert merged.conflicts == ("shared",)
    (request,) = bench.model.requests["coder"]
    told = request.messages[-1].text
    assert "<<<<<<< first\nfirst\n||||||| before\nline 0\n=======\nsecond\n>>>>>>> second" in told
    assert files_of(bench)["shared"] == "first and second"
    purposes = [check.purpose for check in bench.of(CheckEnded)]
    assert purposes == ["baseline", "flaky", "verify", "proof"]


MARKED = "<<<<<<< first\nfirst\n=======\nsecond\n>>>>>>> second\n"


async def test_marks_that_the_one_coder_leaves_are_told_and_taken_out(bench):
    ended = await run(
        bench, p1=clashing("first", "one"), p2=clashing("second", "two"),
        coder=[submitted(write("shared", MARKED)), submitted(write("shared", "both\n"))],
    )  # fmt: skip
    assert ended.exit_code == 0
    assert "left in shared" in bench.model.requests["coder"][1].messages[-1].text
    assert files_of(bench)["shared"] == "both"


async def test_marks_that_stay_never_reach_a_proposal(bench):
    ended = await run(
        bench, p1=clashing("first", "one"), p2=clashing("second", "two"),
        coder=[submitted(write("shared", MARKED)), submitted()],
    )  # fmt: skip
    assert ended.exit_code == 0
    assert files_of(bench)["shared"].startswith("first\nline 1\n")


OVERLAPPING = [part("One", "one", "a"), part("Two", "./two/1", "one/2")]
SMALL = [part("One", "one/1", steps=["x"]), part("Two", "two/1", steps=["x"])]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (OVERLAPPING, "more than one part names one/2"),
        (SMALL, "the task is small (2 steps, 2 files): one coder does it"),
        (PARTS[:1], "1 part is not 2 to 4"),
        (PARTS * 3, "6 parts are not 2 to 4"),
        ([PARTS[0], {"title": "x", "steps": ["y"]}], "part 2 lacks a title, steps or files"),
        ([PARTS[0], "two"], "part 2 lacks a title, steps or files"),
        ([PARTS[0], part("All", ".")], "part 2 names the whole project"),
    ],
)
async def test_parts_that_are_none_are_declined_with_a_sentence(bench, parts, reason):
    session = scripted(bench, coder=[submitted(*mend("one"), *mend("two"))])
    bench.model.plays("planner", submitted_plan(parts))
    ended = await session.run()
    assert ended.exit_code == 0
    assert [event.reason for event in bench.of(PartsDeclined)] == [reason]
    assert bench.of(PartStarted) == []


def test_parts_are_read_as_they_are_meant():
    offered = [part(" A \n b ", "./x/../a", "b/", "a"), part("C", "c", "d")]
    assert divided(offered) == Division(
        (Part("A b", ("Look.", "Mend."), ("a", "b")), Part("C", ("Look.", "Mend."), ("c", "d")))
    )
    assert divided(None) == divided([]) == divided("both") == Division()


async def test_the_planner_is_not_asked_for_parts_where_they_are_off(bench):
    bench.settings = replace(bench.settings, flow=replace(PLAN_ONLY, delegate="off"))
    session = scripted(bench, coder=[submitted(*mend("one"), *mend("two"))])
    bench.model.plays("planner", call("submit_plan", steps=["Mend."]))
    assert (await session.run()).exit_code == 0
    (spec,) = [
        tool for tool in bench.model.requests["planner"][0].tools if tool.name == "submit_plan"
    ]
    assert (spec.description, list(spec.parameters["properties"])) == (
        "Give the plan.", ["steps", "files"],
    )  # fmt: skip


# --- parts that do not end well ------------------------------------------------------------


async def test_a_part_that_fails_is_told_and_done_by_one_coder(bench):
    ended = await run(
        bench, p1=[submitted(*mend("one"))],
        p2=[calling(write("two/1", "mended\n")), fail(ModelError("gone"))],
        coder=[submitted(write("two/2", "mended\n"))],
    )  # fmt: skip
    assert ended.exit_code == 0
    failed = next(event for event in bench.of(PartEnded) if event.number == 2)
    assert (failed.outcome, failed.reason, failed.taken) == ("failed", "gone", True)
    told = bench.model.requests["coder"][0].messages[-1].text
    assert "Not done, and yours to do now:\n- part 2, Mend two (failed: gone; its edits are" in told
    assert bench.outcomes == ["green"]


async def test_what_an_unfinished_part_did_elsewhere_is_dropped(bench):
    await run(
        bench, p1=[submitted(*mend("one"))],
        p2=[calling(write("two/1", "mended\n"), write("stray", "x\n")), fail(ModelError("gone"))],
        coder=[submitted(*mend("two"))],
    )  # fmt: skip
    failed = next(event for event in bench.of(PartEnded) if event.number == 2)
    assert (failed.changed, failed.taken) == (("stray", "two/1"), False)
    assert "stray" not in files_of(bench)


async def test_when_every_part_fails_the_run_ends_with_the_reason(bench):
    ended = await run(bench, p1=[fail(ModelError("gone"))], p2=[fail(ModelError("gone"))])
    assert (ended.exit_code, ended.text) == (5, "gone")


async def test_a_sandbox_that_does_not_open_fails_its_part_only(bench):
    opened, numbers = bench.provision.open, itertools.count(1)

    async def open_or_fail():
        if next(numbers) == 3:
            raise SandboxError("no room")
        return await opened()

    bench.provision.open = open_or_fail
    ended = await run(
        bench, p1=[submitted(*mend("one"))], p2=[submitted(*mend("two"))],
        coder=[submitted(*mend("two"), *mend("one"))],
    )  # fmt: skip
    assert ended.exit_code == 0
    assert sorted(event.outcome for event in bench.of(PartEnded)) == ["failed", "submitted"]


async def test_red_parts_go_on_with_one_coder(bench):
    ended = await run(
        bench, p1=[submitted(*mend("one"))], p2=[submitted(write("two/1", "mended\n"))],
        coder=[submitted(write("two/2", "mended\n"))],
    )  # fmt: skip
    assert ended.exit_code == 0
    assert bench.outcomes == ["same", "green"]
    assert len(bench.of(PartStarted)) == 2


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
            session.stop(Interrupted(2))

    show = on_event(bench, stop)
    session = scripted(bench, show=show, p1=hanging, p2=[submitted(*mend("two"))])
    ended = await session.run()
    assert ended.exit_code == 130
    assert bench.events[-1] == ended
    assert bench.of(PartsMerged) == bench.of(TreeChanged) == []
    for sandbox in sandboxes:
        with pytest.raises(SandboxError):
            await sandbox.scan()
    kept = take_up(bench.store, bench.order, "s1").kept
    assert (kept.tree, kept.lost) == (kept.snapshot.tree, 2)
    bench.order = take_up(bench.store, bench.order, "s1")
    again = await run(bench, p1=[submitted(*mend("one"))], p2=[submitted(*mend("two"))])
    assert again.exit_code == 0
    assert [event.text[:42] for event in bench.of(Warned) if "parts" in event.text] == [
        "the earlier run ended while 2 parts of its"
    ]


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
