"""The `/` commands and the palette, which is made from the same table."""

from __future__ import annotations

import pytest

from selfheal_tui.core.events import SandboxOpened, SessionStarted, TurnEnded
from selfheal_tui.errors import SelfhealError
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.commands import COMMANDS, names, palette
from selfheal_tui.ui.looks import Look
from selfheal_tui.ui.screens.help import HelpScreen
from selfheal_tui.ui.themes import load_themes
from tests.support.conductor import FakeConductor, opened, plain_panes

STARTED = SessionStarted("s", "mend it", "/r", "1")
SANDBOX = SandboxOpened("docker", "python", "no network", "i", "id", "off")


def app_of(conductor, **options):
    return SelfhealApp(conductor, make_panes=plain_panes, **options)


def said(app):
    return [note.message for note in app._notifications]


async def typed(pilot, text):
    """Type a command and send it; a list of completions that opens is closed first."""
    pilot.app.prompt.put(text)
    await pilot.pause()
    pilot.app.prompt.close_list()
    await pilot.press("enter")
    await pilot.pause()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("/network off", ("choose", "network", "off")),
        ("/network ON", ("choose", "network", "on")),
        ("/model openai/x", ("choose", "model", "openai/x")),
        ("/check make test", ("choose", "check", "make test")),
        ("/export", ("export", "")),
        ("/export run.md", ("export", "run.md")),
        ("/resume 2025", ("resume", "2025")),
        ("/undo", ("undo",)),
        ("/Check x", ("choose", "check", "x")),
    ],
)
async def test_commands_ask_the_conductor(text, asked):
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await typed(pilot, text)
        assert conductor.asked[-1] == asked


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/network", "network: setup (only then)"),
        ("/model", "model: scripted"),
        ("/check", "check: found by itself"),
        ("/chekc", "there is no command /chekc; did you mean /check?"),
        ("/theme selfheal-drak", "there is no theme selfheal-drak; did you mean selfheal-dark?"),
        ("/stop", "nothing runs"),
    ],
)
async def test_commands_say_a_sentence(text, sentence):
    app = app_of(FakeConductor(), themes=load_themes(themes_folder(), None))
    async with opened(app) as pilot:
        await typed(pilot, text)
        assert said(app) == [sentence]


async def test_an_unknown_command_that_is_near_nothing_names_all():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await typed(pilot, "/zzz")
        assert said(app) == [f"there is no command /zzz; there are /{', /'.join(COMMANDS)}"]


async def test_the_network_of_an_open_sandbox_is_said_too():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED, SANDBOX)
        await conductor.told(pilot)
        await typed(pilot, "/network")
        assert said(app)[-1] == "the sandbox that is open has network off"


async def test_the_cost_is_said_with_tokens_and_context():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED, TurnEnded("t", "coder", "m", "stop", "", 12, 3, 0, 0.5, 0.5, 0.25))
        await conductor.told(pilot)
        await typed(pilot, "/cost")
        assert said(app) == ["0.5000 USD so far: 12 tokens in, 3 out, 25% of the context in use"]


async def test_what_cannot_be_exported_is_a_sentence():
    app = app_of(FakeConductor(refuses="a.md is there already"))
    async with opened(app) as pilot:
        await typed(pilot, "/export a.md")
        assert said(app) == ["a.md is there already"]


async def test_arguments_are_completed_where_there_are_few():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press(*"/net")
        await pilot.pause()
        assert app.prompt.completions.names == ["network"]
        await pilot.press("tab")
        await pilot.pause()
        assert set(app.prompt.completions.names) == {"network off", "network setup", "network on"}
        await pilot.press("s")
        await pilot.pause()
        assert app.prompt.completions.names == ["network setup"]
        await pilot.press("tab")
        await pilot.pause()
        assert app.prompt.editor.text == "/network setup "
        await pilot.press("enter")
        await pilot.pause()
        assert app.conductor.asked[-1] == ("choose", "network", "setup")


async def test_a_command_whose_argument_was_not_begun_is_sent_without_one():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press(*"/net", "tab", "enter")
        await pilot.pause()
        assert said(app) == ["network: setup (only then)"]


async def test_a_task_that_begins_like_a_command_with_words_is_not_completed():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press(*"/check", "space", *"npm", "space", *"test")
        await pilot.pause()
        assert app.prompt.completions.names == []
        await pilot.press("enter")
        await pilot.pause()
        assert app.conductor.asked[-1] == ("choose", "check", "npm test")


async def test_the_palette_offers_every_command_and_its_few_choices():
    app = app_of(FakeConductor(), themes=load_themes(themes_folder(), None))
    async with opened(app) as pilot:
        titles = [title for title, _, _ in palette(app)]
        assert {name.capitalize() for name in COMMANDS} <= set(titles)
        assert [title for title in titles if ":" in title] == [
            "Check: auto", "Check: none", "Network: off", "Network: setup", "Network: on",
        ]  # fmt: skip
        assert "theme selfheal-light" in names(app)
        run = {title: run for title, _, run in palette(app)}
        run["Network: off"]()
        assert app.conductor.asked[-1] == ("choose", "network", "off")
        run["Help"]()
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)


async def test_a_choice_in_the_palette_by_its_keys():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"network", "space", *"off")
        while app.screen.query("CommandList").first().option_count != 1:
            await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert app.conductor.asked[-1] == ("choose", "network", "off")


# --- themes --------------------------------------------------------------------------------


def look(kept, problems=()):
    themes = load_themes(themes_folder(), None)
    return Look("selfheal-dark", themes[:2], lambda: (themes, problems), kept)


async def test_a_theme_is_switched_live_and_remembered():
    kept = []
    app = app_of(FakeConductor(), look=look(kept.append))
    async with opened(app) as pilot:
        assert app.theme == "selfheal-dark"
        await typed(pilot, "/theme selfheal-light")
        await pilot.pause()
        assert (app.theme, kept) == ("selfheal-light", ["selfheal-light"])


async def test_a_theme_that_cannot_be_used_or_kept_is_a_sentence():
    def full(name):
        raise SelfhealError("the disk is full")

    app = app_of(FakeConductor(), look=look(full, ["mine.toml: `primary` is missing"]))
    async with opened(app) as pilot:
        await typed(pilot, "/theme selfheal-light")
        await pilot.pause()
        assert said(app) == [
            "a theme was left out: mine.toml: `primary` is missing",
            "this theme is for now only: the disk is full",
        ]
