"""Themes are data: TOML files whose keys are the fields of Textual's Theme.

A file of the user's folder with the name of a built-in theme takes its place. Refuses keys and
values that are not understood, with the file's name and the nearest key.
"""

from __future__ import annotations

import difflib
import re
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

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The name becomes a class of the style sheet."""

_SHARE = re.compile(r"\d{1,3}(\.\d+)?%")
_STYLES = frozenset(
    (
        *("none", "not", "b", "bold", "dim", "i", "italic", "u", "underline", "uu", "o"),
        *("overline", "strike", "reverse", "blink"),
    )
)
_WORDS = ("auto", "transparent", "initial")
"""What a variable may say in place of a colour."""

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


def usable_themes(builtin: Path, own: Path) -> tuple[list[Theme], list[str]]:
    """The themes of both folders, by name; and a sentence for each file that cannot be used."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for file in (*sorted(builtin.glob("*.toml")), *sorted(own.glob("*.toml"))):
        try:
            theme = _theme(file)
            themes[theme.name] = theme
        except SettingsError as error:
            problems.append(str(error))
    return [themes[name] for name in sorted(themes)], problems


def one_theme(name: str, builtin: Path, own: Path | None) -> Theme | None:
    """The theme of this name, read from the one file that is called so; None where there is none.

    Raises SettingsError naming the file.
    """
    for folder in (own, builtin):
        file = folder / f"{name}.toml" if folder else None
        if file and file.is_file():
            theme = _theme(file)
            return theme if theme.name == name else None
    return None


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
    theme = Theme(**data)
    try:
        theme.to_color_system().generate()
    except (ColorParseError, ValueError) as error:
        raise SettingsError(f"{file}: no colours can be made of it: {error}") from error
    return theme


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
        if key == "name":
            is_name = _NAME.fullmatch(value) is not None
            _require(is_name, file, f"`name` must be letters, digits, - and _, not {value!r}")
        else:
            _check_colour(file, key, value)


def _check_variables(file: Path, value: Any) -> None:
    table = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    _require(table, file, "`variables` must be a table of strings")
    known = Theme("known", primary="#000000").to_color_system().generate()
    for name, text in value.items():
        if name not in known and name not in _SPECIAL:
            near = _nearest(name, [*known, *_SPECIAL])
            raise SettingsError(f"{file}: unknown key `variables.{name}`{near}")
        _check_variable(file, f"variables.{name}", text)


def _check_variable(file: Path, key: str, text: str) -> None:
    """A variable holds a text style where its name says so, else a colour, which may be `auto`
    and may have a percentage. A wrong one would end the interface when it is drawn."""
    if "style" in key:
        is_style = all(word in _STYLES for word in text.split())
        _require(is_style, file, f"`{key}` must be a text style, not {text!r}")
        return
    colour, _, share = text.strip().partition(" ")
    if colour not in _WORDS:
        _check_colour(file, key, colour)
    is_share = not share or _SHARE.fullmatch(share) is not None
    _require(is_share, file, f"`{key}` must be a colour, not {text!r}")


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
