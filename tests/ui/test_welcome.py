"""The welcome: what it tells, when it goes, and a task that cannot begin."""

from __future__ import annotations

from selfheal_tui.core.events import SessionStarted
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.conductor import NotStarted, Readied
from selfheal_tui.ui.guides import guides
from selfheal_tui.ui.screens.local import LocalScreen
from selfheal_tui.ui.widgets.welcome import Welcome, WelcomeText
from tests.support.conductor import FakeConductor, opened, plain_panes

STARTED = SessionStarted("s", "mend it", "/r", "1")
NO_ENGINE = Readied("engine", "failed", "no container engine at unix:///x")
NO_MODEL = Readied("model", "failed", "no model is named, and no provider's key is set")


def app_of(conductor, **options):
    return SelfhealApp(conductor, make_panes=plain_panes, **options)


def welcomed(app):
    return app.screen_stack[0].has_class("-welcome")


def text_of(app):
    (text,) = app.query(WelcomeText)
    return "\n".join(content.plain for content in text.lines(100))


async def test_it_stands_in_place_of_the_panes_until_the_first_session():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        assert welcomed(app)
        assert app.query_one(Welcome).region.height > 10
        assert app.query_one("#panes").region.height == 0
        conductor.tell(STARTED)
        await conductor.told(pilot)
        assert not welcomed(app)
        assert app.query_one("#panes").region.height > 10


async def test_a_key_of_a_pane_shows_the_panes():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        assert not welcomed(app)
        assert app.focused.id == "diff"


async def test_a_record_needs_no_welcome():
    conductor = FakeConductor()
    conductor.replayed = True
    app = app_of(conductor)
    async with opened(app):
        assert not welcomed(app)


async def test_every_step_is_told_with_its_state_and_nowhere_else():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=(120, 40)) as pilot:
        conductor.tell(
            Readied("repository", "ready", "main · 2 files"),
            Readied("engine", "working"),
            Readied("image", "waiting", "needs the engine"),
        )
        await conductor.told(pilot)
        lines = text_of(app).split("\n")
        assert "✓ repository     main · 2 files" in lines
        assert any(line.endswith(" engine         ") for line in lines)
        assert "· image          needs the engine" in lines
        assert "is getting ready" in text_of(app)
        assert app.query_one("#getting-ready").region.height == 0
        conductor.tell(Readied("engine", "ready", "Docker 27"), Readied("image", "ready", "x"))
        await conductor.told(pilot)
        assert "is ready: say below what should be healed" in text_of(app)


async def test_what_is_missing_leads_by_the_hand():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=(120, 50)) as pilot:
        conductor.tell(NO_MODEL, NO_ENGINE)
        await conductor.told(pilot)
        text = text_of(app)
        for said in (
            "cannot start yet",
            "export ANTHROPIC_API_KEY=...",
            "OPENAI_API_KEY",
            "--api-base http://localhost:11434",
            "sudo systemctl start docker",
            "systemctl --user start podman.socket",
            "selfheal --sandbox local",
            "with no isolation",
            "selfheal doctor",
        ):
            assert said in text
        assert text.count("selfheal demo") == 1


async def test_a_task_that_cannot_begin_goes_back_into_the_input_with_all_that_was_typed():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await pilot.press(*"mend", "enter", *"more", "enter", *"even")
        assert conductor.asked[1:] == [("start", "mend"), ("say", "more")]
        await pilot.press("f3")
        conductor.running = False
        conductor.tell(NO_ENGINE, NotStarted("mend", "no engine"))
        await conductor.told(pilot)
        assert app.prompt.editor.text == "mend\nmore\neven"
        assert app.waiting.lines()[0] == "✗ engine"
        assert welcomed(app)
        assert [note.message for note in app._notifications] == ["no engine"]
        app.focus_input()
        await pilot.press("enter")
        assert conductor.asked[-1] == ("start", "mend\nmore\neven")


async def test_a_task_whose_session_ended_before_an_answer_comes_back_and_its_panes_stay():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED, NotStarted("mend it", "the key was refused"))
        await conductor.told(pilot)
        assert app.prompt.editor.text == "mend it"
        assert not welcomed(app)


async def test_without_isolation_nothing_is_opened_before_the_user_agrees():
    app = app_of(FakeConductor(), no_isolation=True, task="mend it")
    async with app.run_test() as pilot:
        while not isinstance(app.screen, LocalScreen):
            await pilot.pause()
        await pilot.press("enter", "y", "space")
        assert app.conductor.asked == []
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert app.conductor.asked == [("open",), ("start", "mend it")]


async def test_leaving_instead_ends_with_the_code_of_a_refused_approval():
    app = app_of(FakeConductor(), no_isolation=True)
    async with app.run_test() as pilot:
        while not isinstance(app.screen, LocalScreen):
            await pilot.pause()
        await pilot.press("escape")
    assert app.return_value == 3
    assert app.conductor.asked == []


def test_steps_that_are_ready_need_no_guide():
    assert guides([Readied("engine", "ready"), Readied("model", "working")]) == []
