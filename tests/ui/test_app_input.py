"""What is typed: tasks, steering, commands, completion, history."""

from __future__ import annotations

import pytest

from selfheal_tui.core.events import MessageSent, SessionEnded, SessionStarted
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.bars.waiting import WaitingLines
from selfheal_tui.ui.conductor import Questioned, Readied
from tests.support.conductor import FakeConductor, opened, plain_panes

STARTED = SessionStarted("s", "mend it", "/r", "1")


def app_of(conductor, **options):
    return SelfhealApp(conductor, make_panes=plain_panes, **options)


async def type_text(pilot, text):
    await pilot.press(*("space" if c == " " else c for c in text))


async def test_the_input_has_the_focus_and_a_typed_task_is_sent():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "mend it")
        await pilot.press("enter")
        assert conductor.asked == [("open",), ("start", "mend it")]
        assert app.prompt.editor.text == ""
        assert app.waiting.lines() == ["waits: mend it"]


async def test_a_task_of_the_command_line_is_sent_at_once():
    conductor = FakeConductor()
    async with opened(app_of(conductor, task="mend it")) as pilot:
        await pilot.pause()
        assert conductor.asked == [("open",), ("start", "mend it")]


async def test_a_message_whose_secret_was_taken_out_is_taken_and_does_not_come_back():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "use k9Z now")
        await pilot.press("enter")
        conductor.tell(SessionStarted("s", "use [redacted] now", "/r", "1"))
        await conductor.told(pilot)
        assert app.waiting.lines() == []
        conductor.tell(SessionEnded(0, "committed", "done", 1.0, 0.0))
        await conductor.told(pilot)
        assert app.prompt.editor.text == ""


async def test_what_is_typed_while_it_works_steers_and_waits_in_sight_until_it_is_taken():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED)
        await type_text(pilot, "not that")
        await pilot.press("enter")
        assert conductor.asked[-1] == ("say", "not that")
        assert app.waiting.lines() == ["waits: not that"]
        conductor.tell(MessageSent("not that"))
        await conductor.told(pilot)
        assert app.waiting.lines() == []


async def test_what_came_too_late_for_a_session_is_put_back_into_the_input():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED)
        await type_text(pilot, "more")
        await pilot.press("enter")
        conductor.tell(SessionEnded(0, "committed", "done", 1.0))
        await conductor.told(pilot)
        assert app.prompt.editor.text == "more"


async def test_a_question_of_the_model_is_answered_by_the_next_message():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(STARTED, Questioned("which one?"))
        await conductor.told(pilot)
        assert app.waiting.lines() == ["the model asks: which one?"]
        await type_text(pilot, "both")
        await pilot.press("enter")
        assert conductor.asked[-1] == ("reply", "both")
        assert app.waiting.lines() == []


async def test_an_exclamation_mark_runs_in_the_sandbox():
    conductor = FakeConductor(running=True)
    async with opened(app_of(conductor)) as pilot:
        await type_text(pilot, "! ls -l")
        await pilot.press("enter")
        assert conductor.asked[-1] == ("shell", "ls -l")


async def test_an_at_sign_completes_files_fuzzily():
    conductor = FakeConductor(files=("src/till.py", "src/shop.py", "README.md"))
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "read @til")
        await pilot.pause()
        assert app.prompt.completions.names == ["src/till.py"]
        await pilot.press("tab")
        assert app.prompt.editor.text == "read @src/till.py "
        assert not app.prompt.completions.display


async def test_a_slash_completes_commands_and_enter_takes_the_first():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "/mod")
        await pilot.pause()
        await pilot.press("enter")
        assert app.prompt.editor.text == "/model "
        await type_text(pilot, "x/y")
        await pilot.press("enter")
        assert conductor.asked[-1] == ("choose", "model", "x/y")


async def test_escape_closes_the_completions_and_cuts_nothing():
    conductor = FakeConductor(running=True)
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "/")
        await pilot.pause()
        assert app.prompt.completions.display
        await pilot.press("escape")
        assert not app.prompt.completions.display
        assert conductor.asked == [("open",)]


async def test_up_and_down_go_through_the_history_and_back_to_the_draft():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        for task in ("one", "two"):
            await type_text(pilot, task)
            await pilot.press("enter")
        await type_text(pilot, "thr")
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            seen.append(app.prompt.editor.text)
        assert seen == ["two", "one", "one", "two", "thr"]


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter"])
async def test_a_message_may_have_several_lines(key):
    conductor = FakeConductor()
    async with opened(app_of(conductor)) as pilot:
        await pilot.press("a", key, "b", "enter")
        assert conductor.asked[-1] == ("start", "a\nb")


async def test_pasted_controls_are_marked_before_they_reach_the_terminal():
    from textual import events

    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        app.post_message(events.Paste("a\x1b]52;c;eA==\x07\u202eb\n\tc"))
        await pilot.pause()
        assert app.prompt.editor.text == "a\ufffd]52;c;eA==\ufffd\ufffdb\n\tc"


async def test_steps_of_getting_ready_are_shown_until_all_are_ready():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        conductor.tell(Readied("model", "working"), Readied("sandbox", "ready"))
        await conductor.told(pilot)
        assert app.waiting.lines() == ["… model"]
        conductor.tell(Readied("model", "failed", "no key is set"))
        await conductor.told(pilot)
        assert app.waiting.lines() == ["✗ model", "  no key is set"]
        conductor.tell(Readied("model", "ready"))
        await conductor.told(pilot)
        assert app.screen.query_one(WaitingLines).display is False


async def test_an_unknown_command_is_named_with_those_there_are():
    conductor = FakeConductor()
    app = app_of(conductor)
    async with opened(app) as pilot:
        await type_text(pilot, "/nonsense")
        await pilot.press("enter")
        await pilot.pause()
        assert next(n.message for n in app._notifications).startswith(
            "there is no command /nonsense"
        )
