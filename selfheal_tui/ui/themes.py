"""Themes are data: TOML files whose keys are the fields of Textual's Theme.

A file of the user's folder with the name of a built-in theme takes its place. Refuses keys and
values that are not understood, with the file's name and the nearest key.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomli
from textual.color import Color, ColorParseError
from textual.theme import Theme

from selfheal_tui.errors import SettingsError

DARK = "selfheal-dark"
LIGHT = "selfheal-light"

_FLAGS = {"dark", "ansi"}
_NUMBERS = {"luminosity_spread", "text_alpha"}


def load_themes(builtin: Path, own: Path | None) -> list[Theme]:
    """The themes of both folders, by name. Raises SettingsError naming the file."""
    themes: dict[str, Theme] = {}
    for folder in (builtin, own):
        if folder is None or not folder.is_dir():
            continue
        for file in sorted(folder.glob("*.toml")):
            theme = _theme(file)
            themes[theme.name] = theme
    return [themes[name] for name in sorted(themes)]


def _theme(file: Path) -> Theme:
    try:
        data = tomli.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    data.setdefault("name", file.stem)
    known = [field.name for field in fields(Theme)]
    for key, value in data.items():
        if key not in known:
            raise SettingsError(f"{file}: unknown key `{key}`{_nearest(key, known)}")
        _check(file, key, value)
    if "primary" not in data:
        raise SettingsError(f"{file}: `primary` is missing; a theme needs at least this colour")
    return Theme(**data)


def _check(file: Path, key: str, value: Any) -> None:
    if key in _FLAGS:
        _require(isinstance(value, bool), file, f"`{key}` must be true or false")
    elif key in _NUMBERS:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        _require(number and 0 <= value <= 1, file, f"`{key}` must be a number from 0 to 1")
    elif key == "variables":
        _check_variables(file, value)
    else:
        _require(isinstance(value, str), file, f"`{key}` must be a string")
        if key != "name":
            _check_colour(file, key, value)


def _check_variables(file: Path, value: Any) -> None:
    table = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    _require(table, file, "`variables` must be a table of strings")
    known = Theme("known", primary="#000000").to_color_system().generate()
    for name, text in value.items():
        if name not in known and name not in _SPECIAL:
            near = _nearest(name, [*known, *_SPECIAL])
            raise SettingsError(f"{file}: unknown key `variables.{name}`{near}")
        # A variable may hold a colour with a percentage, or a text style: only hex can be judged.
        if text.startswith("#"):
            _check_colour(file, f"variables.{name}", text.split(" ")[0])


def _check_colour(file: Path, key: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise SettingsError(f"{file}: `{key}` must be a colour, not {value!r}") from error


def _require(holds: bool, file: Path, sentence: str) -> None:
    if not holds:
        raise SettingsError(f"{file}: {sentence}")


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


_SPECIAL = ("ansi-background", "ansi-foreground")
"""Variables that Textual reads, but does not make by itself."""
