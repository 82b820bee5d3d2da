"""A running container and the app's hold on it: the container lives as long as the hold does.

Knows nothing of commands; it starts, ends all processes at once, tells why it ended, and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors

from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, either, in_thread, to_the_end, within
from selfheal_tui.adapters.docker.wire import Wire, close_handle, connection_of, frames
from selfheal_tui.errors import SandboxError, SandboxLost

ANSWER_SECONDS = 5.0
MEASURE_SECONDS = 1.0
ENGINE_SECONDS = 20.0
CLOSE_SECONDS = 2.5

_EVENTS_SECONDS = 0.3
_RECENT_SECONDS = 15
_NOTICE_SECONDS = 0.05
_CONFLICT = 409
_SIGNALLED = 128
_DIGITS = 20
_LONGEST_ANSWER = 256
_NO_LIMIT = 1 << 60
"""What a control group of the first version says when there is no limit is near 2**63."""


@dataclass(frozen=True)
class _Started:
    id: str
    name: str
    hold: Any


class RunningContainer:
    """Made by `start_container`. `gone` is done once the container has ended, for any reason."""

    def __init__(
        self, client: docker.DockerClient, started: _Started, memory_mb: int, user: str
    ) -> None:
        self._api = client.api
        self._user = user
        self._memory_mb = memory_mb
        self._since = int(time.time())
        self._command_since = 0.0
        self._answers: dict[bytes, asyncio.Future[bytes]] = {}
        self._line = b""
        self._wire = self._orders = Wire(started.hold, self._hear)
        self._removed = False
        self._reason = ""
        self.gone = self._wire.ended
        self.id = started.id
        self.name = started.name

    async def take_orders_apart(self, supervisor: str) -> None:
        """Have a second process run the text `supervisor` as the commands' user, where the main one
        is somebody else's: it may end their processes, and the main one ends with it."""
        self._orders = await self.execute(["/bin/sh", "-c", supervisor, "selfheal"], self._hear)
        self._orders.ended.add_done_callback(lambda _: self._wire.end_input())

    def command_begins(self) -> None:
        """A command begins that is not our own: what it is told of those before is told already."""
        self._command_since = time.time()

    async def supervisor_number(self) -> int:
        """The number of the process that takes orders, as processes inside see it."""
        number = await self._ask("hello")
        if not number.isdigit() or len(number) > _DIGITS:
            raise SandboxLost("the container does not answer as it should")
        return int(number)

    async def end_processes(self) -> None:
        """End everything inside but the main process. Raises SandboxLost when that fails."""
        await self._ask("kill")

    async def memory(self) -> tuple[int, int] | None:
        """Bytes in use and allowed (0: no limit), also while a command runs; None where the answer
        does not come at once, or cannot be read. Raises SandboxLost when the container is gone.
        """
        if self.gone.done():
            raise SandboxLost(await self.why_lost())
        answer = await self._answer("memory", MEASURE_SECONDS)
        return None if answer is None else _measured(answer)

    async def execute(self, command: Sequence[str], hear: Callable[[bytes], None]) -> Wire:
        """Start a process inside, as the commands' user, and attach to it."""
        starting = self._engine(self._execute, list(command))
        process, handle = await to_the_end(starting, lambda made: close_handle(made[1]))
        return Wire(handle, hear, process)

    async def check_killed(self, wire: Wire) -> None:
        """Raises SandboxLost unless a process whose connection has ended was killed: the engine has
        let go of it, or nobody can tell."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline and not self.gone.done():
            try:
                process = await self._engine(self._api.exec_inspect, wire.process)
            except SandboxLost as unknown:
                raise SandboxLost(await self.why_lost(str(unknown))) from unknown
            # Without its connection it ends by itself, sooner or later.
            if not process["Running"]:
                if (process["ExitCode"] or 0) >= _SIGNALLED:
                    return
                break
            # The engine notices the end of a process after that of its connection.
            await asyncio.wait({self.gone}, timeout=_NOTICE_SECONDS)
        raise SandboxLost(await self.why_lost("the Docker engine let go of a running command"))

    async def run_as_root(self, command: Sequence[str]) -> None:
        """Run a short command as user 0, without any capability that the container lacks.

        Raises SandboxError when it fails.
        """
        code, output = await self._engine(self._run_as_root, list(command))
        if code:
            said = output.decode("utf-8", "replace").strip()
            raise SandboxError(f"`{' '.join(command)}` failed in the container: {said}")

    async def why_lost(self, otherwise: str = "the connection to the container was lost") -> str:
        """Why the container is gone, or of no use any more, as a sentence."""
        self._reason = self._reason or await self._find_reason(otherwise)
        return self._reason

    async def remove(self) -> None:
        """End the container and remove it with its volume. Never raises, and takes 3 s at most."""
        if self._removed:
            return
        self._removed = True
        self._orders.close()
        self._wire.close()
        removal = asyncio.ensure_future(in_thread(remove_container, self._api, self.id))
        await to_the_end(asyncio.wait({removal}, timeout=CLOSE_SECONDS))
        removal.cancel()

    async def _find_reason(self, otherwise: str) -> str:
        try:
            events = await within(in_thread(self._events), ANSWER_SECONDS)
        except (*ENGINE_FAULTS, asyncio.TimeoutError):
            return "the Docker engine does not answer any more, and the container is gone"
        # An earlier one was another command's own, and has been told of.
        recent = max(time.time() - _RECENT_SECONDS, self._command_since)
        if any(event.get("Action") == "oom" and _seconds(event) > recent for event in events):
            return f"the container ran out of its {self._memory_mb} MiB of memory as a whole"
        codes = [_exit_code(event) for event in events if event.get("Action") == "die"]
        if codes and codes[-1] == "0":
            return "a command ended the process that keeps the container"
        if codes:
            return f"the container was ended from outside (exit code {codes[-1]})"
        return otherwise

    async def _ask(self, order: str) -> bytes:
        """The supervisor's answer to an order. Raises SandboxLost when none comes."""
        answer = await self._answer(order, ANSWER_SECONDS)
        if answer is None:
            raise SandboxLost(await self.why_lost("the container hangs"))
        return answer

    async def _answer(self, order: str, seconds: float) -> bytes | None:
        """The supervisor's answer to an order, unless it takes longer."""
        # Not to be guessed, so that nothing inside answers before it was asked.
        question = f"{order} {secrets.token_hex(8)}".encode()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[question] = answer
        try:
            # A failed write means that the connection has ended: `gone` says so.
            with contextlib.suppress(OSError):
                await self._orders.send([question + b"\n"])
            await either(answer, self.gone, seconds)
        finally:
            self._answers.pop(question)
        return answer.result() if answer.done() else None

    def _hear(self, piece: bytes) -> None:
        """Look for answers. What is printed around them is nobody's, and never kept for long."""
        *lines, last = (self._line + piece).split(b"\n")
        self._line = last[-_LONGEST_ANSWER:]
        for line in lines:
            head, _, value = line[-_LONGEST_ANSWER:].rpartition(b" ")
            for question, answer in self._answers.items():
                if head.endswith(question) and not answer.done():
                    answer.set_result(value)

    async def _engine(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return await within(in_thread(call, *args), ENGINE_SECONDS)
        except asyncio.TimeoutError as error:
            raise SandboxLost("the Docker engine does not answer any more") from error
        except ENGINE_FAULTS as error:
            raise SandboxLost(f"the Docker engine fails: {error}") from error

    def _execute(self, command: list[str]) -> tuple[str, Any]:
        made = self._api.exec_create(self.id, command, stdin=True, user=self._user)
        return made["Id"], self._api.exec_start(made["Id"], socket=True)

    def _run_as_root(self, command: list[str]) -> tuple[int, bytes]:
        made = self._api.exec_create(self.id, command, user="0:0")
        handle = self._api.exec_start(made["Id"], socket=True)
        try:
            output = b"".join(piece for _, piece in frames(connection_of(handle).recv))
        finally:
            close_handle(handle)
        return self._api.exec_inspect(made["Id"])["ExitCode"], output

    def _events(self) -> list[dict[str, Any]]:
        # The engine answers from its memory, and waits a moment for what is not told yet.
        filters = {"container": self.id, "event": ["oom", "die"]}
        until = f"{time.time() + _EVENTS_SECONDS:.6f}"
        return list(
            self._api.events(since=self._since - 1, until=until, filters=filters, decode=True)
        )


async def start_container(
    client: docker.DockerClient, arguments: dict[str, Any], session: str, memory_mb: int, user: str
) -> RunningContainer:
    """Create and start a container for commands of `user` (UID:GID). Raises SandboxError; leaves
    nothing behind when it fails."""
    name = f"selfheal-{session[:24]}-{secrets.token_hex(4)}"
    try:
        starting = in_thread(_start, client.api, arguments, name)
        started = await to_the_end(starting, lambda started: close_handle(started.hold))
    except ENGINE_FAULTS as error:
        await to_the_end(in_thread(remove_container, client.api, name))
        raise SandboxError(_start_fault(error, arguments["Image"])) from error
    except asyncio.CancelledError:
        await to_the_end(in_thread(remove_container, client.api, name))
        raise
    return RunningContainer(client, started, memory_mb, user)


def remove_container(api: Any, name: str) -> None:
    """Remove a container and its anonymous volumes. Never raises because of the engine."""
    # When it is not there, or the engine is gone, there is nothing to remove.
    with contextlib.suppress(*ENGINE_FAULTS):
        try:
            api.remove_container(name, force=True, v=True)
        except docker.errors.APIError as error:
            if error.status_code == _CONFLICT:  # It is removing itself already.
                api.wait(name, condition="removed", timeout=CLOSE_SECONDS)


def _start(api: Any, arguments: dict[str, Any], name: str) -> _Started:
    made = api.create_container_from_config(arguments, name)
    # Attached before it starts, so that there is no moment without a hold.
    hold = api.attach_socket(made["Id"], params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    try:
        api.start(made["Id"])
    except ENGINE_FAULTS:
        close_handle(hold)
        raise
    return _Started(made["Id"], name, hold)


def _start_fault(error: Exception, image: str) -> str:
    if isinstance(error, docker.errors.ImageNotFound):
        return f"the image {image} is not there"
    text = str(getattr(error, "explanation", "") or error).strip()
    if "/bin/sh" in text and "no such file" in text:
        return f"the image {image} has no /bin/sh: the sandbox needs one"
    return f"the container could not be started: {text}"


def _measured(answer: bytes) -> tuple[int, int] | None:
    """`USED:DROPPED:LIMIT` as bytes in use and allowed. It comes out of the container: whatever
    it holds, it is read as small numbers or not at all."""
    fields = answer.split(b":")
    if len(fields) != 3 or not all(len(field) <= _DIGITS for field in fields):
        return None
    used, dropped, limit = fields
    if not (used.isdigit() and dropped.isdigit()):
        return None
    allowed = int(limit) if limit.isdigit() else 0
    return max(int(used) - int(dropped), 0), allowed if allowed < _NO_LIMIT else 0


def _seconds(event: dict[str, Any]) -> float:
    """When it was, as the engine's clock has it."""
    return float(event.get("timeNano", 0)) / 1e9 or float(event.get("time", 0))


def _exit_code(event: dict[str, Any]) -> str:
    code = event.get("Actor", {}).get("Attributes", {}).get("exitCode", "?")
    return str(code)
