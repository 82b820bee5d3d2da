"""Names and values in two columns, each value whole: long ones go on below themselves."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Grid
from textual.widgets import Static

from selfheal_tui.core.text import printable


class Pairs(Grid):
    """Shows pairs of a name and a value; text from outside is made printable."""

    DEFAULT_CSS = """
    Pairs {
        grid-size: 2;
        grid-columns: 10 1fr;
        grid-rows: auto;
        height: auto;
    }
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pairs = pairs

    def compose(self) -> ComposeResult:
        for name, value in self._pairs:
            yield Static(printable(name), classes="name", markup=False)
            yield Static(printable(value), classes="value", markup=False)
