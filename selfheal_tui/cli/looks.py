"""Which theme the interface starts with: the settings' one, else the one chosen last.

What was chosen is kept in a small file of the state folder. A damaged one counts as none.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.errors import SelfhealError, SettingsError
from selfheal_tui.resources import themes_folder
from selfheal_tui.settings import UiSettings
from selfheal_tui.ui.looks import Look
from selfheal_tui.ui.themes import DARK, one_theme, usable_themes

if TYPE_CHECKING:
    from textual.theme import Theme

    from selfheal_tui.cli.place import Place

_FILE = "theme"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def look_of(place: Place, ui: UiSettings) -> Look:
    """The look at the start. Only one theme is read for it; the others come when it is drawn.

    Raises SettingsError where the settings name a theme that is not there, or cannot be used.
    """
    folders = themes_folder(), place.config / "themes"
    state = place.state()
    name, made = _named(ui.theme, *folders) if ui.theme else _chosen_last(state, *folders)
    return Look(name, made, partial(usable_themes, *folders), partial(remember, state))


def remember(state: Path, name: str) -> None:
    """Keep a choice for the next start. Raises SelfhealError where it cannot be written."""
    fresh = state / f".{_FILE}.{secrets.token_hex(4)}"
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{name}\n")
        fresh.replace(state / _FILE)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise SelfhealError(f"{state / _FILE} cannot be written: {error.strerror}") from error


def remembered(state: Path) -> str:
    """The theme chosen last; empty where none was, or what is kept is no name of one."""
    try:
        handle = os.open(state / _FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        name = os.read(handle, 100).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(handle)
    return name if _NAME.fullmatch(name) else ""


def _named(name: str, builtin: Path, own: Path) -> tuple[str, Sequence[Theme]]:
    theme = one_theme(name, builtin, own) if _NAME.fullmatch(name) else None
    if theme:
        return name, (theme,)
    from textual.theme import BUILTIN_THEMES

    # Its file may have another name; and Textual brings some of its own.
    themes, problems = usable_themes(builtin, own)
    known = {each.name: each for each in (*BUILTIN_THEMES.values(), *themes)}
    if name in known:
        return name, (known[name],)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(sorted(known))}"
    left_out = "".join(f" ({problem})" for problem in problems)
    raise SettingsError(f"`ui.theme`: there is no theme `{name}`{hint}{left_out}")


def _chosen_last(state: Path, builtin: Path, own: Path) -> tuple[str, Sequence[Theme]]:
    try:
        return _named(remembered(state) or DARK, builtin, own)
    except SettingsError:
        # It is gone, or broken: that is said with the other themes, once there is a screen.
        return _plain(builtin)


def _plain(builtin: Path) -> tuple[str, Sequence[Theme]]:
    theme = one_theme(DARK, builtin, None)
    return (DARK, (theme,)) if theme else ("textual-dark", ())
