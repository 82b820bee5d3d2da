"""The conversation with one role: messages are only ever appended, so that caches always hit.

Only a compaction, where the model's context is nearly full, makes it shorter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from selfheal_tui.agent.compaction import first_of_last_turns
from selfheal_tui.agent.ports import Message, Reply, ToolCall


def _nothing() -> str:
    return ""


class History:
    """A system message and what followed. `record` tells what was reached so far, to be said again
    where the turns that led there are shortened."""

    def __init__(self, system: str, record: Callable[[], str] = _nothing) -> None:
        self._messages = [Message("system", system)]
        self._record = record
        self._recorded: Message | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def user(self, text: str) -> None:
        """Add the user's words, or the loop's own, to the conversation."""
        self._messages.append(Message("user", text))

    def assistant(self, reply: Reply) -> Reply:
        """Add an answer; it comes back with the ids that its calls have in this conversation."""
        kept = replace(reply, calls=self._with_own_ids(reply.calls))
        self._messages.append(Message("assistant", kept.text, kept.calls))
        return kept

    def tool(self, call_id: str, text: str) -> None:
        """Answer one call of the last assistant message; each call needs exactly one answer."""
        self._messages.append(Message("tool", text, call_id=call_id))

    def _with_own_ids(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """Servers that number the calls of each answer anew repeat ids, and so does a compaction
        where calls are counted: some providers refuse a conversation with the same id twice."""
        taken = {call.id for message in self._messages for call in message.calls}
        made: list[ToolCall] = []
        for call in calls:
            fresh = (f"{call.id}_{number}" for number in itertools.count(2))
            own = next(name for name in itertools.chain((call.id,), fresh) if name not in taken)
            taken.add(own)
            made.append(call if own == call.id else replace(call, id=own))
        return tuple(made)

    def compact(self, shorter: Sequence[Message]) -> None:
        """Go on from `shorter`, with the record as it is now ahead of the last turn."""
        kept = [message for message in shorter if message is not self._recorded]
        record = self._record()
        self._recorded = Message("user", record) if record else None
        if self._recorded:
            kept.insert(first_of_last_turns(kept, 1), self._recorded)
        self._messages = kept
