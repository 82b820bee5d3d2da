"""Whether a finish reason came from the server. litellm makes one up where none came.

Reads two of the library's inner attributes, and falls back to what the chunks say when a version
of it does not have them; the adapter's tests notice that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any


class FinishWitness:
    """Watches one stream of litellm's for the server's own finish reason."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._gemini = False
        self._gemini_finished = False

    def watch(self) -> None:
        """Begin, before the first chunk is read.

        Gemini's chunks all say `stop` by the time the library hands them out, so its parser is
        listened to; the library makes it when the first chunk is asked for.
        """
        make = getattr(self._stream, "make_call", None)
        if getattr(self._stream, "completion_stream", None) is not None:
            self._attach(self._stream.completion_stream)
        elif make is not None:
            self._stream.make_call = self._attaching(make)

    def given(self, seen: str) -> bool:
        """Whether there was one; `seen` is the last finish reason that the chunks carried."""
        if self._gemini:
            return self._gemini_finished
        return bool(getattr(self._stream, "received_finish_reason", seen))

    def _attaching(self, make: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def make_and_attach(*args: Any, **kwargs: Any) -> Any:
            source = await make(*args, **kwargs)
            self._attach(source)
            return source

        return make_and_attach

    def _attach(self, source: Any) -> None:
        if "gemini" in type(source).__module__ and hasattr(source, "chunk_parser"):
            self._gemini = True
            source.chunk_parser = self._listening(source.chunk_parser)

    def _listening(self, parse: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def parse_and_note(chunk: dict[str, Any]) -> Any:
            for candidate in chunk.get("candidates") or ():
                if isinstance(candidate, Mapping) and candidate.get("finishReason"):
                    self._gemini_finished = True
            return parse(chunk)

        return parse_and_note
