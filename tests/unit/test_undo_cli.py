"""`selfheal undo` and `/undo`: the last session's commit is taken back, and its record says so."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace

import pytest

from selfheal_tui.adapters.store import Store
from selfheal_tui.agent.approvals import Approvals
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.undo import undo_last
from selfheal_tui.cli.replay import ReplayConductor
from selfheal_tui.cli.undoing import Undoable, find_undoable, undo
from selfheal_tui.core.approval import Answer, UndoRequest, key_of
from selfheal_tui.core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Committed,
    SessionEnded,
    Undone,
    UndoStarted,
    Warned,
)
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import ApprovalRefused, RepositoryRefused, UsageError
from selfheal_tui.ui.commands import run_command
from selfheal_tui.ui.conductor import Asked, Happened, NotStarted
from tests.support.conductor import FakeConductor
from tests.support.headless import Workplace
from tests.support.sessions import FILES, Bench, submitted, write
from tests.support.terminal import Terminal
from tests.unit.test_warm import HEALS, event_of, live

CHANGE = [submitted(write("a.txt", "b\n"), write("new", "n\n"))]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


async def committed(bench, **target):
    """A session that commits; on the current branch unless a `branch` is named."""
    bench.order = replace(bench.order, target=Target(**(target or {"current": True})))
    ended = await bench.run(CHANGE)
    assert ended.exit_code == 0, ended
    (made,) = bench.of(Committed)
    return made


def on_top(bench):
    return bench.place.git("commit", "--allow-empty", "-m", "Later")


def kinds_after_the_end(state, session="s1"):
    """What the record holds after the session's last event of its own."""
    store = Store(state)
    events = [event for event, _ in store.events(session)]
    store.close()
    end = max(n for n, event in enumerate(events) if isinstance(event, SessionEnded))
    return [type(event) for event in events[end + 1 :]]


# --- the command line


async def test_the_last_commit_is_taken_back_and_said(bench):
    before = bench.place.manifest()
    parent = bench.place.git("rev-parse", "main")
    made = await committed(bench)
    ended = bench.place.run("undo", "--yes")
    assert ended.exit_code == 0, ended.err
    assert ended.out.splitlines() == [
        "restored  a.txt",
        "restored  new",
        f"undone: refs/heads/main is back at {parent[:12]}, without {made.commit[:12]}",
    ]
    assert f"moves     {made.commit} -> {parent}" in ended.err
    assert "file      a.txt  back, if it is still the commit's" in ended.err
    assert bench.place.git("rev-parse", "main") == parent
    assert bench.place.git("status", "--porcelain") == ""
    after = bench.place.manifest()
    assert {p: f for p, f in after.items() if not p.startswith(".git/")} == {
        p: f for p, f in before.items() if not p.startswith(".git/")
    }
    assert kinds_after_the_end(bench.state) == [
        ApprovalAsked,
        ApprovalAnswered,
        UndoStarted,
        Undone,
    ]


async def test_the_session_says_that_it_was_taken_back(bench):
    made = await committed(bench)
    assert json.loads(bench.place.run("show", "--json").out)["undone"] is False
    bench.place.run("undo", "--yes")
    assert json.loads(bench.place.run("show", "--json").out)["undone"] is True
    told = bench.place.run("show").out
    assert f"undone: {made.ref} is back at" in told.splitlines()[-1]


async def test_what_is_taken_back_is_not_taken_back_twice(bench):
    await committed(bench)
    assert bench.place.run("undo", "--yes").exit_code == 0
    again = bench.place.run("undo", "--yes")
    assert again.exit_code == 2
    assert "nothing to undo: session s1 has no commit that was not taken back" in again.err


async def test_files_that_changed_since_are_kept_and_named(bench):
    await committed(bench)
    bench.place.write("a.txt", "mine\n")
    ended = bench.place.run("undo", "--yes")
    assert "kept      a.txt  (no longer the commit's)" in ended.out.splitlines()
    assert bench.place.git("diff", "--name-only") == "a.txt"


async def test_a_session_is_named_by_the_start_of_its_id(bench):
    made = await committed(bench, branch="side")
    ended = bench.place.run("undo", "s", "--yes")
    assert ended.exit_code == 0, ended.err
    assert "your working tree and index stay as they are" in ended.err
    assert bench.place.git("rev-parse", "side") == bench.place.git("rev-parse", f"{made.commit}^")
    assert "there is no session x" in bench.place.run("undo", "x", "--yes").err


