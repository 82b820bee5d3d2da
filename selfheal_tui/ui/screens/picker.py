"""`--resume` without an ID, and `/resume`: which earlier session to take up, or to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from selfheal_tui.core.text import one_line
from selfheal_tui.ui.conductor import SessionLine
from selfheal_tui.ui.widgets.pairs import Pairs

Preview = Callable[[str], Sequence[tuple[str, str]]]

WIDE = 110
"""Columns from which on the preview stands beside the list."""


@dataclass(frozen=True)
class Picked:
    """The session that was chosen, and whether it is only to be looked at."""

    session: str
    look: bool = False


class PickerScreen(ModalScreen["Picked | None"]):
    """Returns what was chosen; None for nothing. Typing narrows the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take it up", priority=True),
        Binding("ctrl+o", "look", "look at its record", priority=True),
        Binding("down", "move(1)", "next", show=False, priority=True),
        Binding("up", "move(-1)", "previous", show=False, priority=True),
        Binding("pagedown", "scroll(1)", "scroll the preview", show=False, priority=True),
        Binding("pageup", "scroll(-1)", "scroll the preview back", show=False, priority=True),
        Binding("escape", "dismiss(None)", "none of them"),
    ]

    def __init__(self, sessions: Sequence[SessionLine], preview: Preview) -> None:
        super().__init__()
        self._sessions = sessions
        self._preview = preview
        self._shown: list[SessionLine] = []
        self._previewed = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="window picker"):
            yield Input(placeholder="words of the task, an outcome, or an id")
            with Horizontal(id="picker-sides"):
                yield OptionList(markup=False, id="sessions")
                yield VerticalScroll(id="preview", can_focus=False)
            yield Static("", id="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(".window").border_title = "Earlier sessions"
        self._narrow("")
        self.query_one(Input).focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    # --- keys ------------------------------------------------------------------------------

    def action_take(self) -> None:
        """Take the highlighted session up; what is done can be looked at only."""
        if session := self._highlighted():
            self.dismiss(Picked(session.id, look=session.done))

    def action_look(self) -> None:
        """Look at the highlighted session's record."""
        if session := self._highlighted():
            self.dismiss(Picked(session.id, look=True))

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_scroll(self, by: int) -> None:
        preview = self.query_one("#preview", VerticalScroll)
        preview.scroll_relative(y=by * max(preview.size.height - 1, 1), animate=False)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_take()

    # --- list and preview ------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(OptionList.OptionHighlighted)
    async def _moved(self) -> None:
        await self._show_preview()

    def _highlighted(self) -> SessionLine | None:
        number = self.query_one(OptionList).highlighted
        return self._shown[number] if number is not None else None

    def _narrow(self, words: str) -> None:
        wanted = words.lower().split()
        self._shown = [
            session
            for session in self._sessions
            if all(word in _searched(session) for word in wanted)
        ]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(Content(line_of(session))) for session in self._shown)
        options.highlighted = 0 if self._shown else None
        window = self.query_one(".window")
        window.border_subtitle = f"{len(self._shown)} of {len(self._sessions)}"
        self.call_later(self._show_preview)

    async def _show_preview(self) -> None:
        session = self._highlighted()
        self.query_one("#picker-hint", Static).update(hint_of(session))
        name = session.id if session else ""
        if name == self._previewed and name:
            return
        self._previewed = name
        preview = self.query_one("#preview", VerticalScroll)
        await preview.remove_children()
        await preview.mount(Pairs(self._preview(name) if name else ()))
        preview.scroll_home(animate=False)


def _searched(session: SessionLine) -> str:
    return f"{session.id} {session.outcome or _NOT_ENDED} {session.task}".lower()


def line_of(session: SessionLine) -> str:
    """One session as one printable line."""
    started = datetime.fromtimestamp(session.started).strftime("%m-%d %H:%M")
    outcome = one_line(session.outcome or _NOT_ENDED, _OUTCOME)
    return f"{started}  {outcome:<{_OUTCOME}}  {one_line(session.task, 300)}"


def hint_of(session: SessionLine | None) -> str:
    """What the keys do with this session."""
    if session is None:
        return "no session is like that · Esc leaves the list"
    if session.done:
        return "it is done: Enter looks at its record · Esc leaves the list"
    return "Enter takes it up · Ctrl+O looks at its record · Esc leaves the list"


_NOT_ENDED = "not ended"
_OUTCOME = 16
