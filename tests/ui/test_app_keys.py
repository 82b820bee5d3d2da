"""The keys of the app: panes, zoom, search, stopping and leaving."""

from __future__ import annotations

import pytest

from selfheal_tui.core.events import (
    AttemptStarted,
    CheckEnded,
    CommandEnded,
    CommandStarted,
    SandboxMeasured,
    SandboxOpened,
    SessionEnded,
    SessionStarted,
    SnapshotTaken,
    StepStarted,
    TextStreamed,
    TurnEnded,
)
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.bars.header import Header, how_far, what
from selfheal_tui.ui.bars.status import phase_of, uses
from selfheal_tui.ui.panes.pane import Pane
from selfheal_tui.ui.screens.help import HelpScreen
from tests.support.conductor import FakeConductor, opened, plain_panes

STARTED = SessionStarted("s", "mend it", "/r", "1")
WIDE, NARROW = (140, 40), (100, 30)


def app_of(conductor, **options):
    return SelfhealApp(conductor, make_panes=plain_panes, **options)


def shown(app):
    return [pane.id for pane in app.deck.panes if pane.display]


async def test_wide_terminals_show_three_panes_and_narrow_ones_the_front_one():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.pause()
        assert shown(app) == ["reasoning", "diff", "sandbox"]
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert shown(app) == ["reasoning"]
        await pilot.press("f3")
        assert shown(app) == ["diff"]
        assert app.focused.id == "diff"


async def test_what_only_streams_does_not_draw_the_bars_anew(monkeypatch):
    conductor, drawn, show = FakeConductor(), [], Header.show

    def counted(header, summary):
        drawn.append(summary.phase)
        show(header, summary)

    monkeypatch.setattr(Header, "show", counted)
    async with opened(app_of(conductor), size=WIDE) as pilot:
        for event in (STARTED, *[TextStreamed("t1", "word ")] * 100, StepStarted("s1", "sandbox")):
            conductor.tell(event)
            await conductor.told(pilot)
        assert len(drawn) == 2
        assert drawn[-1] == "gets ready: sandbox"


async def test_zoom_shows_one_pane_and_zooms_back():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f4", "f6")
        assert shown(app) == ["sandbox"]
        await pilot.press("f2")
        assert shown(app) == ["reasoning"]
        await pilot.press("f6")
        assert shown(app) == ["reasoning", "diff", "sandbox"]


async def test_brackets_resize_the_focused_pane():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        before = app.deck.panes[1].size.width
        await pilot.press("right_square_bracket", "right_square_bracket")
        await pilot.pause()
        assert app.deck.panes[1].size.width > before


async def test_every_event_reaches_every_pane():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED, AttemptStarted(1, 3, "t"))
        await conductor.told(pilot)
        assert [pane.events for pane in app.deck.panes] == [
            [STARTED, AttemptStarted(1, 3, "t")]
        ] * 3


async def test_a_second_session_gets_fresh_panes():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        second = SessionStarted("s2", "more", "/r", "1")
        conductor.tell(STARTED, SessionEnded(0, "committed", "done", 1.0), second)
        await conductor.told(pilot)
        assert [pane.events for pane in app.deck.panes] == [[second]] * 3


async def test_a_slash_in_a_pane_searches_it_and_the_focus_comes_back():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f3", "slash", *"till", "enter")
        await pilot.pause()
        diff = app.deck.panes[1]
        assert diff.searched == ["till"]
        assert app.focused is diff


async def test_escape_gives_a_search_up():
    app = app_of(FakeConductor())
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f3", "slash", "x", "escape")
        await pilot.pause()
        assert app.deck.panes[1].searched == []
        assert app.focused is app.deck.panes[1]


async def test_a_jump_goes_to_the_pane_that_knows_the_target():
    app = app_of(FakeConductor())
    async with opened(app, size=NARROW) as pilot:
        app.deck.panes[2].post_message(Pane.Jump("hunk", "till.py"))
        await pilot.pause()
        assert app.deck.panes[0].revealed == [("hunk", "till.py")]
        assert shown(app) == ["diff"]


