"""Takes secrets out of events before anybody sees them, also a secret that comes in two pieces.

What may be the beginning of one waits for the next piece, or for the end of what it is a piece of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from selfheal_tui.core.events import (
    CommandEnded,
    CommandPrinted,
    Event,
    ReasoningStreamed,
    SessionEnded,
    StepEnded,
    StepProgressed,
    TextStreamed,
    TurnEnded,
    TurnRetried,
)
from selfheal_tui.core.redact import Redactor, redacted

MOST_HELD = 16 * 1024
"""Characters that wait at most: what looks like a key block for longer is told, its beginning
redacted."""

_LOOKED_AT = 512
"""Characters that wait and are looked at with every piece; more only as often as they grow by a
quarter, so that a flood of small pieces takes time by its length, not by its square."""

Piece = CommandPrinted | TextStreamed | ReasoningStreamed | StepProgressed


class Discretion:
    """Redacts the events of one session, in their order."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: dict[tuple[type, str], Piece] = {}
        self._look: dict[tuple[type, str], int] = {}

    def told(self, event: Event) -> Iterator[Event]:
        """What may be told now: pieces that waited, then the event itself; nothing of a piece that
        has to wait."""
        match event:
            case CommandPrinted() | TextStreamed() | ReasoningStreamed() | StepProgressed():
                yield from self._piece(event)
                return
            case TurnRetried():
                # What was streamed of it is void.
                self._held = {key: held for key, held in self._held.items() if key[1] != event.id}
            case CommandEnded() | TurnEnded() | StepEnded():
                yield from self._rest(event.id)
            case SessionEnded():
                yield from self._rest(None)
            case _:
                pass
        yield redacted(event, self._redactor)

    def _piece(self, piece: Piece) -> Iterator[Event]:
        key = type(piece), piece.id
        held = self._held.pop(key, None)
        text = held.text + piece.text if held else piece.text
        if held and len(text) < self._look.get(key, 0):
            self._held[key] = replace(piece, text=text)
            return
        cut = self._redactor.unfinished(text)
        if len(text) - cut > MOST_HELD:
            cut = len(text)
        if cut < len(text):
            self._held[key] = replace(piece, text=text[cut:])
        waits = len(text) - cut
        self._look[key] = waits * 5 // 4 if waits > _LOOKED_AT else 0
        if cut:
            yield replace(piece, text=self._redactor.redact(text[:cut]))

    def _rest(self, of: str | None) -> Iterator[Event]:
        """What still waits of the thing with this id, or of all of them."""
        for key in [key for key in self._held if of is None or key[1] == of]:
            self._look.pop(key, None)
            yield redacted(self._held.pop(key), self._redactor)
