"""Whether a value read from a file is of the kind that a field wants: files can be changed by hand.

Numbers that are no finite ones fit nowhere.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

LATEST = 253_402_300_800
"""Seconds since the epoch at which the years take five digits: no clock says so."""


def fitted(kind: type, data: Mapping[str, object]) -> dict[str, Any]:
    """The fields of the dataclass `kind` from what JSON had for them: lists become tuples.

    Raises ValueError on a field that is unknown, or of another kind.
    """
    hints = _hints(kind)
    if unknown := data.keys() - hints.keys():
        raise ValueError(f"{kind.__name__} has no field {sorted(unknown)[0]}")
    values = {
        name: _deep_tuple(value) if "tuple" in str(hints[name]) else value
        for name, value in data.items()
    }
    if wrong := [name for name, value in values.items() if not fits(value, hints[name])]:
        raise ValueError(f"{kind.__name__}.{wrong[0]} is of another kind")
    return values


def fits(value: object, hint: Any) -> bool:
    """Whether `value` is of the kind `hint`: plain values, tuples of them, unions."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and _fit_all(value, get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type):
        return isinstance(value, hint)
    return True


def is_time(value: object) -> bool:
    """Whether it is a time as a clock tells it, in seconds since the epoch."""
    return isinstance(value, (int, float)) and fits(value, float) and 0 <= value < LATEST


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The kinds of the fields of a dataclass."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _deep_tuple(value: object) -> object:
    return tuple(_deep_tuple(item) for item in value) if isinstance(value, list) else value


def _fit_all(values: tuple[object, ...], hints: tuple[Any, ...]) -> bool:
    if len(hints) == 2 and hints[1] is Ellipsis:
        return all(fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(fits, values, hints))


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