async def test_escape_goes_from_a_pane_to_the_input_and_then_cuts_the_step():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app, size=WIDE) as pilot:
        await pilot.press("f3", "escape")
        assert app.focused is app.prompt.editor
        assert ("cancel",) not in conductor.asked
        await pilot.press("escape")
        assert conductor.asked[-1] == ("cancel",)


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "it is still getting ready; Ctrl-C twice ends the session"),
        (
            [STARTED, StepStarted("s1", "sandbox image")],
            "this step cannot be cut short (gets ready: sandbox image);"
            " Ctrl-C twice ends the session",
        ),
        (
            [STARTED, CommandStarted("c1", "make test", "baseline")],
            "this step cannot be cut short (runs the check on the untouched files);"
            " Ctrl-C twice ends the session",
        ),
        (
            [STARTED, CommandStarted("c1", "make test", "proof")],
            "this step cannot be cut short (proves it in a fresh sandbox);"
            " Ctrl-C twice ends the session",
        ),
        (
            [STARTED, CommandEnded("c1", 137, 1.0, 0, cancelled=True)],
            "nothing runs: it waits for what you type",
        ),
    ],
    ids=["before", "set-up", "baseline", "proof", "cut already"],
)
async def test_a_step_that_cannot_be_cut_says_what_it_is(events, sentence):
    conductor = FakeConductor(running=True, can_cut=False)
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(*events)
        await conductor.told(pilot)
        app.focus_input()
        await pilot.press("escape")
        await pilot.pause()
        assert [notification.message for notification in app._notifications] == [sentence]


async def test_ctrl_c_cuts_the_step_and_asks_and_the_second_one_leaves():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await pilot.press("ctrl+c")
        assert conductor.asked == [("open",), ("cancel",)]
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert conductor.asked[-1] == ("stop", 2)
    assert app.return_value == 0


async def test_ctrl_c_copies_a_selection_and_cuts_nothing():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await pilot.press("a", "b", "shift+home", "ctrl+c")
        assert app.clipboard == "ab"
        assert conductor.asked == [("open",)]


@pytest.mark.parametrize("keys", [["ctrl+q"], [*"/quit", "enter"]], ids=["key", "command"])
async def test_leaving_ends_the_session_first(keys):
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert conductor.asked[-1] == ("stop", 2)
    assert app.return_value == 0


async def test_f1_lists_every_binding_of_the_app_and_every_command():
    app = app_of(FakeConductor())
    async with opened(app) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        text = "\n".join(str(part.render()) for part in app.screen.query("Static"))
        missing = [b.description for b in SelfhealApp.BINDINGS if b.description not in text]
        assert missing == []
        assert "/check [CMD]" in text
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_header_and_status_tell_how_far_it_is():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=WIDE) as pilot:
        conductor.tell(
            STARTED,
            SnapshotTaken("t", "h", "ht", "refs/heads/main", 3, 9),
            SandboxOpened("docker", "python", "no network", "i", "id", "off", "c0ffee"),
            SandboxMeasured(212 << 20, 2 << 30),
            CheckEnded("c1", "baseline", "t", 1, False, 0.1, ("a", "b", "c")),
            AttemptStarted(2, 3, "t"),
            TurnEnded("t1", "coder", "m", "stop", "", 12_000, 950, 0, 0.04, 0.04, 0.18),
            CheckEnded("c2", "verify", "t", 1, False, 0.1, ("a",)),
        )
        await conductor.told(pilot)
        assert what(app.summary) == "mend it · main"
        assert how_far(app.summary) == "attempt 2/3 · 3 failing -> 1 · $0.04"
        assert uses(app.summary) == (
            "network off · docker python · container 212 MB of 2.0 GB"
            " · context 18% · 12k in 950 out"
        )
        conductor.tell(SessionEnded(1, "not healed", "not healed in 3 attempts", 1.0))
        await conductor.told(pilot)
        assert phase_of(app.summary) == "not healed (exit 1): not healed in 3 attempts"


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (400, 120)], ids=str)
async def test_any_size_works_and_shows_the_input(size):
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app, size=size) as pilot:
        conductor.tell(STARTED)
        await conductor.told(pilot)
        editor = app.prompt.editor
        assert editor.region.height >= 1
        assert app.screen.region.contains_region(editor.region)
        await pilot.press("f1")
        await pilot.press("escape")


async def test_hostile_text_reaches_no_line_as_it_is():
    conductor = FakeConductor()
    app = app_of(conductor)
    hostile = "[red]x[/red] \x1b]0;owned\x07 \u202e[/nonsense]"
    async with opened(app, size=WIDE) as pilot:
        conductor.tell(SessionStarted("s", hostile, "/r", "1"), SessionEnded(1, "x", hostile, 1.0))
        await conductor.told(pilot)
        lines = "".join(what(app.summary) + phase_of(app.summary))
        assert "\x1b" not in lines
        assert "\u202e" not in lines
        assert "[red]x[/red]" in lines
