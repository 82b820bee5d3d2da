"""What a user can want in place of a yes, through whole runs: the record tells all of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import calling
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.approval import (
    WHOLE_FILE,
    Answer,
    CommitRequest,
    CommitWish,
    PlanRequest,
    PlanWish,
    RefusedHunk,
    WorktreeRequest,
    key_of,
)
from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    AttemptEnded,
    AttemptsCompared,
    CheckEnded,
    CommandStarted,
    CommitStarted,
    Committed,
    HunksRefused,
    MessageSent,
    PlanProposed,
    PlanUpdated,
    ProposalMade,
    Warned,
    WorktreeUpdated,
    WorktreeUpdateStarted,
)
from selfheal_tui.core.proof import Proof
from selfheal_tui.errors import UsageError
from selfheal_tui.settings import FlowSettings
from tests.support.sessions import Bench, submit, submitted, write

LINES = "".join(f"{n}\n" for n in range(1, 31))
FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": LINES}
TWO_HUNKS = LINES.replace("1\n", "b\n", 1).replace("30\n", "last\n")
ONLY_FIRST = LINES.replace("1\n", "b\n", 1)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


def answering(*answers):
    """Gives each answer in turn; one that can be called makes it of the request."""
    rest = list(answers)
    asked = []

    async def ask(request):
        asked.append(request)
        made = rest.pop(0)
        return made(request) if callable(made) else made

    ask.asked = asked
    return ask


def yes(request):
    return Answer(key_of(request), granted=True, by="user")


def no(request):
    return Answer(key_of(request), granted=False, by="user", reason="no")


def wanting(**changes):
    def made(request):
        refused = changes.pop("refused", ())
        wish = replace(CommitWish(request.message, request.ref.removeprefix("refs/heads/")))
        wish = replace(wish, **changes)
        return Answer(key_of(request), granted=False, by="user", wish=wish, refused=refused)

    return made


def again(reason, *refused):
    def made(request):
        key = key_of(request)
        return Answer(key, granted=False, by="user", reason=reason, again=True, refused=refused)

    return made


# --- hunks -----------------------------------------------------------------------------------


async def test_a_refused_hunk_leaves_the_tree_which_is_checked_and_shown_anew(bench):
    ask = answering(wanting(refused=(RefusedHunk("a.txt", 1, "not asked for"),)), yes)
    ended = await bench.run([submitted(write("a.txt", TWO_HUNKS))], ask)
    assert (ended.exit_code, ended.outcome) == (0, "committed")
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") + "\n" == ONLY_FIRST
    first, second = bench.of(ProposalMade)
    assert made.tree == second.tree != first.tree
    proof = Proof.from_json(second.proof)
    (hunk,) = bench.of(HunksRefused)[0].hunks
    assert (hunk[0], hunk[2]) == ("a.txt", "not asked for")
    assert proof.refused == (f"a.txt {hunk[1]}: not asked for",)
    assert proof.verified
    checked = [check.tree for check in bench.of(CheckEnded) if check.purpose == "proof"]
    assert checked == [first.tree, second.tree]
    assert [request.tree for request in ask.asked] == [first.tree, second.tree]


async def test_what_is_left_may_be_red_and_then_the_card_says_that_nothing_proves_it(bench):
    ask = answering(wanting(refused=(RefusedHunk("a.txt", 0),)), no)
    ended = await bench.run([submitted(write("a.txt", TWO_HUNKS))], ask)
    proof = Proof.from_json(bench.of(ProposalMade)[1].proof)
    assert (proof.verified, proof.exit_code) == (False, 1)
    assert any("fails on what is left" in warning for warning in proof.warnings)
    assert ended.exit_code == 3
    assert bench.of(Committed) == []


async def test_the_coder_goes_on_without_the_refused_hunks_and_hears_the_reason(bench):
    ask = answering(again("keep to the task", RefusedHunk("a.txt", 1, "why 30?")), yes)
    script = [
        submitted(write("a.txt", TWO_HUNKS)),
        submitted(write("c.txt", "more\n")),
    ]
    ended = await bench.run(script, ask)
    assert ended.outcome == "committed"
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") + "\n" == ONLY_FIRST
    assert bench.place.git("show", f"{made.commit}:c.txt") == "more"
    told = bench.model.requests[1].messages[-1].text
    assert "keep to the task" in told
    assert "+last" in told
    assert "why 30?" in told


async def test_a_whole_new_file_can_be_refused(bench):
    ask = answering(wanting(refused=(RefusedHunk("c.txt", WHOLE_FILE),)), yes)
    await bench.run([submitted(write("a.txt", ONLY_FIRST), write("c.txt", "more\n"))], ask)
    (made,) = bench.of(Committed)
    assert bench.place.git("diff", "--name-only", f"{made.commit}^", made.commit) == "a.txt"


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        ((RefusedHunk("a.txt", WHOLE_FILE),), "nothing would be left"),
        ((RefusedHunk("a.txt", 7),), "cannot be taken out"),
        ((RefusedHunk("nowhere.txt", 0),), "cannot be taken out"),
    ],
    ids=["all", "number", "path"],
)
async def test_what_cannot_be_taken_out_is_said_and_the_same_is_asked_again(bench, refused, why):
    ask = answering(wanting(refused=refused), yes)
    ended = await bench.run([submitted(write("a.txt", TWO_HUNKS))], ask)
    assert ended.outcome == "committed"
    assert any(why in warned.text for warned in bench.of(Warned))
    assert ask.asked[0] == ask.asked[1]


async def test_hunks_beside_the_users_own_edits_of_the_same_file_leave_only_the_change(bench):
    bench.place.write("a.txt", LINES.replace("15\n", "mine\n"))
    ask = answering(wanting(refused=(RefusedHunk("a.txt", 1),)), yes)
    change = TWO_HUNKS.replace("15\n", "mine\n")
    ended = await bench.run([submitted(write("a.txt", change))], ask)
    assert ended.outcome == "committed"
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") + "\n" == ONLY_FIRST
    assert "mine" in (bench.place.repository / "a.txt").read_text()


async def test_a_proposal_of_an_earlier_run_can_lose_a_hunk_too(bench):
    async def nobody(request):
        return Answer(key_of(request), granted=False, by="user", reason="later")

    await bench.run([submitted(write("a.txt", TWO_HUNKS))], nobody)
    bench.order = take_up(bench.store, replace(bench.order, task=""), "s1")
    bench.events.clear()
    ask = answering(wanting(refused=(RefusedHunk("a.txt", 1),)), yes)
    ended = await bench.run([], ask)
    assert ended.outcome == "committed", ended
    (proposal,) = bench.of(ProposalMade)
    proof = Proof.from_json(proposal.proof)
    assert (proof.verified, len(proof.refused)) == (True, 1)
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") + "\n" == ONLY_FIRST


# --- files without a commit ------------------------------------------------------------------


async def test_the_working_tree_alone_can_be_updated(bench):
    before = bench.place.git("rev-parse", "HEAD")
    ask = answering(wanting(commit=False), yes)
    ended = await bench.run([submitted(write("a.txt", TWO_HUNKS))], ask)
    assert (ended.exit_code, ended.outcome) == (0, "updated")
    assert "nothing was committed" in ended.text
    assert isinstance(ask.asked[1], WorktreeRequest)
    assert (bench.place.repository / "a.txt").read_text() == TWO_HUNKS
    assert bench.place.git("rev-parse", "HEAD") == before
    assert (
        bench.place.git("for-each-ref", "--format=%(refname)", "refs/heads/") == "refs/heads/main"
    )
    assert bench.of(WorktreeUpdateStarted)[0].paths == ("a.txt",)
    assert bench.of(WorktreeUpdated)[0].paths == ("a.txt",)
    assert bench.of(CommitStarted) == []
    with pytest.raises(UsageError, match="working tree"):
        take_up(bench.store, bench.order, "s1")


# --- approvals that no longer hold -------------------------------------------------------------


class Moving:
    """A repository whose requests go stale the first few times somebody looks."""

    def __init__(self, repository, reasons):
        self._repository = repository
        self._reasons = reasons

    def __getattr__(self, name):
        return getattr(self._repository, name)

    async def stale(self, request, snapshot):
        return self._reasons.pop(0) if self._reasons else ""


async def test_a_request_that_goes_stale_is_withdrawn_and_asked_anew(bench):
    bench.wrap_repository = lambda repository: Moving(repository, ["main moved on"])
    asked = []

    async def ask(request):
        asked.append(request)
        if len(asked) == 1:
            await asyncio.get_running_loop().create_future()
        return yes(request)

    ended = await bench.run([submitted(write("a.txt", ONLY_FIRST))], ask)
    assert ended.outcome == "committed"
    (gone,) = bench.of(ApprovalWithdrawn)
    assert (gone.id, gone.kind, gone.reason) == ("a1", "commit", "main moved on")
    assert [event.id for event in bench.of(ApprovalAsked)] == ["a1", "a2"]
    assert [event.id for event in bench.of(ApprovalAnswered)] == ["a2"]


async def test_where_the_current_branch_moved_on_a_new_branch_is_asked_for(bench):
    bench.order = replace(bench.order, target=replace(bench.order.target, current=True))
    asked = []

    async def ask(request):
        asked.append(request)
        if len(asked) == 1:
            bench.place.write("other.txt", "theirs\n")
            bench.place.git("add", "other.txt")
            bench.place.git("commit", "-qm", "theirs")
            await asyncio.get_running_loop().create_future()
        return yes(request)

    ended = await bench.run([submitted(write("a.txt", ONLY_FIRST))], ask)
    assert ended.outcome == "committed", ended
    assert [request.ref for request in asked] == ["refs/heads/main", "refs/heads/selfheal/try"]
    assert len(bench.of(ApprovalWithdrawn)) == 1


# --- plans -------------------------------------------------------------------------------------


def plan(*steps):
    return calling(("submit_plan", {"steps": list(steps), "files": ["a.txt"]}))


@pytest.fixture
def planned(bench):
    bench.settings = replace(
        bench.settings, flow=FlowSettings(plan=True, review=False, approve_plan=True)
    )
    return bench


def first_brief(bench):
    """The first message that the coder got."""
    asked = [r for r in bench.model.requests if any(t.name == "submit" for t in r.tools)]
    return asked[0].messages[1].text


async def test_an_approved_plan_is_gone_by(planned):
    ask = answering(yes, yes)
    ended = await planned.run([plan("look", "mend"), submitted(write("a.txt", ONLY_FIRST))], ask)
    assert ended.outcome == "committed"
    assert ask.asked[0] == PlanRequest(("look", "mend"), ("a.txt",))
    assert isinstance(ask.asked[1], CommitRequest)
    assert "mend" in first_brief(planned)


async def test_the_users_own_plan_is_gone_by(planned):
    def mine(request):
        return Answer(key_of(request), granted=False, by="user", wish=PlanWish(("only mend",)))

    script = [plan("look", "rewrite all"), submitted(write("a.txt", ONLY_FIRST))]
    await planned.run(script, answering(mine, yes))
    assert [event.steps for event in planned.of(PlanProposed)] == [
        ("look", "rewrite all"),
        ("only mend",),
    ]
    assert "only mend" in first_brief(planned)
    assert "rewrite all" not in first_brief(planned)


async def test_a_plan_that_is_sent_back_is_made_anew_with_the_reason(planned):
    script = [plan("rewrite all"), plan("mend"), submitted(write("a.txt", ONLY_FIRST))]
    await planned.run(script, answering(again("too much"), yes, yes))
    assert "too much" in planned.model.requests[1].messages[-1].text
    assert "mend" in first_brief(planned)


async def test_a_refused_plan_ends_the_run_as_a_refusal(planned):
    ended = await planned.run([plan("rewrite all")], answering(no))
    assert ended.exit_code == 3


async def test_a_changed_plan_is_shown_and_told_to_the_model(bench):
    session = None

    def show(event):
        bench.events.append(event)
        if isinstance(event, CommandStarted) and event.purpose == "tool":
            session.replan([("look", "done"), ("mend", "todo")])

    script = [calling(("bash", {"command": "true"})), submitted(write("a.txt", ONLY_FIRST))]
    session = bench.session(script, show=show)
    await session.run()
    assert bench.of(PlanUpdated) == [PlanUpdated((("look", "done"), ("mend", "todo")))]
    (said,) = bench.of(MessageSent)
    assert said.text.splitlines()[1:] == ["- [x] look", "- [ ] mend"]
    assert said.text in [message.text for message in bench.model.requests[1].messages]


# --- attempts and cuts -------------------------------------------------------------------------


async def test_each_attempt_is_compared_with_the_earlier_ones(bench):
    script = [
        submitted(write("c.txt", "1\n")),
        submitted(write("c.txt", "2\n")),
        submitted(write("a.txt", ONLY_FIRST)),
    ]
    await bench.run(script)
    compared = {(event.older, event.newer): event.patch for event in bench.of(AttemptsCompared)}
    assert list(compared) == [(1, 2), (1, 3), (2, 3)]
    assert "-1\n+2\n" in compared[1, 2]
    assert "a.txt" in compared[2, 3]
    assert "c.txt" not in compared[2, 3]


def cutting(bench, purpose):
    """A session whose first command of this purpose is cut short by the user."""
    cut = []

    def show(event):
        bench.events.append(event)
        match event:
            case CommandStarted() if event.purpose == purpose and not cut:
                cut.append(session.cancel_step())
            case AttemptEnded(outcome="stopped"):
                session.say("go on")

    script = [submitted(write("a.txt", ONLY_FIRST)), calling(submit())]
    session = bench.session(script, show=show)
    return session, cut


@pytest.mark.parametrize("purpose", ["baseline", "flaky"])
async def test_the_baseline_can_be_cut_and_the_run_goes_on_without_it(bench, purpose):
    session, cut = cutting(bench, purpose)
    ended = await session.run()
    assert cut == [True]
    assert ended.outcome == "committed"
    assert "ended the check of the untouched files early" in first_brief(bench)


async def test_a_proving_run_can_be_cut_and_the_attempt_is_stopped(bench):
    session, cut = cutting(bench, "proof")
    ended = await session.run()
    assert cut == [True]
    assert bench.outcomes == ["stopped", "green"]
    assert ended.outcome == "committed"


async def test_the_request_in_the_record_is_the_one_that_was_asked(bench):
    ask = answering(yes)
    await bench.run([submitted(write("a.txt", ONLY_FIRST))], ask)
    (event,) = bench.of(ApprovalAsked)
    assert CommitRequest(**json.loads(event.request)) == ask.asked[0]
    assert event.key == key_of(ask.asked[0])
