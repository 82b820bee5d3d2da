"""The first frame and what is typed into it: nothing is lost while the rest is loaded behind it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.bars.header import Header
from selfheal_tui.ui.deck import Deck
from selfheal_tui.ui.prompt import Editor, Prompt
from tests.support.conductor import FakeConductor, plain_panes


@asynccontextmanager
async def first_frame(conductor):
    """The app as long as it is nothing but its first frame, and what lets it go on."""
    loaded = asyncio.Event()

    async def load():
        await loaded.wait()

    app = SelfhealApp(conductor, make_panes=plain_panes, load=load)
    async with app.run_test() as pilot:
        await pilot.pause()

        async def go_on():
            loaded.set()
            while ("open",) not in conductor.asked:
                await pilot.pause()

        yield app, pilot, go_on


async def test_the_first_frame_is_the_input_and_little_else():
    async with first_frame(FakeConductor()) as (app, _, _):
        kinds = {type(widget) for widget in app.screen.query("*")}
        assert {Header, Deck, Prompt, Editor} <= kinds
        assert len(app.screen.query("*")) <= 8
        assert app.focused is app.prompt.editor


async def test_keys_are_taken_while_the_rest_is_loaded_and_stay():
    conductor = FakeConductor()
    async with first_frame(conductor) as (app, pilot, go_on):
        await pilot.press("m", "e", "n")
        assert app.prompt.editor.text == "men"
        await go_on()
        await pilot.press("d")
        assert app.prompt.editor.text == "mend"
        assert app.focused is app.prompt.editor


async def test_a_task_that_is_sent_before_anything_is_loaded_is_kept_and_sent():
    conductor = FakeConductor()
    async with first_frame(conductor) as (app, pilot, go_on):
        await pilot.press(*"mend", "enter")
        assert (app.prompt.editor.text, conductor.asked) == ("", [])
        await go_on()
        assert conductor.asked == [("open",), ("start", "mend")]


async def test_completions_that_were_asked_for_before_their_list_was_there_are_in_it():
    conductor = FakeConductor()
    async with first_frame(conductor) as (app, pilot, go_on):
        await pilot.press("slash", "m", "o")
        await go_on()
        assert app.prompt.completions.names == ["model"]
        assert app.prompt.completions.display
        await pilot.press("tab")
        assert app.prompt.editor.text == "/model "


async def test_it_can_be_left_while_the_rest_is_loaded():
    conductor = FakeConductor()
    async with first_frame(conductor) as (app, pilot, _):
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert (conductor.asked, app.return_value) == ([("stop", 2)], 0)
