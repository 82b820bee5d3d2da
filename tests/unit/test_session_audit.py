"""Whole runs leave exactly their records in the audit log, in order, whoever answered."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import calling
from selfheal_tui.adapters.store import Store
from selfheal_tui.agent.deliver import Target
from selfheal_tui.cli.kept import take_up
from selfheal_tui.core.approval import Answer, CommitWish, RefusedHunk, key_of
from selfheal_tui.core.audit import BEGUN, Head
from selfheal_tui.core.events import (
    ApprovalAsked,
    CommitStarted,
    Committed,
    ProposalMade,
    SessionEnded,
)
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import RepositoryRefused
from selfheal_tui.headless import no_to_all, yes_to
from selfheal_tui.settings import FlowSettings
from selfheal_tui.ui.screens.approval import BY
from tests.support.sessions import Bench, submitted, write
from tests.unit.test_surroundings import CHECK, YAML, Images
from tests.unit.test_warm import event_of, live

LINES = "".join(f"{n}\n" for n in range(1, 31))
TWO_HUNKS = LINES.replace("1\n", "b\n", 1).replace("30\n", "last\n")
ONLY_FIRST = LINES.replace("1\n", "b\n", 1)
GREP = "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n"
MENDS = [submitted(write("a.txt", ONLY_FIRST))]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, {"check.sh": GREP, "a.txt": LINES})
    yield bench
    bench.store.close()


def told(bench):
    """The records but for what every local sandbox tells: its kind, and its fields."""
    assert isinstance(bench.store.verify_audit(), Head)
    return [
        (record.kind, json.loads(record.fields))
        for record in bench.store.audit()
        if record.kind != "network on"
    ]


def outline(bench):
    """Each record in a few words; what an approval is about, who answered and what."""
    return [
        f"{fields['about']} {'granted' if fields['granted'] else 'refused'} by {fields['by']}"
        if kind == "approval"
        else kind
        for kind, fields in told(bench)
    ]


def answering(*answers):
    rest = list(answers)

    async def ask(request):
        return rest.pop(0)(request)

    return ask


def yes(request):
    return Answer(key_of(request), granted=True, by="user")


def no(request):
    return Answer(key_of(request), granted=False, by="user", reason="not like this")


def without_the_second(request):
    wish = CommitWish(request.message, "mine")
    refused = (RefusedHunk("a.txt", 1, "not asked for"),)
    return Answer(key_of(request), granted=False, by="user", wish=wish, refused=refused)


async def test_a_whole_run_leaves_its_records_in_order(tmp_path):
    bench = Bench(tmp_path, {"check.sh": CHECK + GREP, "a.txt": LINES})
    bench.provision = Images()
    bench.settings = replace(
        bench.settings, flow=FlowSettings(plan=True, review=False, approve_plan=True)
    )
    bench.order = replace(bench.order, target=Target(remote="origin"))
    plan = calling(("submit_plan", {"steps": ["mend"], "files": ["a.txt"]}))
    ask = answering(yes, yes, without_the_second, yes, yes)
    ended = await bench.run([plan, submitted(write("a.txt", TWO_HUNKS))], ask)
    assert ended.exit_code == 0, ended.text
    assert outline(bench) == [
        BEGUN,
        "setup granted by user",
        "set-up begun",
        "set-up ended",
        "plan granted by user",
        "commit refused by user",
        "hunks refused",
        "commit granted by user",
        "commit begun",
        "commit made",
        "push granted by user",
        "push begun",
        "push made",
    ]
    bench.store.close()


async def test_the_record_of_a_commit_names_what_was_shown_and_who_said_yes(bench):
    ask = answering(without_the_second, yes)
    await bench.run([submitted(write("a.txt", TWO_HUNKS))], ask)
    asked = bench.of(ApprovalAsked)[-1]
    request = json.loads(asked.request)
    proof = json.loads(bench.of(ProposalMade)[-1].proof)
    (hunk,) = [fields for kind, fields in told(bench) if kind == "hunks refused"]
    (granted,) = [
        fields for kind, fields in told(bench) if kind == "approval" and fields["granted"]
    ]
    assert granted == {
        "approval": "a2",
        "about": "commit",
        "key": asked.key,
        "granted": True,
        "by": "user",
        "reason": "",
        "tree": request["tree"],
        "parent": request["parent"],
        "ref": "refs/heads/mine",
        "old": "0" * 40,
        "message_sha256": hashlib.sha256(request["message"].encode()).hexdigest(),
        "update_worktree": False,
        "hunks_refused": hunk["hunks"],
        "verdict": "verified",
        "check": "sh check.sh",
        "exit_code": 0,
        "warnings": proof["warnings"],
        "protected": [],
        "findings": proof["findings"],
    }
    assert hunk["hunks"][0][0::2] == ["a.txt", "not asked for"]
    assert proof["warnings"], "the local sandbox is warned of"
    (made,) = bench.of(Committed)
    outcome = dict(told(bench)[-1][1])
    assert (outcome["commit"], outcome["tree"]) == (made.commit, granted["tree"])
    assert outcome["message_sha256"] == granted["message_sha256"]


async def test_the_record_of_a_push_names_commit_url_ref_and_old_value(bench):
    bench.order = replace(bench.order, target=Target(remote="origin"))
    await bench.run(MENDS)
    (made,) = bench.of(Committed)
    approvals = [fields for kind, fields in told(bench) if kind == "approval"]
    assert [fields["by"] for fields in approvals] == ["--yes", "--yes"]
    del approvals[1]["key"]
    assert approvals[1] == {
        "approval": "a2",
        "about": "push",
        "granted": True,
        "by": "--yes",
        "reason": "",
        "commit": made.commit,
        "remote": "origin",
        "url": str(bench.place.remote),
        "ref": made.ref,
        "old": "0" * 40,
    }


async def test_the_record_of_a_set_up_names_its_command_and_the_network(tmp_path):
    bench = Bench(tmp_path, {"check.sh": CHECK + GREP, "a.txt": LINES})
    bench.provision = Images()
    await bench.run(MENDS)
    _, (kind, fields), *rest = told(bench)
    assert (kind, fields["about"], fields["by"]) == ("approval", "setup", "--yes")
    assert (fields["command"], fields["network"]) == (YAML, "on, for this command")
    assert fields["image"] == "image"
    assert rest[:2] == [
        ("set-up begun", {"command": YAML, "network": "on"}),
        ("set-up ended", {"ok": True}),
    ]
    bench.store.close()


async def test_a_set_up_that_fails_has_its_outcome_too(tmp_path):
    bench = Bench(tmp_path, {"check.sh": CHECK + GREP, "a.txt": LINES})
    bench.provision = Images(fails="exit code 1")
    await bench.run(MENDS)
    assert ("set-up ended", {"ok": False}) in told(bench)
    bench.store.close()


async def test_nobody_there_is_a_refusal_with_its_reason(bench):
    ended = await bench.run(MENDS, no_to_all())
    assert ended.exit_code == 3
    assert outline(bench) == [BEGUN, "commit refused by --headless"]
    assert told(bench)[1][1]["reason"].startswith("nobody is there to approve it")


async def test_a_no_of_the_users_is_a_record_and_no_intent_follows(bench):
    await bench.run(MENDS, answering(no))
    assert outline(bench) == [BEGUN, "commit refused by user"]
    assert told(bench)[1][1]["reason"] == "not like this"


async def test_a_refused_push_is_a_record_beside_the_commit_that_was_made(bench):
    bench.order = replace(bench.order, target=Target(remote="origin"))
    await bench.run(MENDS, yes_to(push=False))
    assert outline(bench)[-1] == "push refused by --yes"
    assert told(bench)[-1][1]["reason"] == "a push needs --push"
    assert "push begun" not in outline(bench)


async def test_files_without_a_commit_have_their_records(bench):
    def files_alone(request):
        wish = CommitWish(request.message, None, commit=False)
        return Answer(key_of(request), granted=False, by="user", wish=wish)

    await bench.run(MENDS, answering(files_alone, yes))
    assert outline(bench)[2:] == ["worktree granted by user", "update begun", "update made"]
    assert told(bench)[-1][1]["paths"] == ["a.txt"]


async def test_what_is_withdrawn_is_a_record(bench):
    class Moving:
        def __init__(self, repository):
            self._repository, self._reasons = repository, ["main moved on"]

        def __getattr__(self, name):
            return getattr(self._repository, name)

        async def stale(self, request, snapshot):
            return self._reasons.pop() if self._reasons else ""

    bench.wrap_repository = Moving
    asked = []

    async def ask(request):
        asked.append(request)
        if len(asked) == 1:
            await asyncio.get_running_loop().create_future()
        return yes(request)

    await bench.run(MENDS, ask)
    assert outline(bench)[1:3] == ["withdrawn", "commit granted by user"]
    assert told(bench)[1][1]["reason"] == "main moved on"


async def test_a_commit_that_fails_is_closed_in_words(bench):
    class Refusing:
        def __init__(self, repository):
            self._repository = repository

        def __getattr__(self, name):
            return getattr(self._repository, name)

        async def commit(self, granted, snapshot, worktree):
            raise RepositoryRefused("a lock of somebody else")

    bench.wrap_repository = Refusing
    ended = await bench.run(MENDS)
    assert ended.exit_code == 6
    assert outline(bench) == [BEGUN, "commit granted by --yes", "commit begun", "no outcome"]
    assert told(bench)[-1][1] == {"intents": ["commit begun"], "reason": "a lock of somebody else"}


async def test_a_run_that_was_killed_over_its_commit_says_so_when_it_is_taken_up(bench):
    class Killed(BaseException):
        pass

    append = bench.store.append

    def dying(session, event, at):
        append(session, event, at)
        if isinstance(event, CommitStarted):
            bench.store.append = nothing
            raise Killed

    def nothing(session, event, at):
        """A killed process writes nothing more."""

    bench.store.append = dying
    with pytest.raises(Killed):
        await bench.run(MENDS)
    del bench.store.append
    assert outline(bench)[-1] == "commit begun"
    bench.order = take_up(bench.store, replace(bench.order, task=""), "s1")
    ended = await bench.run([], answering(yes))
    assert ended.outcome == "committed", ended
    assert outline(bench)[-4:] == [
        "no outcome",
        "commit granted by user",
        "commit begun",
        "commit made",
    ]
    assert told(bench)[-3][1]["verdict"] == "verified"


async def test_the_network_of_the_local_sandbox_is_no_secret(bench):
    await bench.run(MENDS)
    online = [json.loads(r.fields) for r in bench.store.audit() if r.kind == "network on"]
    assert online
    assert all(fields["kind"] == "local" for fields in online)


async def test_a_secret_is_in_no_record(bench):
    bench.redactor = Redactor(["correct-horse-battery"])

    async def ask(request):
        return Answer(key_of(request), granted=False, by="user", reason="correct-horse-battery")

    await bench.run([submitted(write("a.txt", ONLY_FIRST), summary="correct-horse-battery")], ask)
    text = "".join(record.fields for record in bench.store.audit())
    assert "correct-horse-battery" not in text
    assert "[redacted]" in text


async def test_what_is_approved_in_the_interface_is_by_the_user(tmp_path):
    async with live(tmp_path, script=[submitted(write("a.txt", "b\n"))]) as (conductor, heard):
        conductor.open()
        conductor.start("put b into a.txt")
        await heard.until(event_of(SessionEnded))
    store = Store(tmp_path / "state")
    records = [record for record in store.audit() if record.kind != "network on"]
    assert isinstance(store.verify_audit(), Head)
    store.close()
    kinds = [record.kind for record in records]
    assert kinds == [BEGUN, "approval", "commit begun", "commit made"]
    assert json.loads(records[1].fields)["by"] == BY == "user"