async def test_nobody_there_to_approve_is_exit_3_and_changes_nothing(bench):
    made = await committed(bench)
    ended = bench.place.run("undo")
    assert ended.exit_code == 3
    assert "nobody is there to approve it: say --yes" in ended.err
    assert bench.place.git("rev-parse", "main") == made.commit
    assert kinds_after_the_end(bench.state) == [ApprovalAsked, ApprovalAnswered]


async def test_commits_on_top_are_exit_6(bench):
    await committed(bench)
    on_top(bench)
    ended = bench.place.run("undo", "--yes")
    assert ended.exit_code == 6
    assert "refs/heads/main has commits on top of" in ended.err
    assert kinds_after_the_end(bench.state) == []


async def test_a_pushed_commit_is_taken_back_here_only(bench):
    made = await committed(bench, current=True, remote="origin")
    ended = bench.place.run("undo", "--yes")
    assert ended.exit_code == 0, ended.err
    assert "the commit was pushed to origin/main and stays there" in ended.err
    assert bench.place.remote_git("rev-parse", "main") == made.commit
    assert bench.place.git("rev-parse", "main") != made.commit


def test_without_a_session_there_is_nothing_to_undo(tmp_path):
    ended = Workplace(tmp_path, FILES).run("undo", "--yes")
    assert (ended.exit_code, ended.err) == (2, "selfheal: there is no session yet\n")


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("y\n", 3), ("\x04", 3), ("\x03", 130)])
async def test_at_a_terminal_only_a_typed_yes_is_one(bench, typed, code):
    made = await committed(bench)
    terminal = Terminal(
        [sys.executable, "-m", "selfheal_tui", "undo"],
        cwd=bench.place.repository,
        env=bench.place._environment(),
    )
    try:
        terminal.until("Take it back? Type yes: ")
        terminal.send(typed)
        assert terminal.ended() == code, terminal.drawn
    finally:
        terminal.close()
    assert (bench.place.git("rev-parse", "main") == made.commit) == (code != 0)


async def test_a_session_of_another_repository_is_undone_there(bench):
    await committed(bench)
    with pytest.raises(UsageError, match=r"belongs to .*; run it there"):
        find_undoable(bench.store, "s1", "/elsewhere")


# --- the course of it


class Undoing:
    """An undo of the bench's commit, with answers of its own and everything that it tells."""

    def __init__(self, bench):
        self._bench = bench
        self.shown = []
        self.asked = []
        self.found = find_undoable(bench.store, "", bench.order.repository)

    async def run(self, ask, redactor=None):
        parts = self._bench.session(CHANGE)._parts
        return await undo(
            self.found,
            open_repository=parts.open_repository,
            records=self._bench.store,
            redactor=redactor or Redactor(),
            ask=ask,
            show=self.shown.append,
        )


async def test_it_is_asked_with_the_next_number_and_told_in_order(bench):
    made = await committed(bench)
    undoing = Undoing(bench)
    assert undoing.found == Undoable("s1", made, (), 1)

    async def yes(request):
        undoing.asked.append(request)
        return Answer(key_of(request), granted=True, by="user")

    undone = await undoing.run(yes)
    (request,) = undoing.asked
    assert request == UndoRequest(
        made.commit, made.ref, undone.new, update_worktree=True, paths=("a.txt", "new")
    )
    asked, answered, *rest = undoing.shown
    assert (asked.id, asked.kind, asked.key) == ("a2", "undo", key_of(request))
    assert answered == ApprovalAnswered("a2", "undo", asked.key, granted=True, by="user")
    assert rest == [
        UndoStarted(made.commit, made.ref, undone.new),
        Undone(made.commit, made.ref, undone.new, ("a.txt", "new")),
    ]


async def test_it_goes_to_its_end_when_it_is_cancelled(bench):
    made = await committed(bench)
    undoing = Undoing(bench)

    async def yes(request):
        return Answer(key_of(request), granted=True, by="user")

    def cancel_at_the_start(event):
        undoing.shown.append(event)
        if isinstance(event, UndoStarted):
            running.cancel()

    parts = bench.session(CHANGE)._parts
    running = asyncio.ensure_future(
        undo(
            undoing.found,
            open_repository=parts.open_repository,
            records=bench.store,
            redactor=Redactor(),
            ask=yes,
            show=cancel_at_the_start,
        )
    )
    with pytest.raises(asyncio.CancelledError):
        await running
    assert isinstance(undoing.shown[-1], Undone)
    assert bench.place.git("rev-parse", "main") != made.commit


