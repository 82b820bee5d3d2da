"""A conductor for tests of the interface: it tells what it is given, and keeps what it is asked."""

from __future__ import annotations

from contextlib import asynccontextmanager

from textual.widgets import Static

from selfheal_tui.errors import UsageError
from selfheal_tui.ui.conductor import Asked, Happened
from selfheal_tui.ui.feed import Feed


class FakeConductor:
    """Fits `ui.conductor.Conductor`; `asked` is everything that was asked of it, in order."""

    replayed = False

    def __init__(self, *, files=(), sessions=(), running=False, can_cut=True, refuses=""):
        self.asked = []
        self.running = running
        self._files = files
        self._sessions = sessions
        self._can_cut = can_cut
        self._refuses = refuses
        self._feed = Feed()
        self._at = 0.0

    def tell(self, *news):
        """News for the app; plain events are wrapped."""
        for item in news:
            self._at += 1
            wrapped = type(item).__module__.endswith("conductor")
            self._feed.tell(item if wrapped else Happened(item, self._at))

    async def told(self, pilot):
        """Wait until the app has taken everything."""
        while not self._feed.empty:
            await pilot.pause()
        await pilot.pause()

    def news(self):
        return self._feed.batches()

    def open(self):
        self.asked.append(("open",))

    def start(self, task):
        self.running = True
        self.asked.append(("start", task))

    def say(self, text):
        self.asked.append(("say", text))

    def cancel_step(self):
        self.asked.append(("cancel",))
        return self._can_cut

    def shell(self, command):
        self.asked.append(("shell", command))
        return self._refuses

    def replan(self, items):
        self.asked.append(("replan", items))
        return self._refuses

    def undo(self):
        self.asked.append(("undo",))
        return self._refuses

    def answer(self, given):
        self.asked.append(("answer", given))

    def reply(self, text):
        self.asked.append(("reply", text))

    def stop(self, signal_number):
        self.asked.append(("stop", int(signal_number)))

    def files(self):
        return self._files

    def settings(self):
        return (("model", "scripted"), ("check", ""), ("network", "setup (only then)"))

    def choose(self, name, value):
        self.asked.append(("choose", name, value))
        return f"{name}: {value}"

    def sessions(self):
        return self._sessions

    def preview(self, session):
        self.asked.append(("preview", session))
        return (("task", f"task of {session}"), ("session", session))

    def look(self, session):
        self.asked.append(("look", session))

    def export(self, path):
        self.asked.append(("export", path))
        if self._refuses:
            raise UsageError(self._refuses)
        return f"the transcript is in {path or 'its folder'}"

    def resume(self, session):
        self.asked.append(("resume", session))

    async def close(self):
        self._feed.close()
        return 0


class PlainPane(Static, can_focus=True):
    """Stands in for a pane: keeps the events, and finds what they hold."""

    def __init__(self, name):
        super().__init__(name, id=name, markup=False)
        self.events = []
        self.searched = []
        self.revealed = []

    def fold(self, event, at):
        self.events.append(event)

    def search(self, text):
        self.searched.append(text)
        return len([event for event in self.events if text in str(event)])

    def reveal(self, kind, target):
        self.revealed.append((kind, target))
        return kind == "hunk" and self.id == "diff"


@asynccontextmanager
async def opened(app, **options):
    """The app at rest after its start: the panes are there, and it listens."""
    async with app.run_test(**options) as pilot:
        while ("open",) not in app.conductor.asked:
            await pilot.pause()
        yield pilot


def plain_panes():
    return [PlainPane("reasoning"), PlainPane("diff"), PlainPane("sandbox")]


__all__ = ["Asked", "FakeConductor", "Happened", "PlainPane", "opened", "plain_panes"]
