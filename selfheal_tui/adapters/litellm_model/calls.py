"""Puts tool calls together from the pieces of a stream, whatever the server's habits are.

Known habits: arguments in pieces or whole, the name again in every piece, several calls under one
index, no ids, ids that repeat or change. A call that cannot be read carries its error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from selfheal_tui.agent.ports import ToolCall
from selfheal_tui.core.arguments import read_arguments
from selfheal_tui.errors import ModelAnswerInvalid

MOST_CALLS = 256
"""Calls of one answer."""

_MOST_LOOKS = 64
"""How often one call is read while it comes, which takes as long as it is."""


@dataclass(frozen=True)
class CallPiece:
    """One piece of a call as it streams; what the server leaves out is None or empty."""

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class _Building:
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    looks: int = 0

    @property
    def raw(self) -> str:
        return "".join(self.pieces)

    def is_complete(self) -> bool:
        if not (self.pieces and self.pieces[-1].rstrip().endswith("}")):
            return False
        self.looks += 1
        if self.looks > _MOST_LOOKS:
            return False
        try:
            return isinstance(json.loads(self.raw, strict=False), dict)
        except (ValueError, RecursionError):
            return False


class CallAssembly:
    """The calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Building] = []
        self._at: dict[int | None, _Building] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, piece: CallPiece) -> None:
        """Take the next piece of the stream. Raises ModelAnswerInvalid for too many calls."""
        current = self._at.get(piece.index)
        if current is None and piece.index is None and not piece.name and self._calls:
            current = self._calls[-1]
        if current is None or _begins_another(piece, current):
            if len(self._calls) == MOST_CALLS:
                raise ModelAnswerInvalid(f"the answer has more than {MOST_CALLS} tool calls")
            current = _Building(piece.id, piece.name)
            self._calls.append(current)
            self._at[piece.index] = current
        current.id = current.id or piece.id
        current.name = current.name or piece.name
        if piece.arguments:
            current.pieces.append(piece.arguments)

    def finish(self, *, prefix: str, cut: bool) -> tuple[ToolCall, ...]:
        """The calls. Missing or repeated ids become `prefix` and a number.

        `cut` says that the answer ended at the length limit: a call that cannot be read was then
        cut short, which is what the model is told.
        """
        made: list[ToolCall] = []
        for number, building in enumerate(self._calls, 1):
            taken = {call.id for call in made}
            fresh = building.id and building.id not in taken
            made.append(_read(building, building.id if fresh else f"{prefix}{number}", cut=cut))
        return tuple(made)


def _begins_another(piece: CallPiece, current: _Building) -> bool:
    """Only a piece with a name can begin a call, and only some of those do."""
    if not piece.name or not current.name:
        return False
    if piece.id and current.id:
        return piece.id != current.id
    if piece.name != current.name:
        return True
    return piece.arguments.lstrip().startswith("{") and current.is_complete()


def _read(building: _Building, call_id: str, *, cut: bool) -> ToolCall:
    raw, error = building.raw, ""
    arguments: dict[str, object] = {}
    try:
        arguments = read_arguments(raw, ended=not cut)
        if cut and not raw.strip():
            raise ValueError("there are none")
    except ValueError as problem:
        error = f"the arguments of {building.name or 'this call'} cannot be read: {problem}"
        if cut:
            error = (
                f"the answer was cut at the length limit in the middle of {building.name}; "
                "make the call smaller, or split it"
            )
    if not building.name:
        error = "the call names no tool"
    return ToolCall(call_id, building.name, {} if error else arguments, raw, error)
