"""Commands of our own inside the container: what they read, print, and mean by their exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from selfheal_tui.adapters.docker import scripts
from selfheal_tui.adapters.docker.channel import TOOL, Channel, Command, Hear
from selfheal_tui.errors import SandboxError, SandboxLost, TreeRejected

TOOL_SECONDS = 120.0
MAX_OUTPUT = 256 * 1024 * 1024


@dataclass(frozen=True)
class Feed:
    """Standard input of a command: `pieces` makes it anew each time; `size` is its length."""

    size: int
    pieces: Callable[[], Iterable[bytes]]


NOTHING = Feed(0, tuple)


def fed(content: bytes) -> Feed:
    """Bytes as standard input."""
    return Feed(len(content), lambda: (content,))


class Tools:
    """Runs scripts of `scripts` over a channel, one at a time."""

    def __init__(self, channel: Channel, memory_mb: int) -> None:
        self._channel = channel
        self._memory_mb = memory_mb

    async def stream(self, script: bytes, hear: Hear, feed: Feed = NOTHING) -> int:
        """The exit code; output goes to `hear`. Raises SandboxError when it never ends."""
        command = Command(script, TOOL, feed.size)
        outcome = await self._channel.run(
            command, hear, timeout=TOOL_SECONDS, feed=feed.pieces() if feed.size else ()
        )
        if outcome.timed_out:
            raise SandboxError(f"the sandbox did not answer within {TOOL_SECONDS:g} s")
        if outcome.out_of_memory and outcome.exit_code:
            # No command is left but this one: it is files that fill the memory.
            raise SandboxLost(f"the sandbox's {self._memory_mb} MiB of memory are full of files")
        return outcome.exit_code

    async def run(self, script: bytes, feed: Feed = NOTHING) -> tuple[int, bytes]:
        """Exit code and output."""
        output = bytearray()

        def add(piece: bytes) -> None:
            output.extend(piece)
            if len(output) > MAX_OUTPUT:
                raise TreeRejected("the sandbox holds more files than can be listed")

        code = await self.stream(script, add, feed)
        return code, bytes(output)

    async def sure(self, script: bytes, fault: str, feed: Feed = NOTHING) -> bytes:
        """The output of what has to work; tried once more with mended rights on the tree.

        Raises SandboxError that begins with `fault` and ends with what the tools said.
        """
        code, output = await self.run(script, feed)
        if code:
            await self.run(scripts.MEND)
            code, output = await self.run(script, feed)
        if code:
            raise SandboxError(f"{fault}: {await self.complaint()}")
        return output

    async def complaint(self) -> str:
        """What the last script that failed wrote to `$1/errors`."""
        _, said = await self.run(scripts.ERRORS)
        return words(said)


def words(output: bytes) -> str:
    """The end of a tool's words, for a sentence."""
    return output.decode("utf-8", "replace").strip()[-500:] or "no reason given"
