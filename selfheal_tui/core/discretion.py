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

Piece = CommandPrinted | TextStreamed | ReasoningStreamed | StepProgressed


class Discretion:
    """Redacts the events of one session, in their order."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: dict[tuple[type, str], Piece] = {}

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
        cut = self._redactor.unfinished(text)
        if len(text) - cut > MOST_HELD:
            cut = len(text)
        if cut < len(text):
            self._held[key] = replace(piece, text=text[cut:])
        if cut:
            yield replace(piece, text=self._redactor.redact(text[:cut]))

    def _rest(self, of: str | None) -> Iterator[Event]:
        """What still waits of the thing with this id, or of all of them."""
        for key in [key for key in self._held if of is None or key[1] == of]:
            yield redacted(self._held.pop(key), self._redactor)
