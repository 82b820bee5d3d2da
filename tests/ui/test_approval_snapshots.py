"""How everything that is asked looks: each kind of request in three sizes, dark and light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.core.approval import (
    CommitRequest,
    PlanRequest,
    PushRequest,
    SetupRequest,
    UndoRequest,
    WorktreeRequest,
)
from selfheal_tui.core.events import AttemptStarted, ProposalMade, SessionStarted
from selfheal_tui.core.patch import read_patch
from selfheal_tui.core.pathkinds import warnings_for
from selfheal_tui.core.proof import Proof
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Asked, Withdrawn
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.screens.approval import SIDE_BY_SIDE
from selfheal_tui.ui.themes import load_themes
from tests.support import stories
from tests.support.conductor import FakeConductor

SIZES = ("80x24", "120x36", "200x50")
LOOKS = [(size, theme) for size in SIZES for theme in ("selfheal-dark", "selfheal-light")]

ODD = """\
diff --git a/logo.png b/logo.png
index 1111111..2222222 100644
Binary files a/logo.png and b/logo.png differ
diff --git a/old.py b/old.py
deleted file mode 100644
index 3333333..0000000
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/settings.py b/settings.py
index 4444444..5555555 100644
--- a/settings.py
+++ b/settings.py
@@ -1,2 +1,3 @@
 DEBUG = False
-NAME = "till"
\\ No newline at end of file
+NAME = "till\u202e"
+PASSWORD = "k9Zq82js"
diff --git a/shared b/shared
new file mode 120000
index 0000000..6666666
--- /dev/null
+++ b/shared
@@ -0,0 +1 @@
+../../shared
\\ No newline at end of file
"""
PATCH = stories.THIRD_PATCH
BEFORE = stories.TESTS
MESSAGE = (
    "Carry the tax into the total\n\nThe sum was multiplied by the rate alone. An empty basket"
    " costs nothing, and a discount\nis a line of its own.\n"
)


def proof_of(patch, **fields):
    proof = Proof(
        tree="7c1e" * 10,
        base="b04f" * 10,
        verified=True,
        command="python -m pytest -q",
        exit_code=0,
        check_seconds=0.8,
        before=BEFORE,
        after=(),
        flaky=(),
        sandbox="docker, profile python: container without network, capabilities or host paths",
        image="selfheal-python:9f21 sha256:51a0c3",
        network="off",
        attempt=2,
        attempts=3,
        seconds=21.4,
        cost=0.0412,
        model=stories.MODEL,
        files=tuple((file.path, file.added, file.removed) for file in read_patch(patch)),
        warnings=warnings_for(read_patch(patch)),
        review="approve: small and to the point",
    )
    return replace(proof, **fields)


def proposal_of(patch, **fields):
    proof = proof_of(patch, **fields)
    return ProposalMade(proof.tree, proof.tree, proof.to_json(), patch, MESSAGE)


COMMIT = CommitRequest(
    "7c1e" * 10, "3a55" * 10, "refs/heads/selfheal/fix-the-till", "0" * 40, MESSAGE, False
)
FILES = WorktreeRequest("b04f" * 10, "7c1e" * 10, ("tests/test_receipt.py", "till.py"))
SETUP = SetupRequest(
    "pip install -r requirements.txt",
    "the tests need what requirements.txt and requirements-dev.txt name",
    "selfheal-python:9f21",
    ("requirements.txt", "requirements-dev.txt"),
)
PUSH = PushRequest(
    "9d02" * 10,
    "origin",
    "git@git.example.org:ada/till.git",
    "refs/heads/selfheal/fix-the-till",
    "0" * 40,
)
ODD_PUSH = replace(PUSH, url="https://git.ex\u0430mple.org/ada/till.git", old="4e88" * 10)
UNDO = UndoRequest(
    "9d02" * 10, "refs/heads/main", "3a55" * 10, True, ("tests/test_receipt.py", "till.py")
)
PLAN = PlanRequest(stories.PLAN, ("till.py", "tests/test_receipt.py"))
REST = "till.py @@ -22,5 +25,9 @@: the receipt is another task's"

STATES = {
    "commit": (proposal_of(PATCH), COMMIT, ()),
    "dangers": (proposal_of(ODD), COMMIT, ()),
    "refused": (proposal_of(PATCH), COMMIT, ("h", "why", "h", "h", "why")),
    "reason": (proposal_of(PATCH), COMMIT, ("h", "h", "x")),
    "anew": (proposal_of(stories.FIRST_PATCH, refused=(REST,)), COMMIT, ()),
    "not-verified": (
        proposal_of(
            PATCH,
            verified=False,
            exit_code=1,
            after=BEFORE[:1],
            warnings=("not verified: the check fails on what is left of the change",),
        ),
        COMMIT,
        (),
    ),
    "choice": (proposal_of(PATCH), COMMIT, ("ctrl+o",)),
    "raw": (proposal_of(ODD), COMMIT, ("ctrl+r",)),
    "card": (proposal_of(PATCH), COMMIT, ("tab",)),
    "files": (proposal_of(PATCH), FILES, ()),
    "set-up": (None, SETUP, ()),
    "push": (None, PUSH, ()),
    "odd-push": (None, ODD_PUSH, ()),
    "plan": (None, PLAN, ()),
    "undo": (None, UNDO, ()),
    "withdrawn": (proposal_of(PATCH), None, ()),
}
WHY = "the receipt is another task's"


def app_of(conductor, theme):
    themes = load_themes(themes_folder(), None)
    return SelfhealApp(conductor, make_panes=all_panes, themes=themes, theme=theme)


async def press(pilot, keys):
    if "h" in keys and pilot.app.size.width < SIDE_BY_SIDE:
        await pilot.press("tab")
    for key in keys:
        if key == "why":
            await pilot.press("x")
            await pilot.pause()
            await pilot.press(*WHY.replace(" ", "_"), "enter")
        else:
            await pilot.press(key)
        await pilot.pause()


async def ask(pilot, proposal, request):
    """Ask as a run does; `request` None: the commit, which then is stale and asked anew."""
    app = pilot.app
    while ("open",) not in app.conductor.asked:
        await pilot.pause()
    app.animation_level = "none"
    for pane in app.deck.panes:
        pane.clock = lambda: 0.0
    began = (SessionStarted("s", "mend the till", "/home/ada/till", "1"), AttemptStarted(2, 3, "t"))
    app.conductor.tell(*began, *([proposal] if proposal else []), Asked(request or COMMIT))
    await app.conductor.told(pilot)
    if request is None:
        moved = "main is at 4e88e0c1 now, and no longer at 3a553a55"
        app.conductor.tell(Withdrawn(moved), Asked(replace(COMMIT, parent="4e88" * 10)))
        await app.conductor.told(pilot)
    await pilot.pause()
    # Notes come and go by the clock.
    app.clear_notifications()
    await pilot.pause()


@pytest.mark.parametrize(("size", "theme"), LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_what_is_asked_looks_as_it_should(snap_compare, state, size, theme):
    proposal, request, keys = STATES[state]
    app = app_of(FakeConductor(running=True), theme)

    async def asked(pilot):
        await ask(pilot, proposal, request)
        await press(pilot, keys)

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=asked)
