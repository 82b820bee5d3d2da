"""Runs commands through one process that stays attached: no new `docker exec` for each.

When a command leaves something running, or will not end, everything inside is killed and a fresh
runner is attached. Refuses to run two commands at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files

from selfheal_tui.adapters import shell_state
from selfheal_tui.adapters.docker.calls import either, to_the_end
from selfheal_tui.adapters.docker.endmark import Ended, EndMark
from selfheal_tui.adapters.docker.running import ANSWER_SECONDS, RunningContainer
from selfheal_tui.adapters.docker.wire import Wire
from selfheal_tui.errors import SandboxLost, SelfhealError

TOOL = "tool"
FRESH = "fresh"
KEEP = "keep"
"""Modes: a command of ours; a user's, from a clean state; a user's, with the shell's state."""

Hear = Callable[[bytes], None]

_SCRIPT_END = "# end of script"

# The scripts come by standard input: as arguments they would fill every list of processes.
_BOOT = f"""
take() {{
    script=
    while IFS= read -r line && [ "$line" != '{_SCRIPT_END}' ]; do
        script="$script$line
"
    done
}}
take; keeper=$script; take; eval "$script"
"""


@dataclass(frozen=True)
class Command:
    """Shell text, how it is run, and the size of what it reads (0: nothing)."""

    text: bytes
    mode: str
    input_bytes: int = 0

    def frame(self, nonce: bytes) -> bytes:
        lines = self.text.count(b"\n") + 1
        head = b"%s %s %d %d\n" % (nonce, self.mode.encode(), lines, self.input_bytes)
        return head + self.text + b"\n"


@dataclass(frozen=True)
class Outcome:
    """How a command ended: 124 after a timeout, 137 when it was killed."""

    exit_code: int
    out_of_memory: bool = False
    timed_out: bool = False


class Channel:
    """Commands into one container, one at a time. Made by `open_channel`."""

    def __init__(self, container: RunningContainer, supervisor: int) -> None:
        self._container = container
        self.state = f"/tmp/.{secrets.token_hex(8)}"
        """A private folder inside, for the runner and for commands of ours."""
        self._arguments = _runner_arguments(supervisor, self.state)
        self._runner: _Runner | None = None
        self._kills = 0

    async def run(
        self, command: Command, hear: Hear, *, timeout: float, feed: Iterable[bytes] = ()
    ) -> Outcome:
        """Run a command; its output goes to `hear`, `feed` to its standard input.

        Raises SandboxLost when the container is gone, and what `hear` raises of our errors.
        """
        try:
            return await self._run(command, hear, timeout, feed)
        except SandboxLost:
            raise
        except (asyncio.CancelledError, SelfhealError):
            if self._runner is None or not self._runner.is_idle:
                with contextlib.suppress(SandboxLost):  # The next command will say so.
                    await to_the_end(self.restart())
            raise

    async def restart(self) -> None:
        """End every process inside and attach a new runner. Raises SandboxLost."""
        runner, self._runner = self._runner, None
        try:
            if runner is not None:
                await self._container.end_processes()
                await runner.drain()
            self._runner = await self._attach()
        except SandboxLost:
            await self._container.remove()
            raise
        finally:
            if runner is not None:
                runner.close()

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()

    async def _run(
        self, command: Command, hear: Hear, timeout: float, feed: Iterable[bytes]
    ) -> Outcome:
        if self._container.gone.done():
            raise SandboxLost(await self._container.why_lost())
        if self._runner is None:
            await to_the_end(self.restart())
        assert self._runner is not None, "restart attaches a runner or raises"
        if command.mode != TOOL:
            self._container.command_begins()
        ended = self._runner.begin(command, hear, feed)
        await either(ended, self._container.gone, timeout)
        if ended.done() and (end := ended.result()):
            return await self._after(end, command)
        if ended.done():
            await self._check_killed(self._runner)
        timed_out = not ended.done() and not self._container.gone.done()
        kills = self._kills
        await to_the_end(self.restart())
        return Outcome(124 if timed_out else 137, self._kills > kills, timed_out)

    async def _check_killed(self, runner: _Runner) -> None:
        try:
            await self._container.check_killed(runner.wire)
        except SandboxLost:
            await self._container.remove()
            raise

    async def _after(self, end: Ended, command: Command) -> Outcome:
        self._kills = end.kills_after
        # A command that failed may have left some of its input for the next one to trip over.
        if end.strays or (command.input_bytes and end.exit_code):
            await to_the_end(self.restart())
        return Outcome(end.exit_code, end.kills_after > end.kills_before)

    async def _attach(self) -> _Runner:
        """A runner that has answered; its first answer also tells the count of kills so far."""
        runner = _Runner()
        runner.attach(await self._container.execute(self._arguments, runner.hear))
        try:
            self._kills = await self._first_answer(runner)
        except BaseException:
            runner.close()
            raise
        return runner

    async def _first_answer(self, runner: _Runner) -> int:
        await runner.boot(_runner_scripts())
        ended = runner.begin(Command(b":", TOOL), lambda _: None, ())
        await either(ended, self._container.gone, ANSWER_SECONDS)
        if ended.done() and (end := ended.result()):
            return end.kills_before
        said = runner.wire.complaints.decode("utf-8", "replace").strip()
        idle = f"the container runs no commands any more {said}".strip()
        raise SandboxLost(await self._container.why_lost(idle))


