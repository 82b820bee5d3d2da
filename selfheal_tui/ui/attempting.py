"""What the app does when the user asks for the attempts. Loaded when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfheal_tui.ui.screens.attempts import AttemptsScreen

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp


def show_attempts(app: SelfhealApp) -> None:
    """Show the table; the attempt that is chosen there is shown in the diff pane."""
    if not app.summary.attempt and not app.summary.tried:
        app.say_so("there is no attempt yet")
        return

    def go(state: str | None) -> None:
        if state and not app.deck.reveal("attempt", state):
            app.say_so("the difference of this attempt is not known")

    app.push_screen(AttemptsScreen(app.summary), go)
