"""Makes a conversation shorter, by rule and the same way each time; no model is asked.

Refuses to touch what a human or the loop said, and never parts a tool's answer from its call.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from selfheal_tui.agent.ports import Message, ToolCall
from selfheal_tui.core.text import cut_middle, one_line

MAX_RESULT = 240
"""Characters of an older tool result: what is not longer stays as it is."""

MAX_VALUE = 200
"""Characters of one value in an older call's arguments."""

MAX_TEXT = 400
"""Characters of an older answer of the model."""

MAX_LAST = 2_000
"""Characters of a result, a text or a value of the last turns, where nothing else makes the
request fit."""


@dataclass(frozen=True)
class Cut:
    """One way to shorten. The last `whole` turns stay; older ones are shortened, or left out with
    `drop`; with `shorten_last` the calls and results of the last turns are cut too."""

    whole: int
    drop: bool = False
    shorten_last: bool = False


CUTS = (
    Cut(6),
    Cut(3),
    Cut(1),
    Cut(6, drop=True),
    Cut(3, drop=True),
    Cut(1, drop=True),
    Cut(1, drop=True, shorten_last=True),
)
"""From the one that takes the least."""


def shorter(
    messages: Sequence[Message], fits: Callable[[Sequence[Message]], bool]
) -> tuple[Message, ...]:
    """`messages` after the first of `CUTS` that makes them fit, or after the last one.

    The system message and all of role user are in the result word for word.
    """
    made: tuple[Message, ...] = tuple(messages)
    for cut in CUTS:
        made = tuple(_cut(messages, cut))
        if fits(made):
            break
    return made


def first_of_last_turns(messages: Sequence[Message], turns: int) -> int:
    """Where the last `turns` answers of the model begin: the length, where there are none."""
    answers = [at for at, message in enumerate(messages) if message.role == "assistant"]
    return answers[-turns] if len(answers) >= turns else (answers or [len(messages)])[0]


def _cut(messages: Sequence[Message], cut: Cut) -> Iterator[Message]:
    at = first_of_last_turns(messages, cut.whole)
    older, last = messages[:at], messages[at:]
    yield from _dropped(older) if cut.drop else _shortened(older)
    for message in last:
        if cut.shorten_last and message.role in ("assistant", "tool"):
            calls = tuple(_short_call(call, MAX_LAST) for call in message.calls)
            yield replace(message, text=cut_middle(message.text, MAX_LAST), calls=calls)
        else:
            yield message


def _shortened(messages: Sequence[Message]) -> Iterator[Message]:
    calls: dict[str, ToolCall] = {}
    for message in messages:
        match message.role:
            case "assistant":
                # Ids may repeat from turn to turn: an answer belongs to the call just before it.
                calls.update((call.id, call) for call in message.calls)
                text = cut_middle(message.text, MAX_TEXT)
                yield replace(message, text=text, calls=tuple(map(_short_call, message.calls)))
            case "tool":
                yield replace(message, text=_note(calls.get(message.call_id), message.text))
            case _:
                yield message


def _note(call: ToolCall | None, text: str) -> str:
    """What was called and how it ended, in place of a long result."""
    if len(text) <= MAX_RESULT:
        return text
    called = f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}" if call else "a tool"
    lines = text.strip().splitlines() or [""]
    ended = one_line(lines[0], 60) + (f" ... {one_line(lines[-1], 60)}" if lines[1:] else "")
    return f"[{one_line(called, 60)}: {ended}; {len(text)} characters, shortened]"


def _short_call(call: ToolCall, most: int = MAX_VALUE) -> ToolCall:
    if len(call.raw) <= most and len(json.dumps(call.arguments)) <= most:
        return call
    arguments = {name: _short_value(value, most) for name, value in call.arguments.items()}
    # What a provider is sent must stay an object of JSON; a call in the text keeps both ends.
    is_json = call.raw.lstrip().startswith("{") and not call.error
    raw = json.dumps(arguments) if is_json else cut_middle(call.raw, most)
    return replace(call, arguments=arguments, raw=raw)


def _short_value(value: object, most: int) -> object:
    if isinstance(value, str):
        return cut_middle(value, most)
    text = json.dumps(value)
    return value if len(text) <= most else one_line(text, most)


def _dropped(messages: Sequence[Message]) -> Iterator[Message]:
    """What is left without the turns of the model: each row of them becomes one line."""
    names: Counter[str] = Counter()
    turns = 0
    for message in messages:
        if message.role == "assistant":
            turns += 1
            names.update(call.name for call in message.calls)
        elif message.role != "tool":
            if turns:
                yield _left_out(turns, names)
                turns, names = 0, Counter()
            yield message
    if turns:
        yield _left_out(turns, names)


def _left_out(turns: int, names: Counter[str]) -> Message:
    called = ", ".join(f"{name} {count}x" for name, count in sorted(names.items())) or "no call"
    return Message("user", f"[{turns} earlier turns of yours were left out here: {called}]")
