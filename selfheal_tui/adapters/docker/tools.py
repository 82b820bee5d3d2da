"""Commands of our own inside the container: what they read, print, and mean by their exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from selfheal_tui.adapters.docker import scripts
from selfheal_tui.adapters.docker.channel import TOOL, Channel, Command, Hear
from selfheal_tui.errors import SandboxError, SandboxLost

T = TypeVar("T", covariant=True)

TOOL_SECONDS = 120.0
MOST_SAID = 64 * 1024
"""Bytes that a script of ours may print where nothing else is said."""


@dataclass(frozen=True)
class Feed:
    """Standard input of a command: `pieces` makes it anew each time; `size` is its length."""

    size: int
    pieces: Callable[[], Iterable[bytes]]


NOTHING = Feed(0, tuple)


def fed(content: bytes) -> Feed:
    """Bytes as standard input."""
    return Feed(len(content), lambda: (content,))


class Reader(Protocol[T]):
    """Makes something of a script's output as it comes; both may refuse it with an error."""

    def feed(self, piece: bytes) -> None: ...

    def close(self) -> T: ...


class Tools:
    """Runs scripts of `scripts` over a channel, one at a time."""

    def __init__(self, channel: Channel, memory_mb: int) -> None:
        self._channel = channel
        self._memory_mb = memory_mb

    async def stream(self, script: bytes, hear: Hear, feed: Feed = NOTHING) -> int:
        """The exit code; output goes to `hear`. Raises SandboxLost when it never ends: something
        inside is in its way, and a fresh container has none of that."""
        command = Command(script, TOOL, feed.size)
        outcome = await self._channel.run(
            command, hear, timeout=TOOL_SECONDS, feed=feed.pieces() if feed.size else ()
        )
        if outcome.timed_out:
            raise SandboxLost(f"the sandbox did not answer within {TOOL_SECONDS:g} s")
        if outcome.out_of_memory and outcome.exit_code:
            # No command is left but this one: it is files that fill the memory.
            raise SandboxLost(f"the sandbox's {self._memory_mb} MiB of memory are full of files")
        return outcome.exit_code

    async def run(
        self, script: bytes, feed: Feed = NOTHING, *, most: int = MOST_SAID
    ) -> tuple[int, bytes]:
        """Exit code and output. Raises SandboxError when that is more than `most` bytes."""
        output = bytearray()

        def add(piece: bytes) -> None:
            output.extend(piece)
            if len(output) > most:
                raise SandboxError(f"the sandbox answers with more than the {most} bytes asked for")

        code = await self.stream(script, add, feed)
        return code, bytes(output)

    async def sure(self, script: bytes, fault: str, feed: Feed = NOTHING) -> None:
        """Run what has to work and prints nothing. Raises as `answer` does."""
        await self.answer(script, _Silence, fault, feed)

    async def answer(
        self, script: bytes, reader: Callable[[], Reader[T]], fault: str, feed: Feed = NOTHING
    ) -> T:
        """What a new `reader` makes of the output of what has to work; tried once more with mended
        rights on the tree.

        Raises SandboxError that begins with `fault` and ends with what the tools said.
        """
        for attempt in range(2):
            if attempt:
                await self.run(scripts.MEND)
            reading = reader()
            if not await self.stream(script, reading.feed, feed):
                return reading.close()
        _, said = await self.run(scripts.ERRORS)
        raise SandboxError(f"{fault}: {words(said)}")


class _Silence:
    """Reads nothing from a script that has nothing to say."""

    def feed(self, piece: bytes) -> None:
        """Nobody's."""

    def close(self) -> None:
        """There is nothing to tell."""


def words(output: bytes) -> str:
    """The end of a tool's words, for a sentence."""
    return output.decode("utf-8", "replace").strip()[-500:] or "no reason given"
