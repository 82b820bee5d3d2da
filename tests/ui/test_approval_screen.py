"""The approval screen: everything is shown, a yes is deliberate, a change is a new request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input, RadioButton, Static, TextArea

from selfheal_tui.core.approval import (
    WHOLE_FILE,
    Answer,
    CommitRequest,
    CommitWish,
    PlanRequest,
    PlanWish,
    PushRequest,
    RefusedHunk,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
    key_of,
)
from selfheal_tui.core.events import (
    AttemptStarted,
    ProposalMade,
    SessionEnded,
    SessionStarted,
)
from selfheal_tui.core.proof import Proof, card_lines
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Asked, Withdrawn
from selfheal_tui.ui.screens.approval import ApprovalScreen
from selfheal_tui.ui.screens.difftext import GOES_ON, DiffText, drawn_row, kind_of_line, rows_of
from selfheal_tui.ui.screens.plan import PlanScreen
from selfheal_tui.ui.screens.reason import ReasonScreen
from selfheal_tui.ui.widgets.refusing import RefusingView
from tests.support.conductor import FakeConductor, opened, plain_panes

PROOF = Proof(
    tree="a" * 40,
    base="b" * 40,
    verified=True,
    command="pytest -q",
    exit_code=0,
    check_seconds=0.8,
    before=("t::x",),
    after=(),
    flaky=(),
    sandbox="docker",
    image="selfheal/python:1 2",
    network="off",
    attempt=2,
    attempts=3,
    seconds=9.0,
    cost=0.04,
    model="m",
    files=(("till.py", 1, 1),),
    warnings=("tests touched: test_till.py",),
    review="approve: small",
)
PATCH = (
    "diff --git a/till.py b/till.py\n--- a/till.py\n+++ b/till.py\n@@ -1 +1 @@\n"
    "-old\n+new \x1b[31m\n@@ -20 +20 @@ def x():\n-a\n+b\n"
    "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n"
    "@@ -0,0 +1 @@\n+c\n"
)
MESSAGE = "Mend the till\n\nIt could not count.\n"
COMMIT = CommitRequest("a" * 40, "c" * 40, "refs/heads/selfheal/x", "0" * 40, MESSAGE, False)
PUSH = PushRequest("d" * 40, "origin", "https://h.example/r.git", "refs/heads/x", "e" * 40)
SETUP = SetupRequest(
    "pip install x", "requirements.txt", "selfheal/python:1", ("requirements.txt",)
)
FILES = WorktreeRequest("b" * 40, "a" * 40, ("till.py", "new.py"))
UNDO = UndoRequest("d" * 40, "refs/heads/x", "c" * 40, True, ("till.py",))
PLAN = PlanRequest(("look", "mend"), ("till.py",))
REQUESTS = [COMMIT, PUSH, SETUP, FILES, UNDO]
STARTED = SessionStarted("s", "mend it", "/r", "1")
PROPOSAL = ProposalMade("a" * 40, "a" * 40, PROOF.to_json(), PATCH, MESSAGE)


def refused(request, reason, **fields):
    return Answer(key_of(request), granted=False, by="user", reason=reason, **fields)


async def asked(conductor, pilot, request=COMMIT, attempt=2):
    conductor.tell(STARTED, AttemptStarted(attempt, 3, "t"), PROPOSAL, Asked(request))
    await conductor.told(pilot)
    await pilot.pause()


def app_of(conductor):
    return SelfhealApp(conductor, make_panes=plain_panes)


def text_of(screen):
    return "\n".join(str(part.content) for part in screen.query(Static))


def holds(shown, line):
    """Whether a line of the card is shown; name and value stand apart there."""
    return " ".join(line.split()) in " ".join(shown.split())


def drawn(view):
    return "\n".join(view.render_line(y).text for y in range(view.size.height))


def answers(conductor):
    return [asked[1] for asked in conductor.asked if asked[0] == "answer"]


@pytest.mark.parametrize(
    "request_", [COMMIT, PUSH, SETUP, FILES, UNDO], ids=lambda r: type(r).__name__
)
async def test_every_value_that_the_consent_is_bound_to_is_shown(request_):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot, request_)
        shown = text_of(app.screen)
        values = [v for v in vars(request_).values() if isinstance(v, str) and set(v) != {"0"}]
        assert [value for value in values if value.strip() not in shown] == []


async def test_the_whole_card_with_its_warnings_first_and_the_whole_diff_are_shown():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        shown = text_of(app.screen)
        assert [line for line in card_lines(PROOF) if not holds(shown, line)] == []
        assert shown.startswith("! tests touched: test_till.py")
        await pilot.press("ctrl+r")
        await pilot.pause()
        diff = app.screen.query_one(DiffText)
        lines = [diff.render_line(y).text.rstrip() for y in range(10)]
        assert lines == PATCH.replace("\x1b", "\u241b").splitlines()[:10]


@pytest.mark.parametrize("size", [(150, 50), (80, 24), (20, 5)], ids=str)
async def test_no_key_that_one_types_says_yes(size):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=size) as pilot:
        await asked(conductor, pilot)
        for key in ("enter", "space", "y", "a", "tab"):
            await pilot.press(key)
            await pilot.pause()
            assert (key, answers(conductor)) == (key, [])
            assert isinstance(app.screen, ApprovalScreen)


@pytest.mark.parametrize(
    "request_", [COMMIT, PUSH, SETUP, FILES, UNDO], ids=lambda r: type(r).__name__
)
async def test_ctrl_y_says_yes_to_exactly_what_is_shown(request_):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot, request_)
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [Answer(key_of(request_), granted=True, by="user")]


@pytest.mark.parametrize(
    ("attempt", "again"), [(2, True), (3, False)], ids=["attempt left", "none left"]
)
async def test_a_no_takes_a_reason_that_goes_to_the_coder_while_attempts_are_left(attempt, again):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot, attempt=attempt)
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert isinstance(app.screen, ReasonScreen)
        assert ("goes to the coder" in text_of(app.screen)) is again
        await pilot.press("enter")
        assert answers(conductor) == []
        await pilot.press(*"too", "space", *"long", "enter")
        await pilot.pause()
        assert answers(conductor) == [refused(COMMIT, "too long", again=again)]


async def test_going_back_from_the_reason_leaves_the_question_open():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot)
        await pilot.press("ctrl+n", "escape")
        await pilot.pause()
        assert isinstance(app.screen, ApprovalScreen)
        assert answers(conductor) == []


async def test_discarding_is_a_no_that_ends_the_run():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot)
        await pilot.press("ctrl+d")
        await pilot.pause()
        assert answers(conductor) == [refused(COMMIT, "discarded by the user")]


async def test_escape_lets_one_look_around_and_f8_comes_back():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert app.waiting.lines() == ["an approval waits: F8 opens it again"]
        await pilot.press("f8")
        await pilot.pause()
        assert isinstance(app.screen, ApprovalScreen)
        assert answers(conductor) == []


async def test_another_message_is_asked_for_as_a_new_request():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("ctrl+o")
        app.screen.query_one("#new-message", TextArea).load_text("Other words")
        await pilot.press("ctrl+y")
        await pilot.pause()
        reason = "the message or the place is another one"
        wish = CommitWish("Other words\n", "selfheal/x")
        assert answers(conductor) == [refused(COMMIT, reason, wish=wish)]
        conductor.tell(Asked(replace(COMMIT, message="Other words\n")))
        await conductor.told(pilot)
        await pilot.pause()
        assert "Other words" in text_of(app.screen)


@pytest.mark.parametrize(
    ("place", "wish"),
    [
        ("branch", CommitWish(MESSAGE, "mine")),
        ("current", CommitWish(MESSAGE, None)),
        ("worktree", CommitWish(MESSAGE, None, commit=False)),
    ],
)
async def test_another_place_is_asked_for_as_a_new_request(place, wish):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("ctrl+o")
        app.screen.query_one(f"#{place}", RadioButton).value = True
        app.screen.query_one("#new-branch", Input).value = "mine"
        await pilot.pause()
        assert app.screen.query_one("#new-branch").display is (place == "branch")
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert [given.wish for given in answers(conductor)] == [wish]


async def test_files_without_a_commit_are_approved_as_what_they_are():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot, FILES)
        shown = text_of(app.screen)
        assert "no commit; branches and index stay as they are" in shown
        assert all(holds(shown, line) for line in card_lines(PROOF))
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [Answer(key_of(FILES), granted=True, by="user")]


# --- hunks -----------------------------------------------------------------------------------


async def refuse(pilot, *keys, reason=""):
    await pilot.press(*keys, "x")
    await pilot.pause()
    await pilot.press(*reason, "enter")
    await pilot.pause()


async def test_a_refused_hunk_is_marked_counted_and_asked_to_be_taken_out():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await refuse(pilot, "h", "h", reason="why")
        assert app.screen.query_one(".window").border_title.endswith("1 of 3 hunks refused")
        assert "takes 1 hunk out" in text_of(app.screen)
        assert "✗ refused: why" in drawn(app.screen.query_one(RefusingView))
        await pilot.press("ctrl+y")
        await pilot.pause()
        gone = (RefusedHunk("till.py", 1, "why"),)
        wish = CommitWish(MESSAGE, "selfheal/x")
        assert answers(conductor) == [refused(COMMIT, "hunks are refused", wish=wish, refused=gone)]


async def test_a_refused_hunk_can_be_taken_back_in():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await refuse(pilot, "h")
        await pilot.press("x", "ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [Answer(key_of(COMMIT), granted=True, by="user")]


async def test_going_back_from_a_hunks_reason_refuses_nothing():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("h", "x", "escape")
        await pilot.pause()
        assert app.screen.query_one(RefusingView).refused() == ()


@pytest.mark.parametrize("keys", [("h", "X"), ("x",)], ids=["from a hunk", "at the heading"])
async def test_a_whole_file_is_refused_and_taken_back_in_with_its_hunks(keys):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("home", *keys)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        view = app.screen.query_one(RefusingView)
        assert view.refused() == (RefusedHunk("till.py", WHOLE_FILE),)
        assert view.counts() == (2, 3)
        await pilot.press("home", "h", "x")
        await pilot.pause()
        assert view.refused() == ()


async def test_where_all_is_refused_a_yes_says_that_nothing_is_left():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        for keys in (["home", "h"], ["h"], ["h"]):
            await refuse(pilot, *keys)
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == []
        assert any("Nothing would be left" in note.message for note in app._notifications)


async def test_refused_hunks_go_to_the_coder_with_the_reason_of_a_no():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await refuse(pilot, "h")
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert "without the refused hunks" in text_of(app.screen)
        await pilot.press(*"no", "enter")
        await pilot.pause()
        gone = (RefusedHunk("till.py", 0),)
        assert answers(conductor) == [refused(COMMIT, "no", again=True, refused=gone)]


async def test_a_patch_that_cannot_be_read_is_shown_as_it_is():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        odd = replace(PROPOSAL, patch="diff --git what is this\n+x\n")
        conductor.tell(STARTED, AttemptStarted(2, 3, "t"), odd, Asked(COMMIT))
        await conductor.told(pilot)
        await pilot.pause()
        diff = app.screen.query_one(DiffText)
        assert diff.display
        assert diff.render_line(1).text.rstrip() == "+x"


# --- what no longer holds, and what is kept ----------------------------------------------------


async def test_a_yes_that_was_typed_for_something_else_is_not_heard(monkeypatch):
    monkeypatch.setattr(ApprovalScreen, "deaf", 3600.0)
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        assert "in a moment" in text_of(app.screen)
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == []
        assert isinstance(app.screen, ApprovalScreen)


@pytest.mark.parametrize("way", ["escape", "withdrawn"])
async def test_what_was_chosen_and_typed_is_there_when_it_is_asked_again(way):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await refuse(pilot, "h", reason="why")
        await pilot.press("ctrl+o")
        app.screen.query_one("#new-message", TextArea).load_text("Other words")
        if way == "escape":
            app.screen.query_one(RefusingView).focus()
            await pilot.press("escape")
            await pilot.pause()
            await pilot.press("f8")
        else:
            await pilot.press("ctrl+n")
            conductor.tell(Withdrawn("main moved on"), Asked(COMMIT))
            await conductor.told(pilot)
        await pilot.pause()
        assert isinstance(app.screen, ApprovalScreen)
        assert app.screen.query_one("#new-message", TextArea).text == "Other words"
        assert app.screen.query_one(RefusingView).refused() == (RefusedHunk("till.py", 0, "why"),)


async def test_a_withdrawn_request_is_taken_down_and_said():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot)
        conductor.tell(Withdrawn("main moved on"))
        await conductor.told(pilot)
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert any("main moved on" in note.message for note in app._notifications)
        await pilot.press("ctrl+y")
        assert answers(conductor) == []


async def test_why_it_is_asked_anew_is_on_the_screen_and_a_half_typed_reason_is_kept():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("ctrl+n")
        await pilot.pause()
        await pilot.press(*"too")
        anew = replace(COMMIT, parent="f" * 40)
        conductor.tell(Withdrawn("main moved on"), Asked(anew))
        await conductor.told(pilot)
        await pilot.pause()
        assert "Asked anew: main moved on" in text_of(app.screen)
        await pilot.press("ctrl+n")
        await pilot.pause()
        await pilot.press("o", "enter")
        await pilot.pause()
        assert answers(conductor) == [refused(anew, "tooo", again=True)]


async def test_a_yes_to_what_was_withdrawn_meanwhile_answers_nothing_that_came_after_it():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        late = app.screen
        anew = replace(COMMIT, parent="f" * 40)
        conductor.tell(Withdrawn("main moved on"), Asked(anew))
        await conductor.told(pilot)
        await pilot.pause()
        app.listener._reviewed(COMMIT, Answer(key_of(COMMIT), granted=True, by="user"))
        assert app.screen is not late
        assert answers(conductor) == []
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [Answer(key_of(anew), granted=True, by="user")]


async def test_hunks_that_could_not_be_taken_out_stay_refused_when_the_same_is_asked_again():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await refuse(pilot, "h", reason="why")
        await pilot.press("h", "a", "ctrl+y")
        await pilot.pause()
        conductor.tell(Asked(replace(COMMIT, message="Other words\n")))
        await conductor.told(pilot)
        await pilot.pause()
        view = app.screen.query_one(RefusingView)
        assert view.refused() == (RefusedHunk("till.py", 0, "why"),)
        assert "✓ accepted" in drawn(view)
        assert app.screen.query_one("#editing").display is False


async def test_an_accepted_hunk_is_marked_in_words():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        await pilot.press("h", "a")
        view = app.screen.query_one(RefusingView)
        assert "✓ accepted" in drawn(view)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert "✓ accepted" not in drawn(view)
        await pilot.press("home", "a")
        assert view.refused() == ()
        assert drawn(view).count("✓ accepted") == 2


async def test_a_file_that_is_there_twice_is_refused_as_one():
    patch = (
        "diff --git a/l b/l\ndeleted file mode 100644\n--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+b\n"
    )
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        changed = replace(PROPOSAL, patch=patch + PATCH)
        conductor.tell(STARTED, AttemptStarted(2, 3, "t"), changed, Asked(COMMIT))
        await conductor.told(pilot)
        await pilot.pause()
        view = app.screen.query_one(RefusingView)
        await refuse(pilot, "h")
        assert view.counts() == (2, 5)
        assert set(view.refused()) == {RefusedHunk("l", WHOLE_FILE)}
        await pilot.press("x")
        assert view.refused() == ()


async def test_discarding_is_one_of_the_choices():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(80, 24)) as pilot:
        await asked(conductor, pilot)
        assert "○ discard" in text_of(app.screen)
        await pilot.press("ctrl+o", "up", "enter")
        await pilot.pause()
        assert "● discard" in text_of(app.screen)
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == [refused(COMMIT, "discarded by the user")]


async def test_on_a_small_screen_tab_goes_between_the_card_and_the_diff():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(80, 24)) as pilot:
        await asked(conductor, pilot)
        facts, view = app.screen.query_one("#facts"), app.screen.query_one(RefusingView)
        seen = []
        for _ in range(3):
            seen.append((facts.display, view.display, app.screen.focused is view))
            await pilot.press("tab")
            await pilot.pause()
        assert seen == [(True, False, False), (False, True, True), (True, False, False)]
        assert view.size.height >= 12


async def test_what_is_odd_in_the_url_of_a_push_is_said():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot, replace(PUSH, url="https://h.ex\u0430mple/r.git"))
        assert "! the URL holds unusual characters: U+0430" in text_of(app.screen)


async def test_what_was_taken_out_is_said_above_the_card():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        proof = replace(PROOF, refused=("till.py @@ -1 +1 @@: why",))
        conductor.tell(STARTED, AttemptStarted(2, 3, "t"))
        conductor.tell(replace(PROPOSAL, proof=proof.to_json()), Asked(COMMIT))
        await conductor.told(pilot)
        await pilot.pause()
        said = "Taken out, and checked again without it: till.py @@ -1 +1 @@: why"
        assert text_of(app.screen).startswith(said)


@pytest.mark.parametrize("key", ["ctrl+y", "ctrl+d"])
@pytest.mark.parametrize("request_", [COMMIT, PLAN], ids=["commit", "plan"])
async def test_nothing_is_decided_by_a_key_that_was_typed_ahead(monkeypatch, request_, key):
    monkeypatch.setattr(ApprovalScreen, "deaf", 3600.0)
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot, request_)
        await pilot.press(key)
        await pilot.pause()
        assert answers(conductor) == []
        assert any("was not taken" in note.message for note in app._notifications)


async def test_a_changed_plan_is_kept_while_one_looks_around():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(100, 40)) as pilot:
        await asked(conductor, pilot, PLAN)
        await pilot.press("exclamation_mark", "escape")
        await pilot.pause()
        await pilot.press("f8")
        await pilot.pause()
        assert app.screen.query_one("#steps", TextArea).text == "!look\nmend"


# --- plans -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "given"),
    [
        (["ctrl+y"], Answer(key_of(PLAN), granted=True, by="user")),
        (
            ["down", "end", "exclamation_mark", "ctrl+y"],
            refused(PLAN, "the plan is to be another one", wish=PlanWish(("look", "mend!"))),
        ),
        (["ctrl+n", *"no", "enter"], refused(PLAN, "no", again=True)),
        (["ctrl+d"], refused(PLAN, "discarded by the user")),
    ],
    ids=["yes", "changed", "no", "discard"],
)
async def test_a_plan_is_approved_changed_or_refused(keys, given):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(100, 40)) as pilot:
        await asked(conductor, pilot, PLAN)
        assert isinstance(app.screen, PlanScreen)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert answers(conductor) == [given]


async def test_a_plan_in_parts_names_them_where_it_is_approved():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(100, 40)) as pilot:
        await asked(conductor, pilot, replace(PLAN, parts=("Mend one", "Mend two")))
        told = str(app.screen.query_one("#plan-parts").render())
    assert told.startswith("parts  Mend one; Mend two (a coder each, at once")


async def test_a_plan_without_a_step_is_not_taken():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(100, 40)) as pilot:
        await asked(conductor, pilot, PLAN)
        await pilot.press("ctrl+a", "delete")
        app.screen.query_one("#steps", TextArea).load_text("  ")
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert answers(conductor) == []


async def test_the_end_of_the_session_closes_the_screen():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await asked(conductor, pilot)
        conductor.tell(SessionEnded(143, "interrupted", "ended by signal 15", 1.0))
        await conductor.told(pilot)
        assert len(app.screen_stack) == 1
        assert answers(conductor) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("diff --git a/x b/x", "file"),
        ("--- a/x", "file"),
        ("@@ -1 +1 @@", "hunk"),
        ("+x", "added"),
        ("-x", "removed"),
        (" x", "same"),
        ("Binary files differ", "note"),
    ],
)
def test_lines_of_a_patch_are_told_apart(line, kind):
    assert kind_of_line(line) == kind


@pytest.mark.parametrize("piece", ["x", "\u202e", "\U000e0041", "\t", "\u6f22"])
def test_a_very_long_line_of_a_patch_is_shown_to_its_end(piece):
    line = "+" + piece * 5_000
    rows = rows_of(line)
    assert rows[0][0] + "".join(text.removeprefix(GOES_ON) for text, _ in rows[1:]) == line
    assert {kind for _, kind in rows} == {"added"}
    assert not any("[... cut" in drawn_row(text) for text, _ in rows)
