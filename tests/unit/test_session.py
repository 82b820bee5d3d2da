"""Whole runs on real git and the local sandbox, with a scripted model; no engine, no network."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from selfheal_tui.adapters.local import LocalSandbox
from selfheal_tui.adapters.local_provision import LocalProvision
from selfheal_tui.adapters.scripted import Turn, call, calling, fail, say
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.ports import Usage
from selfheal_tui.cli.kept import take_up, with_kept_check
from selfheal_tui.core.approval import Answer, CommitRequest, key_of
from selfheal_tui.core.events import (
    AttemptEnded,
    CheckEnded,
    CommandEnded,
    CommandPrinted,
    CommandStarted,
    CommitStarted,
    Committed,
    MessageSent,
    ProposalMade,
    Pushed,
    PushStarted,
    RolledBack,
    SandboxWasLost,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    StepEnded,
    StepStarted,
    ToolReturned,
    TreeChanged,
    TurnEnded,
    TurnStarted,
    Warned,
)
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import Interrupted, ModelError, SandboxLost
from selfheal_tui.headless import no_to_all
from selfheal_tui.parts import Order
from selfheal_tui.settings import (
    CheckSettings,
    FlowSettings,
    LimitSettings,
)
from tests.support.sessions import FILES, Bench, submitted, write


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


async def test_a_healed_tree_is_proved_committed_and_told(bench):
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert (ended.exit_code, ended.outcome) == (0, "committed")
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") == "b"
    assert bench.place.git("log", "-1", "--format=%B", made.commit) == "Mend it"
    assert made.tree == bench.proof.tree
    assert bench.proof.verified
    assert [check.purpose for check in bench.of(CheckEnded)] == [
        "baseline",
        "flaky",
        "verify",
        "proof",
    ]


async def test_the_first_event_is_the_start_and_the_last_the_end_and_all_are_stored(bench):
    await bench.run([submitted(write("a.txt", "b\n"))])
    assert isinstance(bench.events[0], SessionStarted)
    assert isinstance(bench.events[-1], SessionEnded)
    assert len(bench.of(SessionEnded)) == 1
    assert [event for event, _ in bench.store.events("s1")] == bench.events


@pytest.mark.parametrize(
    ("started", "ended"),
    [(StepStarted, StepEnded), (TurnStarted, TurnEnded), (CommandStarted, CommandEnded)],
)
async def test_what_is_started_is_ended_also_when_the_run_fails(bench, started, ended):
    script = [call("bash", command="true"), fail(ModelError("gone"))]
    result = await bench.run(script)
    assert result.exit_code == 5
    assert [event.id for event in bench.of(started)] == [event.id for event in bench.of(ended)]


async def test_a_worse_attempt_is_rolled_back_and_the_model_is_told(bench):
    bench.place.write(
        "check.sh",
        "echo TAP version 13; for n in 1 2 3; do\n"
        'grep -qx $n a.txt || { echo "not ok $n - has $n"; bad=1; }\n'
        'done; [ -z "$bad" ]\n',
    )
    script = [
        submitted(write("a.txt", "1\n2\n")),
        submitted(write("a.txt", "1\n")),
        submitted(write("b.txt", "new\n")),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 1
    assert bench.outcomes == ["better", "worse", "same"]
    (rolled_back,) = bench.of(RolledBack)
    first, _, third = bench.of(AttemptEnded)
    assert rolled_back.to_tree == first.tree
    last_words = bench.model.requests[-1].messages[-1].text
    assert "the files went back to attempt 1" in last_words
    assert "1 failing instead of 3" in ended.text
    assert third.failing == ("has 3",)


async def test_without_a_check_the_card_says_not_verified(bench):
    bench.order = replace(bench.order, no_check=True)
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0
    assert not bench.proof.verified
    assert bench.proof.exit_code is None
    assert "not verified: no check was run" in bench.proof.warnings


async def test_without_a_check_and_a_change_nothing_is_done(bench):
    bench.order = replace(bench.order, no_check=True)
    ended = await bench.run([submitted()] * 3)
    assert (ended.exit_code, bench.outcomes) == (1, ["no change"] * 3)


async def test_a_green_baseline_ends_a_run_that_only_asks_for_green(bench):
    bench.place.write("a.txt", "b\n")
    bench.order = replace(bench.order, task="make the tests pass")
    ended = await bench.run([])
    assert (ended.exit_code, ended.outcome) == (0, "already green")


async def test_a_green_baseline_does_not_end_a_run_that_asks_for_more(bench):
    bench.place.write("a.txt", "b\n")
    bench.place.git("commit", "-qam", "Say b")
    bench.order = replace(bench.order, task="say hello in hello.txt")
    ended = await bench.run([submitted(write("hello.txt", "hello\n"))])
    assert (ended.exit_code, bench.outcomes) == (0, ["green"])


async def test_a_fix_that_needs_uncommitted_edits_is_refused_with_their_names(bench):
    bench.place.write("check.sh", "grep -qx b a.txt && test -e hello.txt\n")
    bench.place.git("commit", "-qam", "Ask for both")
    bench.place.write("a.txt", "b\n")
    ended = await bench.run([submitted(write("hello.txt", "hello\n"))])
    assert ended.exit_code == 6
    assert "uncommitted changes in a.txt" in ended.text


async def test_a_refused_commit_keeps_the_proposal_and_resume_takes_it_up(bench):
    before = bench.place.manifest()
    ended = await bench.run([submitted(write("a.txt", "b\n"))], ask=no_to_all())
    assert (ended.exit_code, ended.outcome) == (3, "approval refused")
    assert bench.place.manifest() == before
    bench.order = take_up(bench.store, replace(bench.order, session="s2", task=""), "")
    assert (bench.order.session, bench.order.task) == ("s1", "try")
    ended = await bench.run([])
    assert ended.exit_code == 0
    (made,) = bench.of(Committed)
    assert bench.place.git("show", f"{made.commit}:a.txt") == "b"


async def test_a_new_task_goes_on_from_a_proposal_and_does_not_just_commit_it(bench):
    await bench.run([submitted(write("a.txt", "b\n"))], ask=no_to_all())
    bench.order = take_up(bench.store, replace(bench.order, session="s2", task="more"), "s1")
    ended = await bench.run([submitted(write("more.txt", "more\n"))])
    assert ended.exit_code == 0
    commit = bench.of(Committed)[0].commit
    assert bench.place.git("show", f"{commit}:a.txt") == "b"
    assert bench.place.git("show", f"{commit}:more.txt") == "more"


async def test_an_interrupted_session_goes_on_from_its_last_tree(bench):
    ended = await bench.run([call("write_file", path="half.txt", content="half\n"),
                             fail(ModelError("gone"))])  # fmt: skip
    assert ended.exit_code == 5
    bench.order = take_up(bench.store, bench.order, "s1")
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0
    assert "half.txt" in bench.model.requests[0].messages[-1].text
    commit = bench.of(Committed)[0].commit
    assert bench.place.git("show", f"{commit}:half.txt") == "half"


async def test_an_answer_to_another_request_is_no_consent(bench):
    async def ask(request):
        other = CommitRequest("x", "y", "refs/heads/z", "0", "m", update_worktree=False)
        return Answer(key_of(other), granted=True, by="user")

    before = bench.place.manifest()
    ended = await bench.run([submitted(write("a.txt", "b\n"))], ask=ask)
    assert ended.exit_code == 3
    assert bench.place.manifest() == before


async def test_a_push_that_is_refused_leaves_the_commit_and_says_both(bench):
    bench.order = replace(bench.order, target=Target(remote="origin"))
    bench.place.remote.rename(bench.place.folder / "moved.git")
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 6
    assert "committed" in ended.text
    assert "not pushed" in ended.text


async def test_calls_that_cannot_run_are_answered_and_never_executed(bench):
    script = [
        calling(
            ("no_such_tool", {}),
            ("bash", {}),
            ("bash", {"command": 3}),
            ("bash", {"command": "true", "more": 1}),
            ("read_file", {"path": "missing"}),
            ("edit_file", {"path": "a.txt", "old": "z", "new": "y"}),
            ("write_file", {"path": "../outside", "content": "x"}),
        ),
        submitted(write("a.txt", "b\n")),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0
    answers = [event.text for event in bench.of(ToolReturned)][:7]
    assert [event.ok for event in bench.of(ToolReturned)][:7] == [False] * 7
    for words, text in zip(
        ["there is no tool", "is missing", "must be a string", "is not an argument",
         "there is no file", "was not changed", "was not written"], answers, strict=True,
    ):  # fmt: skip
        assert words in text
    assert bench.of(CommandStarted)[2:3][0].purpose == "verify"


async def test_tools_read_search_and_edit(bench):
    script = [
        calling(
            ("read_file", {"path": "a.txt"}),
            ("search", {"pattern": "grep", "glob": "*.sh"}),
            ("search", {"pattern": "nowhere"}),
            ("bash", {"command": "export X=1; mkdir -p d; cd d"}),
            ("bash", {"command": "echo $X; basename $PWD; exit 3"}),
            ("update_plan", {"items": [{"text": "one", "state": "done"}, "two"]}),
            ("ask_user", {"question": "Which one?"}),
            ("edit_file", {"path": "a.txt", "old": "a", "new": "b"}),
        ),
        submitted(),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0
    texts = [event.text for event in bench.of(ToolReturned)]
    assert texts[0] == "    1  a"
    assert "check.sh:1:" in texts[1]
    assert texts[2] == "no match"
    assert texts[4] == "[exit code 3]\n1\nd"
    assert "nobody is there" in texts[6]


async def test_a_reviewer_that_sends_back_again_is_left_to_the_human(bench):
    bench.settings = replace(bench.settings, flow=FlowSettings(plan=False, review=True))
    back = call("submit_review", verdict="send_back", comments="Not so.", risks=["odd"])
    script = {"coder": [submitted(write("a.txt", "b\n")), submitted()], "reviewer": [back, back]}
    ended = await bench.run(script)
    assert ended.exit_code == 0
    assert bench.outcomes == ["sent back", "green"]
    assert "the reviewer did not approve: Not so." in bench.proof.warnings
    assert "reviewer: odd" in bench.proof.warnings


async def test_the_planner_only_looks_and_its_plan_reaches_the_coder(bench):
    bench.settings = replace(bench.settings, flow=FlowSettings(plan=True, review=False))
    script = {
        "planner": [
            call("bash", command="echo b > a.txt; echo x > junk.txt"),
            call("submit_plan", steps=["Write b."], files=["a.txt"]),
        ],
        "coder": [call("bash", command="cat a.txt junk.txt"), submitted(write("a.txt", "b\n"))],
    }
    ended = await bench.run(script)
    assert ended.exit_code == 0
    assert "1. Write b." in bench.model.requests[2].messages[1].text
    cat = bench.of(ToolReturned)[2].text
    assert "a\n" in cat
    assert "junk.txt: No such file" in cat


async def test_limits_end_the_run_with_exit_7(bench):
    bench.settings = replace(bench.settings, limits=LimitSettings(max_cost=0.5))
    costly = Turn(calls=call("bash", command="true").calls, usage=Usage(cost=0.3))
    ended = await bench.run([costly, costly, costly])
    assert (ended.exit_code, ended.outcome, ended.cost) == (7, "limit reached", 0.6)
    assert len(bench.model.requests) == 2


async def test_a_signal_ends_the_run_and_cleans_up(bench):
    def show(event):
        bench.events.append(event)
        if isinstance(event, CommandStarted) and event.purpose == "tool":
            session.stop(Interrupted(2))

    session = bench.session([call("bash", command="sleep 60")], show=show)
    ended = await asyncio.wait_for(session.run(), 20)
    assert (ended.exit_code, ended.outcome) == (130, "interrupted")
    assert bench.of(CommandEnded)[-1].cancelled


async def test_a_commit_that_was_begun_is_told_also_when_the_run_is_stopped(bench):
    def show(event):
        bench.events.append(event)
        if isinstance(event, CommitStarted):
            session.stop(Interrupted(15))

    session = bench.session([submitted(write("a.txt", "b\n"))], show=show)
    ended = await session.run()
    (made,) = bench.of(Committed)
    said = f"committed {made.commit[:12]} to selfheal/try; then ended by signal 15"
    assert (ended.exit_code, ended.text) == (143, said)
    assert bench.place.git("show", f"{made.commit}:a.txt") == "b"


async def test_a_push_that_was_begun_is_told_also_when_the_run_is_stopped(bench):
    def show(event):
        bench.events.append(event)
        if isinstance(event, PushStarted):
            session.stop(Interrupted(15))

    bench.order = replace(bench.order, target=Target(remote="origin"))
    session = bench.session([submitted(write("a.txt", "b\n"))], show=show)
    ended = await session.run()
    (pushed,) = bench.of(Pushed)
    assert bench.place.remote_git("rev-parse", "selfheal/try") == pushed.commit
    said = f"committed {pushed.commit[:12]} to selfheal/try, pushed to origin/selfheal/try"
    assert (ended.exit_code, ended.text) == (143, f"{said}; then ended by signal 15")


async def test_a_no_to_the_push_that_wants_another_attempt_ends_with_the_commit(bench):
    async def ask(request):
        yes = isinstance(request, CommitRequest)
        return Answer(key_of(request), yes, "user", "" if yes else "not like this", again=not yes)

    bench.order = replace(bench.order, target=Target(remote="origin"))
    ended = await bench.run([submitted(write("a.txt", "b\n"))], ask=ask)
    (made,) = bench.of(Committed)
    said = f"committed {made.commit[:12]} to selfheal/try, but not pushed: the push was not"
    assert (ended.exit_code, ended.text) == (3, f"{said} approved: not like this")


async def test_a_secret_is_not_missed_where_output_comes_in_pieces(bench):
    bench.redactor = Redactor(["hunter2hunter2"])
    command = "printf hunter2; sleep 0.3; echo hunter2"
    await bench.run([call("bash", command=command), submitted(write("a.txt", "b\n"))])
    printed = [event.text for event in bench.of(CommandPrinted)]
    assert "[redacted]\n" in printed


async def test_a_limit_that_cannot_hold_is_said(bench):
    unpriced = Turn(calls=submitted(write("a.txt", "b\n")).calls, usage=Usage(cost=None))
    await bench.run([unpriced])
    assert any("--max-cost cannot hold" in event.text for event in bench.of(Warned))
    assert any("price is not known" in warning for warning in bench.proof.warnings)


async def test_a_fault_of_our_own_is_exit_70_and_still_ends_in_words(bench):
    def broken(request):
        raise ZeroDivisionError("oops")

    ended = await bench.run([broken])
    assert (ended.exit_code, ended.text) == (70, "ZeroDivisionError: oops")
    assert "ZeroDivisionError" in bench.of(Warned)[-1].text


async def test_steering_reaches_the_model_with_the_next_request(bench):
    session = bench.session([say("Hm."), submitted(write("a.txt", "b\n"))])
    session.say("use b")
    ended = await session.run()
    assert ended.exit_code == 0
    assert bench.of(MessageSent) == [MessageSent("use b")]
    assert bench.model.requests[0].messages[-1].text == "use b"


async def test_every_request_begins_with_the_one_before(bench):
    script = [call("bash", command="true"), submitted(write("b.txt", "x\n")), say("Hm."),
              submitted(write("a.txt", "b\n"))]  # fmt: skip
    await bench.run(script)
    requests = bench.model.requests
    for before, after in itertools.pairwise(requests):
        assert after.messages[: len(before.messages)] == before.messages
        assert after.tools == before.tools


async def test_secrets_reach_neither_the_store_nor_the_front_end(bench):
    bench.redactor = Redactor(["hunter2hunter2"])
    script = [call("bash", command="echo hunter2hunter2"), submitted(write("a.txt", "b\n"))]
    await bench.run(script)
    told = repr(bench.events) + repr(list(bench.store.events("s1")))
    assert "hunter2hunter2" not in told
    assert "[redacted]" in told


async def test_a_lost_sandbox_is_replaced_and_the_model_is_told(bench):
    class Losing(LocalProvision):
        opened = 0

        async def open(self):
            sandbox = await super().open()
            self.opened += 1
            return Fragile(sandbox) if self.opened == 1 else sandbox

    bench.provision = Losing()
    script = [
        call("write_file", path="kept.txt", content="kept\n"),
        call("bash", command="die"),
        submitted(write("a.txt", "b\n")),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0
    assert [event.reason for event in bench.of(SandboxWasLost)] == ["it died"]
    assert "a fresh one holds the files" in bench.of(ToolReturned)[1].text
    commit = bench.of(Committed)[0].commit
    assert bench.place.git("show", f"{commit}:kept.txt") == "kept"


class Fragile:
    """A sandbox that is lost at the command `die`."""

    def __init__(self, inner: LocalSandbox) -> None:
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def run(self, command, **options):
        if command == "die":
            raise SandboxLost("it died")
        return await self._inner.run(command, **options)


async def test_ignored_files_and_caches_are_no_part_of_the_change(bench):
    bench.place.write(".gitignore", "*.log\n")
    bench.place.git("add", ".gitignore")
    bench.place.git("commit", "-qm", "Ignore logs")
    junk = "echo x > run.log; mkdir -p __pycache__ new; echo x > __pycache__/a.pyc; "
    script = [
        call("bash", command=junk + "echo '*.tmp' > new/.gitignore; echo x > new/a.tmp"),
        submitted(write("a.txt", "b\n")),
    ]
    await bench.run(script)
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "new/.gitignore"]


async def test_a_folder_that_ignores_itself_is_no_part_of_the_change(bench):
    script = [
        call("bash", command="mkdir c; echo '*' > c/.gitignore; echo 1 > c/x"),
        call("bash", command="echo 2 > c/x; echo 2 > c/y"),
        call("bash", command="mkdir d; printf '*\\n!.gitignore\\n' > d/.gitignore; echo 1 > d/x"),
        submitted(write("a.txt", "b\n")),
    ]
    await bench.run(script)
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "d/.gitignore"]


async def test_a_folder_that_no_longer_ignores_itself_is_part_of_the_change(bench):
    script = [
        call("bash", command="mkdir c; echo '*' > c/.gitignore; echo 1 > c/x"),
        call("bash", command="rm c/.gitignore; echo 2 > c/x"),
        submitted(write("a.txt", "b\n")),
    ]
    await bench.run(script)
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "c/x"]


async def test_what_the_check_writes_is_no_part_of_the_change(bench):
    bench.place.write("check.sh", "echo trace >> trace.txt; grep -qx b a.txt\n")
    bench.place.git("commit", "-qam", "Leave traces")
    await bench.run([submitted(write("c.txt", "c\n")), submitted(write("a.txt", "b\n"))])
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "c.txt"]


async def test_a_flaky_test_does_not_decide_alone(bench, tmp_path):
    count = tmp_path / "count"
    report = "echo 'not ok 1 - flaky'; exit 1"
    bench.place.write(
        "check.sh",
        f"echo TAP version 13; n=$(cat {count} 2>/dev/null || echo 0); echo $((n+1)) > {count}\n"
        f"grep -qx b a.txt || {{ echo 'not ok 2 - real'; bad=1; }}\n"
        f"[ $((n % 2)) = 0 ] && {{ {report}; }}\n"
        '[ -z "$bad" ] || exit 1\n',
    )
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0, ended.text
    assert bench.proof.flaky == ("flaky",)
    assert bench.proof.before == ("real",)


async def test_a_name_that_must_not_come_out_is_told_and_can_be_mended(bench):
    script = [
        call("bash", command="mkdir -p d/.GIT; echo x > d/.GIT/config; mkfifo pipe"),
        call("bash", command="rm -r d pipe"),
        submitted(write("a.txt", "b\n")),
    ]
    ended = await bench.run(script)
    assert ended.exit_code == 0, ended.text
    refused, mended, *_ = bench.of(ToolReturned)
    assert "cannot be part of the change" in refused.text
    assert (refused.ok, mended.ok) == (False, True)


async def test_a_name_that_must_not_come_out_is_never_submitted(bench):
    bench.settings = replace(bench.settings, limits=LimitSettings(attempts=1))
    ended = await bench.run([submitted(("bash", {"command": "mkfifo pipe; echo b > a.txt"}))] * 20)
    assert ended.exit_code == 1, ended.text
    assert "'pipe' is a FIFO" in bench.of(ToolReturned)[1].text
    assert bench.of(ProposalMade) == []


async def test_what_a_check_leaves_that_must_not_come_out_goes_with_its_sandbox(bench):
    bench.place.write("check.sh", "rm -f pipe; mkfifo pipe; grep -qx b a.txt\n")
    bench.place.git("commit", "-qam", "Leave a pipe")
    ended = await bench.run([submitted(write("c.txt", "c\n")), submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0, ended.text
    assert [path for path, _, _ in bench.proof.files] == ["a.txt", "c.txt"]


async def test_a_resumed_run_keeps_its_check_and_its_branch(bench):
    bench.order = replace(bench.order, target=Target(branch="mine"))
    bench.settings = replace(bench.settings, check=CheckSettings("grep -qx b a.txt"))
    ended = await bench.run([fail(ModelError("gone"))])
    assert ended.exit_code == 5
    now = Order("s2", "", bench.order.repository, Target())
    bench.order = take_up(bench.store, now, "s1")
    plain = replace(bench.settings, check=CheckSettings())
    assert with_kept_check(plain, bench.order, given=True) == (plain, bench.order)
    bench.settings, bench.order = with_kept_check(plain, bench.order, given=False)
    assert bench.settings.check.command == "grep -qx b a.txt"
    ended = await bench.run([submitted(write("a.txt", "b\n"))])
    assert ended.exit_code == 0, ended.text
    assert bench.of(Committed)[0].ref == "refs/heads/mine"


async def test_a_resumed_run_without_a_check_stays_without_one(bench):
    bench.order = replace(bench.order, no_check=True)
    await bench.run([fail(ModelError("gone"))])
    order = take_up(bench.store, replace(bench.order, no_check=False, task=""), "s1")
    _, order = with_kept_check(bench.settings, order, given=False)
    assert order.no_check


async def test_a_remote_that_is_not_there_is_told_before_any_work(bench):
    bench.order = replace(bench.order, target=Target(remote="no-such"))
    ended = await bench.run([])
    assert ended.exit_code == 6
    assert "no-such" in ended.text
    assert bench.model.requests == []


async def test_what_is_kept_of_a_run_that_did_not_heal_is_its_best_tree(bench):
    bench.place.write("check.sh", "test -e c.txt && grep -qx b a.txt\n")
    bench.place.git("commit", "-qam", "Ask for both")
    bench.settings = replace(bench.settings, limits=LimitSettings(attempts=2))
    half = submitted(write("c.txt", "c\n"))
    ended = await bench.run([half, submitted(write("d.txt", "d\n"))])
    assert ended.exit_code == 1
    last = bench.of(TreeChanged)[-1]
    best = min(bench.of(AttemptEnded), key=lambda attempt: len(attempt.failing))
    assert last.tree in (best.tree, bench.of(SnapshotTaken)[0].tree)
