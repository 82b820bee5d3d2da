"""Reads sandbox profiles from their folders: the built-in ones, and the user's own.

Refuses what a profile does not know, so that a slip of the pen is never a weaker sandbox.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import MISSING, fields
from fnmatch import fnmatchcase
from pathlib import Path

import tomli

from selfheal_tui.core.profile import Profile
from selfheal_tui.errors import SettingsError

FILE = "sandbox.toml"
GENERIC = "generic"
LOCAL = "local"
"""The name of the sandbox that is no container; no profile may take it."""

_ORDER = ("python", "node")
"""Built-in profiles that are asked first, for trees that speak for several."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEAST = {"memory_mb": 64, "disk_mb": 16, "pids": 16, "cpus": 0}


def read_profiles(builtin: Path, own: Path | None = None) -> tuple[Profile, ...]:
    """All profiles, in the order in which `detect` asks them: the user's, then the built-in ones.

    A user's profile takes the place of a built-in one of the same name. Folders without a
    `sandbox.toml` are no profiles. Raises SettingsError, naming the file.
    """
    users = _read_folder(own) if own else []
    taken = {profile.name for profile in users}
    rest = [profile for profile in _read_folder(builtin) if profile.name not in taken]
    rest.sort(key=lambda profile: (profile.name not in _ORDER, profile.name != _ORDER[0]))
    return (*users, *rest)


def detect(profiles: Sequence[Profile], root_file_names: Collection[str]) -> Profile:
    """The first profile that the tree's root speaks for, else `generic`.

    Full names count before patterns (`*.py`): a stray script is no project of its language.
    """
    for profile in profiles:
        if any(name in root_file_names for name in profile.detect if not _is_pattern(name)):
            return profile
    for profile in profiles:
        patterns = [name for name in profile.detect if _is_pattern(name)]
        if any(fnmatchcase(name, pattern) for name in root_file_names for pattern in patterns):
            return profile
    return named(profiles, GENERIC)


def named(profiles: Sequence[Profile], name: str) -> Profile:
    """The profile called `name`. Raises SettingsError with the nearest name."""
    for profile in profiles:
        if profile.name == name:
            return profile
    known = [profile.name for profile in profiles]
    raise SettingsError(
        f"there is no sandbox profile `{name}`{_nearest(name, known)}"
        f" (known: {', '.join(sorted(known))}, {LOCAL})"
    )


def read_profile(folder: Path) -> Profile:
    """The profile in `folder`. Raises SettingsError, naming the file and the nearest key."""
    file = folder / FILE
    name = folder.name
    if not _NAME.fullmatch(name) or name == LOCAL:
        raise SettingsError(f"{folder}: `{name}` cannot be the name of a sandbox profile")
    if not (folder / "Dockerfile").is_file():
        raise SettingsError(f"{folder}: a sandbox profile needs a Dockerfile")
    try:
        data = tomli.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{file}: {error}") from error
    known = [item.name for item in fields(Profile) if item.name not in ("name", "folder")]
    for key in data:
        if key not in known:
            raise SettingsError(f"{file}: unknown key `{key}`{_nearest(key, known)}")
    values = {key: _valid(key, value, file) for key, value in data.items()}
    return Profile(name=name, folder=str(folder), **values)  # type: ignore[arg-type]


def _read_folder(folder: Path) -> list[Profile]:
    try:
        found = sorted(path for path in folder.iterdir() if (path / FILE).is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SettingsError(f"{folder}: {error.strerror}") from error
    return [read_profile(path) for path in found]


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _valid(key: str, value: object, file: Path) -> object:
    default = _default(key)
    match default:
        case bool():
            fits = isinstance(value, bool)
        case int():
            fits = type(value) is int
        case float():
            fits = type(value) in (int, float) and math.isfinite(float(str(value)))
        case str():
            fits = isinstance(value, str)
        case dict():
            fits = _is_environment(value)
        case _:
            fits = isinstance(value, list) and all(isinstance(part, str) for part in value)
    if not fits:
        raise SettingsError(f"{file}: `{key}` must be {_word(default)}, not {value!r}")
    if key in _LEAST and isinstance(value, (int, float)) and value < _LEAST[key]:
        raise SettingsError(f"{file}: `{key}` must be at least {_LEAST[key]}, not {value}")
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    return tuple(value) if isinstance(value, list) else value


def _default(key: str) -> object:
    item = next(item for item in fields(Profile) if item.name == key)
    return item.default_factory() if item.default_factory is not MISSING else item.default


def _is_environment(value: object) -> bool:
    return isinstance(value, dict) and all(
        _VARIABLE.fullmatch(name) and isinstance(text, str) and "\0" not in text
        for name, text in value.items()
    )


def _word(default: object) -> str:
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a string",
        dict: "a table of strings",
    }
    return words.get(type(default), "a list of strings")


def _nearest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
