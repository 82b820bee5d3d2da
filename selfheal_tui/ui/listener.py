"""What the app does with the news of a run: panes and lines fold events, screens ask for answers.

Loaded after the first frame: typing needs nothing of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from selfheal_tui.core.approval import Answer, PlanRequest, Request
from selfheal_tui.core.events import (
    CommandStarted,
    Event,
    MessageSent,
    ProposalMade,
    QuestionAnswered,
    SessionEnded,
    SessionStarted,
    Warned,
)
from selfheal_tui.core.text import one_line
from selfheal_tui.settings import UiSettings
from selfheal_tui.ui.attention import Attention
from selfheal_tui.ui.bars.header import Header
from selfheal_tui.ui.bars.status import Status
from selfheal_tui.ui.conductor import (
    Asked,
    Happened,
    News,
    NotStarted,
    Questioned,
    Readied,
    Withdrawn,
)
from selfheal_tui.ui.screens.approval import ApprovalScreen
from selfheal_tui.ui.screens.card import question
from selfheal_tui.ui.screens.draft import Draft
from selfheal_tui.ui.screens.plan import PlanScreen
from selfheal_tui.ui.starting import give_back
from selfheal_tui.ui.summary import Summary, fold

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp


_ASKING = (ApprovalScreen, PlanScreen)
"""The screens that ask for an approval."""


class Listener:
    """Hears one conductor for one app; knows what is asked at the moment."""

    def __init__(self, app: SelfhealApp) -> None:
        self._app = app
        self._question = ""
        self._proposal: ProposalMade | None = None
        self._draft: Draft | None = None
        self._sent: Draft | None = None
        self._plan = ""
        self._stale = ""
        self.asked: Request | None = None
        self.summary = Summary()
        self._shown: tuple[Summary, Request | None] | None = None
        self.attention = Attention(app, app.ui or UiSettings(), os.environ)

    async def listen(self) -> None:
        """Until the conductor is closed."""
        async for news in self._app.conductor.news():
            for item in news:
                await self._take(item)
            self._show_state()

    async def _take(self, news: News) -> None:
        match news:
            case Happened(event, at):
                await self._fold(event, at)
            case Readied():
                self._app.waiting.readied(news)
                self._app.deck.readied(news)
            case Asked(request):
                self.asked = request
                self.attention.call(question(request))
                self.review()
            case Withdrawn(reason):
                self._withdraw(reason)
            case Questioned(text):
                self._question = text
                self.attention.call(f"the model asks: {text}")
                self._app.waiting.notice(f"the model asks: {text}")
                self._app.focus_input()
            case NotStarted():
                give_back(self._app, news)
            case _:
                assert_never(news)

    async def _fold(self, event: Event, at: float) -> None:
        waiting = self._app.waiting
        match event:
            case SessionStarted():
                await self._session_started(event)
            case MessageSent():
                waiting.taken(event.text)
            case CommandStarted() if event.purpose == "user":
                waiting.taken(f"!{event.command}")
            case ProposalMade():
                self._proposal = event
            case QuestionAnswered():
                self._question = ""
                self.attention.rest()
                waiting.notice("")
            case Warned():
                self._app.say_so(one_line(event.text, 300), severity="warning")
            case SessionEnded():
                self._session_ended(event)
            case _:
                pass
        self.summary = fold(self.summary, event)
        self._app.deck.fold(event, at)

    async def _session_started(self, event: SessionStarted) -> None:
        if self.summary.task:
            # Ids begin anew with each session, so its panes do too.
            await self._app.deck.fill()
        self._proposal = self._draft = self._sent = None
        self._plan = self._stale = ""
        self._app.waiting.started()
        self._app.waiting.taken(event.task)

    def _session_ended(self, event: SessionEnded) -> None:
        app, self.asked, self._question = self._app, None, ""
        while len(app.screen_stack) > 1:
            app.pop_screen()
        unsent = app.waiting.drop()
        app.waiting.notice("")
        if unsent and app.prompt and not app.prompt.editor.text:
            # What was typed too late for this session is the user's to send again.
            app.prompt.put("\n".join(unsent))
        if not app.conductor.replayed:
            self.attention.call(f"{event.outcome}: {event.text}", until_seen=True)

    def _show_state(self) -> None:
        """Show how things stand. Most news are of streams, and change nothing of it."""
        state = (self.summary, self.asked)
        if state == self._shown:
            return
        self._shown = state
        bottom = self._app.screen_stack[0]
        bottom.query_one(Header).show(self.summary)
        bottom.query_one(Status).show(self.summary)
        self._app.refresh_bindings()

    # --- what the user answers -------------------------------------------------------------

    def answer_question(self, text: str) -> bool:
        """Give the model its answer; False when it has not asked."""
        if not self._question:
            return False
        self._question = ""
        self.attention.rest()
        self._app.waiting.notice("")
        self._app.conductor.reply(text)
        return True

    def review(self) -> None:
        """Show the approval that is wanted."""
        if self.asked is None or self._asking():
            return
        self._app.waiting.notice("")
        if isinstance(self.asked, PlanRequest):
            self._review_plan(self.asked)
        else:
            self._review(self.asked)

    def _review(self, request: Request) -> None:
        again = self.summary.attempt < self.summary.attempts
        screen = ApprovalScreen(
            request, self._proposal, again=again, draft=self._draft, notice=self._stale
        )

        def reviewed(given: Answer | None) -> None:
            self._draft = screen.draft if given is None else screen.draft.marks()
            self._sent = screen.draft
            self._reviewed(request, given)

        self._app.push_screen(screen, reviewed)

    def _review_plan(self, request: PlanRequest) -> None:
        screen = PlanScreen(request, typed=self._plan)

        def reviewed(given: Answer | None) -> None:
            self._plan = screen.typed if given is None else ""
            self._reviewed(request, given)

        self._app.push_screen(screen, reviewed)

    def _asking(self) -> list[ApprovalScreen | PlanScreen]:
        """The screens that ask at the moment: one, or none."""
        return [screen for screen in self._app.screen_stack if isinstance(screen, _ASKING)]

    def _reviewed(self, request: Request, given: Answer | None) -> None:
        if self.asked is not request:
            # Withdrawn while the key was on its way: what is asked now was not seen yet.
            return
        if given is None:
            self._app.waiting.notice("an approval waits: F8 opens it again")
            return
        self.asked, self._stale = None, ""
        self.attention.rest()
        self._app.conductor.answer(given)
        self._app.refresh_bindings()

    def _withdraw(self, reason: str) -> None:
        """Take down what no longer holds; what was chosen and typed waits for the next question."""
        if self.asked is None and self._sent is not None:
            # It was answered at that very moment; the answer came too late.
            self._draft = self._sent
        self.asked, self._stale = None, reason
        for screen in self._asking():
            if isinstance(screen, ApprovalScreen):
                self._draft = screen.keep_draft()
            else:
                self._plan = screen.typed
        while self._asking():
            self._app.pop_screen()
        self.attention.rest()
        self._app.waiting.notice("")
        self._app.say_so(f"what was asked no longer holds: {reason}", severity="warning")
