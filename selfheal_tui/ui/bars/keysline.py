"""The last line: the keys that count where the focus is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.app import ComposeResult
from textual.compose import compose
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer


class KeysLine(Footer):
    """Makes only the keys that are new. Textual's makes all of them whenever one might be: half of
    the work of a move of the focus."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=True)
        self._told: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.app.app_focus:
            told = [
                (binding, enabled, tooltip)
                for _, binding, enabled, tooltip in screen.active_bindings.values()
                if binding.show or binding.key == self.app.COMMAND_PALETTE_BINDING
            ]
            if told == self._told:
                return
            self._told = told
        super().bindings_changed(screen)

    def compose(self) -> ComposeResult:
        for key in super().compose():
            compact = getattr(type(key), "compact", None)
            if isinstance(compact, Reactive) and not key.has_class("-command-palette"):
                # What it is bound to says so anyway, but later: it would be styled twice more.
                key.set_reactive(compact, self.compact)
            yield key

    async def recompose(self) -> None:
        if not self.is_attached:
            return
        made = {_said(key): key for key in compose(self)}
        there = {_said(key): key for key in self.children}
        if [each for each in made if each in there] != [each for each in there if each in made]:
            await super().recompose()
            return
        async with self.batch():
            await self.remove_children([key for said, key in there.items() if said not in made])
            for keys, before in _gaps(made, there):
                # The app may have ended meanwhile.
                if self.is_attached:
                    await self.mount(*keys, before=before)


def _gaps(
    made: Mapping[object, Widget], there: Mapping[object, Widget]
) -> Iterator[tuple[list[Widget], Widget | None]]:
    """The keys that are made and not there, with the next one that is."""
    new: list[Widget] = []
    for said, key in made.items():
        if said not in there:
            new.append(key)
        elif new:
            yield new, there[said]
            new = []
    if new:
        yield new, None


def _said(part: Widget) -> object:
    """What a key shows and does; any other part of the line is equal to itself only."""
    told = [getattr(part, name, None) for name in ("key", "key_display", "description", "action")]
    # How close they stand is bound to the line: all that are there follow it.
    classes = part.classes - {"-compact"}
    return part if None in told else (*told, classes, str(part.tooltip))
