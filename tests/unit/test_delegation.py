"""Plans in parts, in whole runs on real git and local sandboxes, with a script for each coder."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import call, calling, fail
from selfheal_tui.agent.dividing import Division, Part, divided
from selfheal_tui.core.approval import Answer, PlanRequest, PlanWish, key_of
from selfheal_tui.core.events import (
    CheckEnded,
    CommandStarted,
    Committed,
    PartEnded,
    PartsDeclined,
    PartsMerged,
    PartStarted,
    PlanProposed,
    ProposalMade,
    SandboxOpened,
    TreeChanged,
    TurnStarted,
)
from selfheal_tui.errors import ModelError, SandboxError
from tests.support.parts import (
    FILES,
    PARTS,
    PLAN_ONLY,
    clashing,
    mend,
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
    absolute = [part("One", "/work/a", "b"), part("Two", "a", "c")]
    assert divided(absolute, "/work").declined == "more than one part names a"
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


async def test_a_plan_that_the_user_writes_anew_has_no_parts(bench):
    bench.settings = replace(bench.settings, flow=replace(PLAN_ONLY, approve_plan=True))

    asked = []

    async def ask(request):
        asked.append(request)
        wish = PlanWish(("Do it all.",)) if isinstance(request, PlanRequest) else None
        return Answer(key_of(request), granted=wish is None, by="user", wish=wish)

    session = scripted(bench, ask, coder=[submitted(*mend("one"), *mend("two"))])
    assert (await session.run()).exit_code == 0
    assert asked[0] == PlanRequest(("Mend one.", "Mend two."), (), ("Mend one", "Mend two"))
    assert [event.parts for event in bench.of(PlanProposed)] == [("Mend one", "Mend two"), ()]
    assert [event.reason for event in bench.of(PartsDeclined)] == ["the plan is the user's own now"]
    assert bench.of(PartStarted) == []


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
