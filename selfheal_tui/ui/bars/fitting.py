"""Facts in one line: where there is little room, the least important ones grow short, then go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

BETWEEN = " · "


def fitted(forms: Mapping[str, Sequence[str]], order: Sequence[str], room: int) -> str:
    """The facts side by side in at most `room` columns, if their forms allow it.

    `forms` has every form of a fact, the longest first; an empty one leaves it out. Each name in
    `order` takes one more form of it, until all of it fits.
    """
    at = dict.fromkeys(forms, 0)
    shown = _joined(forms, at)
    for name in order:
        if cell_len(shown) <= room:
            break
        at[name] = min(at[name] + 1, len(forms[name]) - 1)
        shown = _joined(forms, at)
    return shown


def _joined(forms: Mapping[str, Sequence[str]], at: Mapping[str, int]) -> str:
    chosen = (each[at[name]] for name, each in forms.items())
    return BETWEEN.join(form for form in chosen if form)
