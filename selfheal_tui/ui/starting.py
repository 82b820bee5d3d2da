"""What the app does around the start: the welcome, and a task that could not begin.

Loaded after the first frame: typing needs nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfheal_tui.core.text import one_line

if TYPE_CHECKING:
    from selfheal_tui.ui.app import SelfhealApp
    from selfheal_tui.ui.conductor import NotStarted


def give_back(app: SelfhealApp, news: NotStarted) -> None:
    """Put the task, and what was typed after it, back into the input: nothing is lost."""
    waiting = app.waiting.drop()
    texts = waiting if news.task in waiting else [news.task, *waiting]
    if app.prompt:
        typed = app.prompt.editor.text
        app.prompt.put("\n".join(text for text in (*texts, typed) if text.strip()))
    if not app.summary.task:
        # Nothing was shown yet: the welcome says what to do.
        app.deck.welcome_back()
    app.say_so(one_line(news.reason, 400), severity="warning")
