"""A plan in parts, told in one line for each of its events: every front-end says the same words."""

from __future__ import annotations

import re

from selfheal_tui.core.events import PartEnded, PartsDeclined, PartsMerged, PartStarted

_SHOWN = 5

PartEvent = PartsDeclined | PartStarted | PartEnded | PartsMerged


_PART = re.compile(r"p(\d)\.")


def part_of(number: str) -> int:
    """The number of the part that this id of a turn, a call or a command belongs to; 0 for none."""
    found = _PART.match(number)
    return int(found[1]) if found else 0


def part_line(event: PartEvent) -> str:
    """What an event of a part says."""
    match event:
        case PartsDeclined(reason):
            return f"one coder does it all: {reason}"
        case PartStarted(number, of, title, files):
            return f"part {number} of {of} started: {title} ({_listed(files)})"
        case PartEnded():
            return _ended(event)
        case PartsMerged():
            return _merged(event)


def _ended(event: PartEnded) -> str:
    reason = f" ({event.reason})" if event.reason else ""
    changed = f"changed {_listed(event.changed)}" if event.changed else "changed nothing"
    dropped = "; what it changed is dropped" if event.changed and not event.taken else ""
    return f"part {event.number} ended: {event.outcome}{reason}, {changed}{dropped}"


def _merged(event: PartsMerged) -> str:
    if not event.numbers:
        return "no part left anything"
    text = f"merged {_parts(event.numbers)}"
    if event.conflicts:
        return f"{text}; they clash in {_listed(event.conflicts)}"
    return text


def _parts(numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return f"part {numbers[0]}"
    return f"parts {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
