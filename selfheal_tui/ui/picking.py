"""What the app does about earlier sessions: choose one, take it up, or look at its record.

Loaded when it is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfheal_tui.errors import UsageError
from selfheal_tui.ui.screens.picker import PickerScreen

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp
    from selfheal_tui.ui.screens.picker import Picked


def pick_session(app: SelfhealApp) -> None:
    """Show the list of earlier sessions; the chosen one is taken up, or looked at."""
    if isinstance(app.screen, PickerScreen):
        return
    sessions = app.conductor.sessions()
    if not sessions:
        what = "this is a record: it knows of no sessions"
        none = "there is no session of this repository yet: say what should be healed"
        app.say_so(what if app.conductor.replayed else none)
        return

    def go(picked: Picked | None) -> None:
        if picked is None:
            return
        if picked.look:
            look_at(app, picked.session)
        else:
            take_up(app, picked.session)

    app.push_screen(PickerScreen(sessions, app.conductor.preview), go)


def take_up(app: SelfhealApp, session: str) -> None:
    """Go on with an earlier session, or say why that cannot be."""
    try:
        app.conductor.resume(session)
    except UsageError as error:
        app.say_so(str(error), severity="warning")


def look_at(app: SelfhealApp, session: str) -> None:
    """Show an earlier session's record, or say why that cannot be."""
    try:
        app.conductor.look(session)
    except UsageError as error:
        app.say_so(str(error), severity="warning")