class _Runner:
    """One attached runner process."""

    wire: Wire

    def __init__(self) -> None:
        self._mark: EndMark | None = None
        self._hear: Hear | None = None
        self._ended: asyncio.Future[Ended | None] | None = None
        self._feeding: asyncio.Task[None] | None = None

    def attach(self, wire: Wire) -> None:
        """The runner's connection, whose output goes to `hear`."""
        self.wire = wire
        wire.ended.add_done_callback(self._stop)

    async def boot(self, scripts: bytes) -> None:
        # A failed write means that the runner has ended: `wire.ended` says so.
        with contextlib.suppress(OSError):
            await self.wire.send([scripts])

    @property
    def is_idle(self) -> bool:
        """Whether the last command has ended, so that another may begin."""
        return self._ended is None or (self._ended.done() and self._mark is None)

    def begin(
        self, command: Command, hear: Hear, feed: Iterable[bytes]
    ) -> asyncio.Future[Ended | None]:
        """Send a command. The future's result is None when the runner itself has ended."""
        nonce = secrets.token_hex(16).encode()
        self._mark, self._hear = EndMark(nonce), hear
        self._ended = asyncio.get_running_loop().create_future()
        self._feeding = asyncio.ensure_future(self._send(command.frame(nonce), feed))
        return self._ended

    def hear(self, piece: bytes) -> None:
        """Output of the runner. What comes between two commands is nobody's."""
        if self._mark is None or self._ended is None or self._hear is None:
            return
        output = self._mark.feed(piece)
        if output:
            self._tell(output)
        if self._mark is not None and self._mark.ended:
            self._finish(self._mark.ended)

    async def drain(self) -> None:
        """Wait for the output that was printed before the end."""
        await asyncio.wait({self.wire.ended}, timeout=1.0)
        if self._mark is not None:
            self._tell(self._mark.rest())

    def close(self) -> None:
        if self._feeding:
            self._feeding.cancel()
        self.wire.close()

    async def _send(self, frame: bytes, feed: Iterable[bytes]) -> None:
        # A failed write means that the runner has ended: `wire.ended` says so.
        with contextlib.suppress(OSError):
            await self.wire.send([frame])
            if feed:
                await self.wire.send(feed)

    def _tell(self, output: bytes) -> None:
        if self._hear is None or not output:
            return
        try:
            self._hear(output)
        except SelfhealError as refused:
            self._hear = None
            if self._ended and not self._ended.done():
                self._ended.set_exception(refused)

    def _finish(self, end: Ended) -> None:
        self._mark = self._hear = None
        if self._ended and not self._ended.done():
            self._ended.set_result(end)

    def _stop(self, _: object) -> None:
        if self._ended and not self._ended.done():
            self._ended.set_result(None)


async def open_channel(container: RunningContainer) -> Channel:
    """A channel with its runner attached. Raises SandboxLost."""
    channel = Channel(container, await container.supervisor_number())
    await channel.restart()
    return channel


def _runner_arguments(supervisor: int, state: str) -> list[str]:
    return ["/bin/sh", "-c", _BOOT, "selfheal", str(supervisor), state, shell_state.RUN]


def _runner_scripts() -> bytes:
    """What `_BOOT` reads: two scripts, each with a line of its own after it."""
    runner = files("selfheal_tui.adapters.docker").joinpath("runner.sh").read_text("utf-8")
    return "".join(f"{script}{_SCRIPT_END}\n" for script in (shell_state.script(), runner)).encode()
