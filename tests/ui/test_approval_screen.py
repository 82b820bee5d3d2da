"""The approval screen: everything is shown, a yes is deliberate, a change is a new request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Checkbox, Input, Static, TextArea

from selfheal_tui.core.approval import (
    Answer,
    CommitRequest,
    CommitWish,
    PushRequest,
    SetupRequest,
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
from selfheal_tui.ui.conductor import Asked
from selfheal_tui.ui.screens.approval import ApprovalScreen
from selfheal_tui.ui.screens.difftext import DiffText, kind_of_line
from selfheal_tui.ui.screens.reason import ReasonScreen
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
    "-old\n+new \x1b[31m\n"
)
MESSAGE = "Mend the till\n\nIt could not count.\n"
COMMIT = CommitRequest("a" * 40, "c" * 40, "refs/heads/selfheal/x", "0" * 40, MESSAGE, False)
PUSH = PushRequest("d" * 40, "origin", "https://h.example/r.git", "refs/heads/x", "e" * 40)
SETUP = SetupRequest(
    "pip install x", "requirements.txt", "selfheal/python:1", ("requirements.txt",)
)
STARTED = SessionStarted("s", "mend it", "/r", "1")
PROPOSAL = ProposalMade("a" * 40, "a" * 40, PROOF.to_json(), PATCH, MESSAGE)


async def asked(conductor, pilot, request=COMMIT, attempt=2):
    conductor.tell(STARTED, AttemptStarted(attempt, 3, "t"), PROPOSAL, Asked(request))
    await conductor.told(pilot)
    await pilot.pause()


def app_of(conductor):
    return SelfhealApp(conductor, make_panes=plain_panes)


def text_of(screen):
    return "\n".join(str(part.content) for part in screen.query(Static))


def answers(conductor):
    return [asked[1] for asked in conductor.asked if asked[0] == "answer"]


def refused(request, reason, **fields):
    return Answer(key_of(request), granted=False, by="user", reason=reason, **fields)


@pytest.mark.parametrize("request_", [COMMIT, PUSH, SETUP], ids=lambda r: type(r).__name__)
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
        assert [line for line in card_lines(PROOF) if line not in shown] == []
        assert shown.startswith("! tests touched: test_till.py")
        diff = app.screen.query_one(DiffText)
        drawn = [diff.render_line(y).text.rstrip() for y in range(6)]
        assert drawn == PATCH.replace("\x1b", "\u241b").splitlines()


@pytest.mark.parametrize("size", [(150, 50), (80, 24), (20, 5)], ids=str)
@pytest.mark.parametrize("key", ["enter", "space", "y", "a", "tab"])
async def test_no_key_that_one_types_says_yes(size, key):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=size) as pilot:
        await asked(conductor, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert answers(conductor) == []
        assert isinstance(app.screen, ApprovalScreen)


@pytest.mark.parametrize("request_", [COMMIT, PUSH, SETUP], ids=lambda r: type(r).__name__)
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
        reason = "the message or the branch is to be another one"
        wish = CommitWish("Other words\n", "selfheal/x")
        assert answers(conductor) == [refused(COMMIT, reason, wish=wish)]
        conductor.tell(Asked(replace(COMMIT, message="Other words\n")))
        await conductor.told(pilot)
        await pilot.pause()
        assert "Other words" in text_of(app.screen)


@pytest.mark.parametrize(("current", "branch"), [(True, None), (False, "mine")])
async def test_another_branch_is_asked_for_as_a_new_request(current, branch):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=(150, 50)) as pilot:
        await asked(conductor, pilot)
        app.screen.query_one("#current", Checkbox).value = current
        app.screen.query_one("#new-branch", Input).value = "mine"
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert [given.wish for given in answers(conductor)] == [CommitWish(MESSAGE, branch)]


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
