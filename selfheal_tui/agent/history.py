"""The conversation with one role: messages are only ever appended, so that caches always hit."""

from __future__ import annotations

from selfheal_tui.agent.ports import Message, Reply


class History:
    """A system message and what followed. Nothing that was said is changed or taken back."""

    def __init__(self, system: str) -> None:
        self._messages = [Message("system", system)]

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def user(self, text: str) -> None:
        """Add the user's words, or the loop's own, to the conversation."""
        self._messages.append(Message("user", text))

    def assistant(self, reply: Reply) -> None:
        self._messages.append(Message("assistant", reply.text, reply.calls))

    def tool(self, call_id: str, text: str) -> None:
        """Answer one call of the last assistant message; each call needs exactly one answer."""
        self._messages.append(Message("tool", text, call_id=call_id))
