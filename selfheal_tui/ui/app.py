"""The terminal interface: panes that fold events, an input that steers, screens that ask.

It shows what a conductor tells and asks it for what the user wants. Refuses to know what runs.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from selfheal_tui.core.text import one_line, printable
from selfheal_tui.errors import ApprovalRefused
from selfheal_tui.ui.bars.header import Header
from selfheal_tui.ui.deck import Deck, MakePanes
from selfheal_tui.ui.palette import PALETTE
from selfheal_tui.ui.prompt import Prompt

if TYPE_CHECKING:
    from selfheal_tui.settings import UiSettings
    from selfheal_tui.ui.bars.search import SearchLine
    from selfheal_tui.ui.bars.waiting import WaitingLines
    from selfheal_tui.ui.conductor import Conductor
    from selfheal_tui.ui.listener import Listener
    from selfheal_tui.ui.looks import Look
    from selfheal_tui.ui.panes.pane import Pane
    from selfheal_tui.ui.summary import Summary

Load = Callable[[], Awaitable[None]]
"""Loads what comes after the first frame, away from the loop."""

AGAIN_SECONDS = 3.0
"""How long a first Ctrl-C waits for the second one."""


class SelfhealApp(App[int]):
    """Runs on one conductor until the user leaves; returns the exit code."""

    TITLE = "selfheal"
    CSS_PATH = "app.tcss"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMPONENT_CLASSES: ClassVar[set[str]] = PALETTE
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-low"), (14, "-high")]  # noqa: RUF012 - its type
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "escape", "stop the step"),
        Binding("f1", "help", "keys"),
        Binding("f2", "pane(0)", "reasoning"),
        Binding("f3", "pane(1)", "diff"),
        Binding("f4", "pane(2)", "sandbox"),
        Binding("f6", "zoom", "zoom"),
        Binding("f8", "review", "approval"),
        Binding("ctrl+c", "leave", "twice: leave", priority=True),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, priority=True),
        Binding("ctrl+q", "quit", "leave at once", show=False, priority=True),
    ]

    def __init__(
        self,
        conductor: Conductor,
        *,
        make_panes: MakePanes,
        load: Load | None = None,
        themes: Sequence[Theme] = (),
        theme: str = "",
        task: str = "",
        resume: str = "",
        pick: bool = False,
        no_isolation: bool = False,
        ui: UiSettings | None = None,
        look: Look | None = None,
    ) -> None:
        super().__init__()
        self.conductor = conductor
        self.ui = ui
        self.listener: Listener | None = None
        self._make_panes = make_panes
        self._load = load
        self._first_task = task
        self._resume_first = resume
        self._pick = pick
        self._no_isolation = no_isolation
        self._armed = False
        self._leaving = False
        self._early: list[str] = []
        self._look = look
        for made in (*themes, *(look.made if look else ())):
            self.register_theme(made)
        if theme or look:
            self._begin_with(look.name if look else theme)

    def compose(self) -> ComposeResult:
        # Only what typing needs; `_begin` adds the rest after the first frame.
        yield Header()
        yield Deck(self._make_panes)
        if not self.conductor.replayed:
            yield Prompt(files=self.conductor.files, commands=self._command_names)

    def _begin_with(self, theme: str) -> None:
        """The theme of the first frame, without the work of a change: parsing every style again.

        What differs in a light theme or one of the terminal's colours, only a change puts right.
        """
        made = self.get_theme(theme)
        if made is None or made.ansi or not made.dark:
            self.theme = theme
        else:
            self.set_reactive(SelfhealApp.theme, theme)
            self.stylesheet.set_variables(self.get_css_variables())

    # --- parts -----------------------------------------------------------------------------

    @property
    def deck(self) -> Deck:
        return self.screen_stack[0].query_one(Deck)

    @property
    def waiting(self) -> WaitingLines:
        from selfheal_tui.ui.bars.waiting import WaitingLines

        return self.screen_stack[0].query_one(WaitingLines)

    @property
    def summary(self) -> Summary:
        """The run so far."""
        if self.listener is None:
            from selfheal_tui.ui.summary import Summary

            return Summary()
        return self.listener.summary

    @property
    def prompt(self) -> Prompt | None:
        found = self.screen_stack[0].query(Prompt)
        return found.first() if found else None

    # --- from the start to the end ---------------------------------------------------------

    def on_mount(self) -> None:
        self.focus_input()
        # The input is ready with the first frame; everything else comes after it.
        self.call_after_refresh(self._go_on)

    def on_unmount(self) -> None:
        if self.listener:
            self.listener.attention.rest()

    # A worker: were it a callback, every key would wait for its end.
    @work
    async def _go_on(self) -> None:
        await self._begin()

    async def _begin(self) -> None:
        if self._load:
            await self._load()
        from selfheal_tui.ui.filling import fill

        await fill(self)
        if self._no_isolation:
            from selfheal_tui.ui.screens.local import LocalScreen

            self.push_screen(LocalScreen(), self._isolation_answered)
            return
        self._open()

    def _isolation_answered(self, go_on: bool | None) -> None:
        """Without isolation nothing runs before the user said so."""
        if go_on:
            self._open()
        else:
            self.exit(ApprovalRefused.exit_code)

    def _open(self) -> None:
        from selfheal_tui.ui.listener import Listener
        from selfheal_tui.ui.looks import keep_look

        if self._look:
            keep_look(self, self._look)
        self.conductor.open()
        self.listener = Listener(self)
        self._listen(self.listener)
        self._do_first()

    def _do_first(self) -> None:
        if self._first_task:
            self._start(self._first_task)
        elif self._resume_first:
            self._resume(self._resume_first)
        elif self._pick:
            self._pick_session()
        early, self._early = self._early, []
        for text in early:
            self._send(text)

    @work
    async def _listen(self, listener: Listener) -> None:
        await listener.listen()

    def begin_leaving(self, number: int = signal.SIGINT) -> None:
        """End the session, then the app; once."""
        if self._leaving:
            return
        self._leaving = True
        if self.listener:
            self.waiting.notice("ending the session ...")
        self.conductor.stop(number)
        self._leave()

    @work
    async def _leave(self) -> None:
        self.exit(await self.conductor.close())

    def say_so(self, text: str, *, severity: SeverityLevel = "information") -> None:
        """Tell the user a sentence."""
        self.notify(printable(text), severity=severity, markup=False)

    # --- what the user sends ---------------------------------------------------------------

    @on(Prompt.Sent)
    def _sent(self, event: Prompt.Sent) -> None:
        if self.listener:
            self._send(event.text)
        else:
            self._early.append(event.text)

    def _send(self, text: str) -> None:
        if text.startswith("/"):
            from selfheal_tui.ui.commands import run_command

            run_command(self, text[1:])
        elif text.startswith("!"):
            self._shell(text[1:].strip())
        elif self.listener and self.listener.answer_question(text):
            return
        elif self.conductor.running:
            self.waiting.wait(text)
            self.conductor.say(text)
        else:
            self._start(text)

    def _start(self, task: str) -> None:
        self.waiting.wait(task)
        self.conductor.start(task)

    def _shell(self, command: str) -> None:
        why_not = self.conductor.shell(command) if command else "type a command after the !"
        if why_not:
            self.say_so(why_not, severity="warning")
        else:
            self.waiting.wait(f"!{command}")

    def _pick_session(self) -> None:
        from selfheal_tui.ui.picking import pick_session

        pick_session(self)

    def _resume(self, session: str) -> None:
        from selfheal_tui.ui.picking import take_up

        take_up(self, session)

    # --- keys ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "suspend_process":
            return not self.is_web
        if action == "review":
            return self.listener is not None and self.listener.asked is not None
        return True

    def action_review(self) -> None:
        if self.listener:
            self.listener.review()

    def action_help(self) -> None:
        from selfheal_tui.ui.screens.help import HelpScreen
        from selfheal_tui.ui.tables import key_tables

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(key_tables(self.deck.panes)))

    def action_pane(self, number: int) -> None:
        self.deck.show(number)

    def action_edit_plan(self) -> None:
        from selfheal_tui.ui.replanning import edit_plan

        edit_plan(self)

    def action_zoom(self) -> None:
        self.deck.toggle_zoom()

    def action_escape(self) -> None:
        """Close the list of completions; from a pane to the input; else cut the step short."""
        prompt = self.prompt
        if prompt is None or prompt.close_list():
            return
        if not prompt.has_focus_within:
            self.focus_input()
        elif self.conductor.running and not self.conductor.cancel_step():
            from selfheal_tui.ui.cutting import why_not_cut

            asked = self.listener is not None and self.listener.asked is not None
            self.say_so(why_not_cut(self.summary, asked=asked))

    def action_leave(self) -> None:
        """Copy a selection; else the first time cut the step and ask, the second time leave."""
        if self._copied():
            return
        if self._armed or not self.conductor.running:
            self._leave_or_ask()
            return
        self.conductor.cancel_step()
        self._leave_or_ask()

    def _leave_or_ask(self) -> None:
        if self._armed:
            self.begin_leaving()
            return
        self._armed = True
        self.set_timer(AGAIN_SECONDS, self._disarm)
        self.say_so("Ctrl-C again leaves; the session is kept and can be taken up")

    def _disarm(self) -> None:
        self._armed = False

    def _copied(self) -> bool:
        text = self.screen.get_selected_text()
        if not text and self.prompt and self.prompt.has_focus_within:
            text = self.prompt.editor.selected_text
        if not text:
            return False
        self.copy_to_clipboard(text)
        self.screen.clear_selection()
        self.say_so("copied")
        return True

    async def action_quit(self) -> None:
        self.begin_leaving()

    def focus_input(self) -> None:
        if self.prompt:
            self.prompt.editor.focus()
        elif self.deck.panes:
            self.deck.show(0)

    # --- panes -----------------------------------------------------------------------------

    # Named for its message, so that the panes need not be loaded before the input is ready.
    def on_pane_jump(self, event: Pane.Jump) -> None:
        if not self.deck.reveal(event.kind, event.target):
            self.say_so(f"{one_line(event.target, 120)} is not shown in another pane")

    @on(Deck.SearchWanted)
    def _ask_search(self) -> None:
        from selfheal_tui.ui.bars.search import SearchLine

        self.screen.query_one(SearchLine).ask()

    def on_search_line_wanted(self, event: SearchLine.Wanted) -> None:
        found = self.deck.search(event.text)
        self.deck.focus_front()
        self.say_so(f"{found} found: n next, N previous" if found else "not found in this pane")

    def on_search_line_given_up(self) -> None:
        self.deck.focus_front()

    # --- commands --------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from selfheal_tui.ui.commands import palette

        yield from (SystemCommand(title, text, run) for title, text, run in palette(self))

    def _command_names(self) -> list[str]:
        from selfheal_tui.ui.commands import names

        return names(self)