async def test_a_request_that_goes_stale_is_withdrawn_and_then_refused(bench):
    made = await committed(bench)
    events = []

    async def never(request):
        on_top(bench)
        return await asyncio.Future()

    repository, _, _ = await bench.session(CHANGE)._parts.open_repository()
    approvals = Approvals(never, events.append, look_again=0.0)
    with pytest.raises(RepositoryRefused, match="has commits on top"):
        await undo_last(repository, approvals, events.append, made)
    assert [type(event) for event in events] == [ApprovalAsked, ApprovalWithdrawn]
    assert "refs/heads/main moved to" in events[1].reason


async def test_a_no_leaves_everything(bench):
    made = await committed(bench)
    undoing = Undoing(bench)

    async def no(request):
        return Answer(key_of(request), granted=False, by="user", reason="no, it is good")

    with pytest.raises(ApprovalRefused, match="the undo was not approved: no, it is good"):
        await undoing.run(no)
    assert bench.place.git("rev-parse", "main") == made.commit


async def test_the_record_of_an_undo_is_redacted(bench):
    bench.order = replace(bench.order, target=Target(branch="hunter22-branch"))
    await committed(bench, branch="hunter22-branch")
    undoing = Undoing(bench)

    async def yes(request):
        return Answer(key_of(request), granted=True, by="user")

    undone = await undoing.run(yes, Redactor(["hunter22"]))
    assert undone.ref == "refs/heads/hunter22-branch"
    assert not any("hunter22" in str(event) for event in undoing.shown)


# --- the interface's side


async def test_the_interface_asks_and_shows_it(tmp_path):
    async with live(tmp_path, script=HEALS) as (conductor, heard):
        assert conductor.undo() == "there is no session yet"
        conductor.start("put b into a.txt")
        assert conductor.undo() == "something runs, or waits for you: undo when it has ended"
        await heard.until(event_of(SessionEnded))
        await conductor._running
        assert conductor.undo() == ""
        assert conductor.running
        undone = (await heard.until(event_of(Undone))).event
        (made,) = heard.events(Committed)
        assert (undone.commit, undone.ref) == (made.commit, made.ref)
        assert [type(item.request) for item in heard.news if isinstance(item, Asked)][
            -1
        ] is UndoRequest
        await conductor._running
        assert "nothing to undo" in conductor.undo()


async def test_what_is_in_the_way_is_a_warning_and_what_was_said_comes_back(tmp_path):
    async with live(tmp_path, script=HEALS) as (conductor, heard):
        conductor.start("put b into a.txt")
        await heard.until(event_of(SessionEnded))
        await conductor._running
        (made,) = heard.events(Committed)
        work = Workplace.__new__(Workplace)
        work.folder, work.repository = tmp_path, conductor._bench.place.repository
        work.git("branch", "-D", made.ref.removeprefix("refs/heads/"))
        assert conductor.undo() == ""
        conductor.say("and then this")
        given_back = await heard.until(lambda item: isinstance(item, NotStarted))
        assert given_back.task == "and then this"
        warned = [event.text for event in heard.events(Warned)]
        assert warned[-1] == f"{made.ref} is not there any more: there is nothing to undo"
        assert not any(
            isinstance(item, Happened) and isinstance(item.event, Undone) for item in heard.news
        )


class App:
    """What `/undo` needs of the app."""

    def __init__(self, refuses):
        self.conductor = FakeConductor(refuses=refuses)
        self.said = []

    def say_so(self, text, severity="information"):
        self.said.append((text, severity))


@pytest.mark.parametrize("reason", ["", "there is no session yet"])
def test_the_command_asks_the_conductor_and_says_why_not(reason):
    app = App(reason)
    run_command(app, "undo")
    assert app.conductor.asked == [("undo",)]
    assert app.said == ([(reason, "warning")] if reason else [])


def test_of_a_record_nothing_can_be_undone():
    conductor = ReplayConductor([], speed=0)
    assert conductor.undo() == "this is a record: nothing can be undone"
