"""The theme while the interface runs: which ones there are, and that the last choice is remembered.

Loaded after the first frame, but for the values; refuses to know of files.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfheal_tui.errors import SelfhealError

if TYPE_CHECKING:
    from textual.theme import Theme

    from selfheal_tui.ui.app import SelfhealApp


@dataclass(frozen=True)
class Look:
    """How the interface looks at the start, by the name of a theme; `made` are themes that are
    registered first. `others` reads all there are, with a sentence for each that cannot be used;
    `remember` keeps a choice for the next start, and raises SelfhealError where it cannot."""

    name: str
    made: Sequence[Theme]
    others: Callable[[], tuple[Sequence[Theme], Sequence[str]]]
    remember: Callable[[str], None]


def keep_look(app: SelfhealApp, look: Look) -> None:
    """Offer every theme, and remember what is chosen from now on."""
    themes, problems = look.others()
    for theme in themes:
        app.register_theme(theme)
    for problem in problems:
        app.say_so(f"a theme was left out: {problem}", severity="warning")

    def changed(theme: Theme) -> None:
        try:
            look.remember(theme.name)
        except SelfhealError as error:
            app.say_so(f"this theme is for now only: {error}", severity="warning")

    app.theme_changed_signal.subscribe(app, changed)


def choose_theme(app: SelfhealApp, name: str) -> None:
    """Switch to a theme, or say which name is near."""
    if name in app.available_themes:
        app.theme = name
        return
    near = difflib.get_close_matches(name, app.available_themes, n=1, cutoff=0.5)
    ours = ", ".join(sorted(each for each in app.available_themes if each.startswith("selfheal")))
    hint = f"did you mean {near[0]}?" if near else f"there are {ours} and more: /theme lists them"
    app.say_so(f"there is no theme {name}; {hint}", severity="warning")
