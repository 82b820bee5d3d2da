"""How the start looks: the welcome in its states, and the screens around plan and attempts."""

from __future__ import annotations

import pytest

from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import Readied
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.screens.local import LocalScreen
from selfheal_tui.ui.themes import load_themes
from tests.support import stories
from tests.support.conductor import FakeConductor

SIZES = ("80x24", "120x36", "200x50")
LOOKS = [(size, theme) for size in SIZES for theme in ("selfheal-dark", "selfheal-light")]

REPOSITORY = Readied("repository", "ready", "/home/ada/till · main · 42 files")
CHECK = Readied("check", "ready", "python -m pytest -q (pyproject.toml)")
MODEL = Readied("model", "ready", "anthropic/claude-sonnet-5-5, key in ANTHROPIC_API_KEY")
LIBRARY = Readied("model library", "ready", "loaded")
ENGINE = Readied("engine", "ready", "Docker 27.3")
IMAGE = Readied("image", "ready", "python: selfheal-python:1f2e")

NO_KEY = (
    REPOSITORY,
    CHECK,
    Readied(
        "model",
        "failed",
        "no model is named, and no provider's key is set",
    ),
    Readied("model library", "waiting", "loaded when there is a model"),
    ENGINE,
    IMAGE,
)
NO_ENGINE = (
    REPOSITORY,
    CHECK,
    MODEL,
    LIBRARY,
    Readied(
        "engine",
        "failed",
        "no container engine at unix:///var/run/docker.sock (the default socket): install Docker"
        " or Podman, or start it (sudo systemctl start docker)",
    ),
    Readied("image", "waiting", "needs the engine"),
)
STATES = {
    "fresh": tuple(
        Readied(name, "working")
        for name in ("repository", "check", "model", "model library", "engine", "image")
    ),
    "working": (
        REPOSITORY,
        CHECK,
        MODEL,
        Readied("model library", "working", "loading"),
        ENGINE,
        Readied("image", "working", "Step 3/6 : RUN apt-get install --no-install-recommends git"),
    ),
    "ready": (REPOSITORY, CHECK, MODEL, LIBRARY, ENGINE, IMAGE),
    "no-key": NO_KEY,
    "no-engine": NO_ENGINE,
    "neither": (*NO_KEY[:4], *NO_ENGINE[4:]),
}


def app_of(conductor, theme="selfheal-dark"):
    themes = load_themes(themes_folder(), None)
    return SelfhealApp(conductor, make_panes=all_panes, themes=themes, theme=theme)


async def began(pilot):
    while ("open",) not in pilot.app.conductor.asked:
        await pilot.pause()
    pilot.app.animation_level = "none"


WELCOMES = [
    *((state, *look) for state in ("fresh", "working", "no-key", "no-engine") for look in LOOKS),
    ("ready", "80x24", "selfheal-dark"),
    ("ready", "120x36", "selfheal-light"),
    ("neither", "80x24", "selfheal-light"),
    ("neither", "120x36", "selfheal-dark"),
    ("no-engine", "120x36", "selfheal-contrast"),
    ("no-engine", "120x36", "selfheal-terminal"),
]


@pytest.mark.parametrize(("state", "size", "theme"), WELCOMES)
def test_the_welcome_looks_as_it_should(snap_compare, state, size, theme):
    conductor = FakeConductor()
    app = app_of(conductor, theme)

    async def told(pilot):
        await began(pilot)
        conductor.tell(*STATES[state])
        await conductor.told(pilot)

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=told)


async def shown(pilot, story):
    """The app at rest after a story."""
    await began(pilot)
    for pane in pilot.app.deck.panes:
        pane.clock = lambda: 0.0
    pilot.app.conductor.tell(*(event for event, _ in story))
    await pilot.app.conductor.told(pilot)
    while pilot.app._notifications:
        pilot.app.clear_notifications()
        await pilot.pause()


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_the_difference_of_two_attempts_looks_as_it_should(snap_compare, size, theme):
    app = app_of(FakeConductor(), theme)

    async def chosen(pilot):
        await shown(pilot, stories.healed_at_3())
        await pilot.press("f3", "b", "b", "A")
        await pilot.pause()

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=chosen)


def test_a_way_that_is_not_known_is_said_in_words(snap_compare):
    app = app_of(FakeConductor())

    async def chosen(pilot):
        await shown(pilot, stories.healed_at_3())
        await pilot.press("f3", "b", "b", "b", "a")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 36), run_before=chosen)


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_the_attempts_look_as_they_should(snap_compare, size, theme):
    app = app_of(FakeConductor(), theme)

    async def listed(pilot):
        await shown(pilot, stories.healed_at_3())
        pilot.app.focus_input()
        await pilot.press(*"/attempts", "enter")
        await pilot.pause()
        await pilot.press("up", "space")
        await pilot.pause()

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=listed)


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_the_editor_of_the_plan_looks_as_it_should(snap_compare, size, theme):
    app = app_of(FakeConductor(running=True), theme)

    async def opened(pilot):
        await shown(pilot, stories.running())
        await pilot.press("f2", "e")
        await pilot.pause()

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=opened)


@pytest.mark.parametrize(
    ("size", "theme"),
    [("80x24", "selfheal-dark"), ("120x36", "selfheal-light"), ("200x50", "selfheal-dark")],
)
def test_the_warning_of_no_isolation_looks_as_it_should(snap_compare, size, theme):
    themes = load_themes(themes_folder(), None)
    app = SelfhealApp(
        FakeConductor(), make_panes=all_panes, themes=themes, theme=theme, no_isolation=True
    )

    async def asked(pilot):
        while not isinstance(app.screen, LocalScreen):
            await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=asked)


@pytest.mark.parametrize(
    ("size", "theme"), [("120x36", "selfheal-dark"), ("80x24", "selfheal-light")]
)
def test_what_the_user_took_out_and_undid_is_told(snap_compare, size, theme):
    app = app_of(FakeConductor(), theme)

    async def told(pilot):
        await shown(pilot, stories.taken_out())

    assert snap_compare(app, terminal_size=tuple(map(int, size.split("x"))), run_before=told)
