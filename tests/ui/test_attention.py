"""How the interface calls for a user who looks elsewhere, byte for byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from selfheal_tui.core.events import SessionEnded, SessionStarted
from selfheal_tui.settings import UiSettings
from selfheal_tui.ui.app import SelfhealApp
from selfheal_tui.ui.attention import Attention, marked_title, notification, title_before
from selfheal_tui.ui.conductor import Questioned
from tests.support.conductor import FakeConductor, opened, plain_panes

XTERM = {"TERM": "xterm-256color"}
WHOLE = re.compile(r"(?:\x1b\[22;0t)?\x1b\](?:2|9|777;notify;selfheal);[^\x00-\x1f\x7f-\x9f]*\x07")


class StandIn:
    """Has the focus or not, as an app of Textual."""

    def __init__(self):
        self.app_focus = True

    def watch(self, _, name, callback, init):
        assert (name, init) == ("app_focus", False)
        self._changed = callback

    def focus(self, has):
        self.app_focus = has
        self._changed()


def attention(*, environment=None, **chosen):
    app, written = StandIn(), []
    made = Attention(app, UiSettings(**chosen), environment or XTERM, written.append)
    return app, made, written


MARK = "\x1b[22;0t\x1b]2;● selfheal: Make this commit?\x07"
BACK = "\x1b]2;selfheal\x07\x1b[23;0t"
NOTE = "\x1b]9;selfheal: Make this commit?\x07"


def test_a_user_who_looks_is_not_called():
    _, made, written = attention()
    made.call("Make this commit?")
    assert written == []


def test_a_user_who_looks_elsewhere_is_called_and_the_title_comes_back():
    app, made, written = attention()
    app.focus(False)
    made.call("Make this commit?")
    assert written == [MARK, "\x07", NOTE]
    app.focus(True)
    assert written[3:] == [BACK]


def test_a_user_who_goes_away_while_it_waits_gets_the_mark_only():
    app, made, written = attention()
    made.call("Make this commit?")
    app.focus(False)
    made.rest()
    assert written == [MARK, BACK]


def test_a_second_call_keeps_the_first_title_on_the_stack():
    app, made, written = attention(bell=False, notify=False)
    app.focus(False)
    made.call("Make this commit?")
    made.call("Push?")
    made.rest()
    assert written == [MARK, "\x1b]2;● selfheal: Push?\x07", BACK]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"bell": False}, [MARK, NOTE]),
        ({"title": False}, ["\x07", NOTE]),
        ({"notify": False}, [MARK, "\x07"]),
        ({"bell": False, "title": False, "notify": False}, []),
    ],
    ids=str,
)
def test_each_call_can_be_turned_off(chosen, expected):
    app, made, written = attention(**chosen)
    app.focus(False)
    made.call("Make this commit?")
    assert written == expected


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;selfheal: done\x07"),
        ({"TERM": "rxvt-unicode"}, "\x1b]777;notify;selfheal;done\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;selfheal;done\x07"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7000"}, "\x1b]777;notify;selfheal;done\x07"),
        ({"TERM": "linux"}, ""),
    ],
    ids=str,
)
def test_each_terminal_gets_one_notification_that_it_takes(environment, sequence):
    assert notification("done", environment) == sequence


def test_a_console_without_a_desktop_only_rings():
    app, made, written = attention(environment={"TERM": "linux"})
    app.focus(False)
    made.call("Make this commit?")
    assert [piece for piece in written if piece] == ["\x07"]


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_no_text_breaks_out_of_its_sequence(text):
    for sequence in (
        marked_title(text, anew=True),
        notification(text, XTERM),
        notification(text, {"TERM": "foot"}),
    ):
        assert WHOLE.fullmatch(sequence), sequence
        assert all(c.isprintable() for c in sequence if c not in "\x1b\x07")


@pytest.mark.parametrize("hostile", ["\x07\x1b]52;c;ZXZpbA==\x07", "\x9c\x9d0;x\x9c", "a;b;c"])
def test_hostile_text_stays_inside(hostile):
    assert notification(hostile, XTERM).count("\x1b") == 1
    assert notification(hostile, {"TERM": "foot"}).count(";") == 3


def test_the_title_of_before_comes_from_the_terminals_own_stack():
    assert title_before() == "\x1b]2;selfheal\x07\x1b[23;0t"


async def test_the_app_calls_for_its_question_and_its_end_and_rests_at_the_answer():
    conductor = FakeConductor(running=True)
    app = SelfhealApp(conductor, make_panes=plain_panes)
    async with opened(app) as pilot:
        written = []
        app.listener.attention = Attention(app, UiSettings(bell=False), XTERM, written.append)
        app.post_message(events.AppBlur())
        await pilot.pause()
        conductor.tell(SessionStarted("s", "t", "/r", "1"), Questioned("which one?"))
        await conductor.told(pilot)
        assert written == [
            "\x1b[22;0t\x1b]2;● selfheal: the model asks: which one?\x07",
            "\x1b]9;selfheal: the model asks: which one?\x07",
        ]
        app.listener.answer_question("the first")
        assert written[2:] == [BACK]
        conductor.tell(SessionEnded(1, "not healed", "3 attempts", 1.0))
        await conductor.told(pilot)
        assert written[-1] == "\x1b]9;selfheal: not healed: 3 attempts\x07"
        await pilot.press("a")
        assert written[-1] == BACK
