"""The keys as a table, made from the bindings: for the help screen and the README."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textual.binding import Binding, BindingType

_NAMES = {
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "full_stop": ".",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
}


@dataclass(frozen=True)
class Keys:
    """The keys of one place: pairs of the keys' names and what they do."""

    place: str
    rows: tuple[tuple[str, str], ...]


def keys_of(place: str, bindings: Iterable[BindingType]) -> Keys:
    """The described bindings of a place, in their order."""
    made = (binding for given in bindings for binding in _bindings(given))
    return Keys(place, tuple((shown(b), b.description) for b in made if b.description))


def _bindings(given: BindingType) -> Iterator[Binding]:
    yield given if isinstance(given, Binding) else Binding(*given)


def shown(binding: Binding) -> str:
    """`ctrl+j,shift+enter` as `Ctrl+J, Shift+Enter`."""
    return binding.key_display or ", ".join(_key(key.strip()) for key in binding.key.split(","))


def _key(key: str) -> str:
    *modifiers, last = key.split("+")
    name = _NAMES.get(last) or (last.upper() if modifiers or _is_function_key(last) else last)
    return "+".join([*(part.capitalize() for part in modifiers), name])


def _is_function_key(name: str) -> bool:
    return name[:1] == "f" and name[1:].isdigit()
