"""Calls for a user who looks elsewhere: by bell, by a mark in the terminal's title, by a
notification of the desktop. Each can be turned off.

Loaded after the first frame. Refuses to send a terminal anything of a text but what can be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from selfheal_tui.core.text import one_line
from selfheal_tui.settings import UiSettings

if TYPE_CHECKING:
    from textual.app import App

BELL = "\x07"
_ESC, _END = "\x1b", "\x07"

LONGEST = 120
"""Characters of a text in a title or a notification."""

NAME = "selfheal"

NO_TITLES = frozenset({"linux"})
"""Terminals that have neither a title nor a desktop."""


class Attention:
    """Knows whether the app waits for its user, and whether the terminal has the focus.

    `write` is where sequences for the terminal go; `environment` tells which terminal it is.
    """

    def __init__(
        self,
        app: App[Any],
        settings: UiSettings,
        environment: Mapping[str, str],
        write: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._environment = environment
        self._write = write or _writer(app)
        self._waits = ""
        self._until_seen = False
        self._marked = False
        app.watch(app, "app_focus", self._mark, init=False)

    def call(self, text: str, *, until_seen: bool = False) -> None:
        """The app waits for its user: `text` says for what. With `until_seen` a look is enough."""
        self._waits, self._until_seen = text, until_seen
        self._mark()
        if self._app.app_focus:
            return
        if self._settings.bell:
            self._write(BELL)
        if self._settings.notify:
            self._write(notification(text, self._environment))

    def rest(self) -> None:
        """Nothing waits any more; the title is what it was."""
        self._waits = ""
        self._mark()

    def _mark(self) -> None:
        """Mark the title while something waits and the user looks elsewhere."""
        if self._until_seen and self._app.app_focus:
            self._waits = ""
        wanted = bool(self._waits) and not self._app.app_focus
        wanted = wanted and self._settings.title and _has_title(self._environment)
        if wanted:
            self._write(marked_title(self._waits, anew=not self._marked))
        elif self._marked:
            self._write(title_before())
        self._marked = wanted


def marked_title(text: str, *, anew: bool) -> str:
    """Sets the title; with `anew` the terminal keeps the one before on its stack of titles."""
    kept = f"{_ESC}[22;0t" if anew else ""
    return f"{kept}{_ESC}]2;\u25cf {NAME}: {_plain(text)}{_END}"


def title_before() -> str:
    """Brings back the title of before; a terminal without such a stack is left with our name."""
    return f"{_ESC}]2;{NAME}{_END}{_ESC}[23;0t"


def notification(text: str, environment: Mapping[str, str]) -> str:
    """The sequence that this terminal takes for a notification; empty where it can take none.

    Two sequences would be two notifications in a terminal that knows both.
    """
    if not _has_title(environment):
        return ""
    terminal = environment.get("TERM", "")
    if "VTE_VERSION" in environment or terminal.startswith(("foot", "rxvt")):
        return f"{_ESC}]777;notify;{NAME};{_plain(text)}{_END}"
    # The name comes first: after OSC 9 a number would be a command of some terminals.
    return f"{_ESC}]9;{NAME}: {_plain(text)}{_END}"


def _has_title(environment: Mapping[str, str]) -> bool:
    return environment.get("TERM", "") not in NO_TITLES


def _plain(text: str) -> str:
    """Printable characters only, and none that divides the parts of a sequence."""
    line = one_line(text, LONGEST).replace(";", ",")
    return "".join(character for character in line if character.isprintable())


def _writer(app: App[Any]) -> Callable[[str], None]:
    def write(sequence: str) -> None:
        # Textual offers a bell, and no other way to its driver; a headless one draws nowhere.
        driver = app._driver
        if driver is not None and not app.is_headless:
            driver.write(sequence)

    return write
