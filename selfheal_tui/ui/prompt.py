"""Where the user types: several lines, a history, and completion of files and commands.

Refuses to know what a message does: it posts what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from selfheal_tui.core.text import printable
from selfheal_tui.ui.fuzzy import best

_WORD = re.compile(r"(?:^|\s)(@\S*)$")
_COMMAND = re.compile(r"/(\S*|\S+ \S*)$")

Names = Callable[[], Sequence[str]]


class Editor(TextArea):
    """The text itself; Enter sends, and the keys of an open list of completions are the list's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", priority=True),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "new line", show=False),
        Binding("up", "earlier", "earlier message", show=False),
        Binding("down", "later", "later message", show=False),
        Binding("ctrl+u", "clear", "clear the input", show=False),
        # Ctrl-Z is the terminal's: it suspends.
        Binding("ctrl+underscore", "undo", "undo typing", show=False, key_display="Ctrl+_"),
    ]

    @dataclass
    class Sent(Message):
        """Enter was pressed."""

    @dataclass
    class Moved(Message):
        """Up (-1) or down (1) at the edge of the text."""

        by: int

    def action_send(self) -> None:
        self.post_message(self.Sent())

    def action_newline(self) -> None:
        self.insert("\n")

    def action_earlier(self) -> None:
        if self.cursor_location[0] == 0:
            self.post_message(self.Moved(-1))
        else:
            self.action_cursor_up()

    def action_later(self) -> None:
        if self.cursor_location[0] == self.document.line_count - 1:
            self.post_message(self.Moved(1))
        else:
            self.action_cursor_down()

    def action_clear(self) -> None:
        self.clear()

    def on_paste(self, event: events.Paste) -> None:
        # What was copied from elsewhere may hold sequences that a terminal would obey.
        event.text = "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in event.text)


class Completions(OptionList):
    """The names that fit what is being typed. Never takes the focus."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.names: list[str] = []
        self.display = False

    def offer(self, names: Sequence[str]) -> None:
        """Show these names; hidden for none."""
        self.clear_options()
        self.add_options(Option(Content(printable(name))) for name in names)
        self.names = list(names)
        self.display = bool(names)
        self.highlighted = 0 if names else None

    @property
    def chosen(self) -> str | None:
        """The highlighted name, where the list is shown."""
        if not self.display or self.highlighted is None:
            return None
        return self.names[self.highlighted]


class Prompt(Vertical):
    """The editor with its list of completions. Posts `Prompt.Sent` with what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", show=False, priority=True),
    ]

    @dataclass
    class Sent(Message):
        """The user sent this text; never blank."""

        text: str

    def __init__(self, *, files: Names, commands: Names) -> None:
        super().__init__()
        self._files = files
        self._commands = commands
        self._history: list[str] = []
        self._at = 0
        self._draft = ""
        self.completions = Completions()

    def compose(self) -> ComposeResult:
        yield Editor(
            placeholder="what should be healed?    @file  /command  !shell",
            show_line_numbers=False,
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )

    @property
    def editor(self) -> Editor:
        return self.query_one(Editor)

    async def fill(self) -> None:
        """Add the list of completions: the first frame has none, and is there sooner without."""
        await self.mount(self.completions, before=self.editor)

    def put(self, text: str) -> None:
        """Make this the text, with the cursor at its end."""
        self.editor.load_text(text)
        self.editor.move_cursor(self.editor.document.end)

    def close_list(self) -> bool:
        """Take the list of completions away; whether there was one."""
        was = bool(self.completions.display)
        self.completions.offer([])
        return was

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Where nothing is to be completed, tab moves the focus as everywhere.
        return action != "complete" or self.completions.chosen is not None

    def action_complete(self) -> None:
        if name := self.completions.chosen:
            self._complete(name)

    @on(TextArea.Changed)
    def _offer(self) -> None:
        before = self.editor.get_text_range((0, 0), self.editor.cursor_location)
        if command := _COMMAND.fullmatch(before):
            # A name first; after its blank, what may follow it.
            follows = " " in command[1]
            names = [name for name in self._commands() if (" " in name) is follows]
            self.completions.offer(best(command[1], names))
        elif word := _WORD.search(before):
            self.completions.offer(best(word[1][1:], self._files()))
        else:
            self.completions.offer([])

    @on(Editor.Sent)
    def _send(self, event: Editor.Sent) -> None:
        event.stop()
        text = self.editor.text
        name = self.completions.chosen
        # After a blank nothing was begun that could be completed: the command is sent as it is.
        if name is not None and not text.endswith((name, " ")):
            self._complete(name)
            return
        self.close_list()
        if not text.strip():
            return
        self._history.append(text)
        self._at = len(self._history)
        self.editor.clear()
        self.post_message(self.Sent(text.strip()))

    @on(Editor.Moved)
    def _move(self, event: Editor.Moved) -> None:
        event.stop()
        completions = self.completions
        if completions.display:
            if event.by < 0:
                completions.action_cursor_up()
            else:
                completions.action_cursor_down()
            return
        to = self._at + event.by
        if not 0 <= to <= len(self._history):
            return
        if self._at == len(self._history):
            self._draft = self.editor.text
        self._at = to
        self.put(self._draft if to == len(self._history) else self._history[to])
        self.close_list()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._complete(self.completions.names[event.option_index])

    def _complete(self, name: str) -> None:
        editor = self.editor
        row, column = editor.cursor_location
        line = editor.document.get_line(row)[:column]
        start = max(line.rfind("@"), 0) if "@" in line and not line.startswith("/") else 0
        mark = line[start : start + 1] if line[start : start + 1] in "@/" else ""
        editor.replace(f"{mark}{name} ", (row, start), (row, column))
        self.close_list()
