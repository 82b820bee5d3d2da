"""The sandbox in a hardened Docker container, behind `agent.ports.Sandbox`.

No folder of the host is in it: the tree goes in as a tar, changes come out as a list of stamps
and a tar that is parsed, never extracted.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import docker
import docker.errors

from selfheal_tui.adapters.docker import scripts
from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, in_thread, to_the_end
from selfheal_tui.adapters.docker.channel import (
    FRESH,
    KEEP,
    Channel,
    Command,
    Hear,
    open_channel,
)
from selfheal_tui.adapters.docker.container import (
    BRIDGE,
    OFF,
    WORK,
    account_for,
    create_arguments,
    keeper_for,
    needs_volume,
)
from selfheal_tui.adapters.docker.owner import labels_for, this_process
from selfheal_tui.adapters.docker.running import RunningContainer, start_container
from selfheal_tui.adapters.docker.tools import NOTHING, Tools, fed, words
from selfheal_tui.adapters.docker.tree import TreeInside
from selfheal_tui.adapters.output import KeptOutput
from selfheal_tui.agent.ports import CommandResult, SandboxFacts
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.tree import Scan, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost

SMALL_WRITE = 16 * 1024
LONG_COMMAND = 64 * 1024

_NOT_A_COMMAND = 126


class DockerSandbox:
    """Made by `open_docker_sandbox`; fits `agent.ports.Sandbox`."""

    def __init__(
        self, container: RunningContainer, channel: Channel, facts: SandboxFacts, profile: Profile
    ) -> None:
        self._container = container
        self._channel = channel
        self._facts = facts
        self._tools = Tools(channel, profile.memory_mb)
        self._tree = TreeInside(self._tools, profile.disk_mb)
        self._lock = asyncio.Lock()
        self._closed = False

    @property
    def facts(self) -> SandboxFacts:
        return self._facts

    async def put_tree(self, files: Iterable[TreeFile]) -> None:
        """Make the tree exactly `files`, and settle."""
        async with self._alone():
            await self._tree.put(tuple(files))

    async def apply(self, change: TreeChange) -> None:
        """Write and delete paths, and settle them: `scan` does not report them."""
        async with self._alone():
            if change:
                await self._tree.apply(change)

    async def scan(self) -> Scan:
        """Paths that differ from what was last settled."""
        async with self._alone():
            return await self._tree.scan()

    async def memory(self) -> tuple[int, int] | None:
        """Bytes of memory in use and allowed. Does not wait for a running command."""
        if self._closed:
            raise SandboxLost("the sandbox was closed")
        return await self._container.memory()

    def settle(self) -> None:
        """Take what the last `scan` saw as known."""
        self._tree.settle()

    async def fetch(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises TreeRejected for what must not come out."""
        async with self._alone():
            return await self._tree.fetch(paths) if paths else ()

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        hear: Callable[[bytes], None] | None = None,
        shell_state: bool = True,
    ) -> CommandResult:
        """Run a shell command in the tree. See the port."""
        try:
            text = command.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return _not_a_command("holds characters that are not text")
        if b"\0" in text:
            return _not_a_command("holds a NUL byte")
        async with self._alone():
            return await self._run(text, timeout, hear, KEEP if shell_state else FRESH)

    async def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file, anywhere inside; `path` is relative to the tree."""
        full = _full(path)
        async with self._alone():
            code, output = await self._tools.run(scripts.read_script(full, limit), most=limit)
        if code:
            raise _file_error(code, path, output)
        return output

    async def write(self, path: str, content: bytes) -> None:
        """Replace or make a file in the tree or below /tmp; keeps an existing file's mode."""
        full = _full(path)
        if not scripts.may_write(full, WORK):
            raise SandboxError(f"{path} is outside the tree: only {WORK} and /tmp are written to")
        source, feed = "cat", fed(content)
        if len(content) <= SMALL_WRITE:
            encoded = base64.b64encode(content).decode()
            source, feed = f"printf %s '{encoded}' | base64 -d", NOTHING
        async with self._alone():
            code, output = await self._tools.run(scripts.write_script(full, source), feed)
        if code:
            raise _file_error(code, path, output)

    async def close(self) -> None:
        """End the container and remove everything of it. Never raises; may be called twice."""
        self._closed = True
        self._channel.close()
        await self._container.remove()

    async def _run(
        self, text: bytes, timeout: float, hear: Hear | None, mode: str
    ) -> CommandResult:
        if len(text) > LONG_COMMAND:
            # Longer than the kernel takes as one argument, or slow to read by the byte.
            fault = "the command could not be handed over"
            await self._tools.sure(scripts.KEEP_COMMAND, fault, fed(text))
            text = f'. "{self._channel.state}/command"'.encode()
        kept = KeptOutput()

        def listen(piece: bytes) -> None:
            kept.add(piece)
            if hear:
                hear(piece)

        started = time.monotonic()
        outcome = await self._channel.run(Command(text, mode), listen, timeout=timeout)
        return CommandResult(
            outcome.exit_code,
            kept.bytes(),
            time.monotonic() - started,
            kept.total,
            timed_out=outcome.timed_out,
            out_of_memory=outcome.out_of_memory,
        )

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One thing at a time, and nothing after the end."""
        async with self._lock:
            if self._closed:
                raise SandboxLost("the sandbox was closed")
            yield


async def open_docker_sandbox(
    client: docker.DockerClient,
    image: str,
    profile: Profile,
    session: str,
    *,
    network: str = "off",
    image_name: str = "",
    tree_bytes: int = 0,
) -> DockerSandbox:
    """A fresh, empty sandbox of `image`, which is called `image_name` to the user.

    `network` is the setting: only `on` gives one. A tree of `tree_bytes` that is too large for
    memory gets a volume. Raises SandboxError.
    """
    is_online = network == "on"
    image_id, volumes = await _inspect(client, image)
    account = account_for(profile)
    on_volume = needs_volume(profile, tree_bytes)
    arguments = create_arguments(
        profile,
        image=image_id,
        account=account,
        labels=labels_for(session, this_process()),
        supervisor=scripts.supervisor(),
        network=BRIDGE if is_online else OFF,
        on_volume=on_volume,
        shadowed=volumes,
    )
    container = await start_container(client, arguments, session, profile.memory_mb, str(account))
    facts = SandboxFacts(
        kind="docker",
        profile=profile.name,
        isolation=_isolation(profile, account.uid, is_online=is_online, on_volume=on_volume),
        image=image_name or image,
        image_id=image_id.removeprefix("sha256:")[:12],
        network="on" if is_online else "off",
        workdir=WORK,
        container=container.name,
    )
    channel = None
    try:
        if on_volume:
            await container.run_as_root(["chmod", "0777", WORK])
        if keeper_for(account) != account:
            await container.take_orders_apart(scripts.supervisor())
        channel = await open_channel(container)
        await _probe(Tools(channel, profile.memory_mb), facts.image)
    except BaseException:
        if channel is not None:
            channel.close()
        await to_the_end(container.remove())
        raise
    return DockerSandbox(container, channel, facts, profile)


async def _probe(tools: Tools, image: str) -> None:
    """Raises SandboxError that names what the image lacks."""
    code, output = await tools.run(scripts.PROBE)
    missing = [name.strip() for name in output.decode("utf-8", "replace").split(",") if name]
    if code or missing:
        raise SandboxError(
            f"the image {image} cannot be a sandbox, it lacks: {', '.join(missing) or 'a shell'}"
        )


async def _inspect(client: docker.DockerClient, image: str) -> tuple[str, list[str]]:
    """The image's id, and the folders that it declares as volumes."""
    try:
        found: dict[str, Any] = await in_thread(client.api.inspect_image, image)
    except docker.errors.ImageNotFound as error:
        raise SandboxError(f"the image {image} is not there") from error
    except ENGINE_FAULTS as error:
        raise SandboxError(f"the Docker engine does not answer: {error}") from error
    return found["Id"], sorted((found.get("Config") or {}).get("Volumes") or ())


def _isolation(profile: Profile, uid: int, *, is_online: bool, on_volume: bool) -> str:
    parts = ["no host folder", "WITH network" if is_online else "no network"]
    if profile.root:
        parts.append("ROOT inside with a writable system")
    else:
        parts.append(f"no capabilities, read-only system, user {uid}")
    parts.append(f"{profile.memory_mb} MiB, {profile.pids} processes")
    if on_volume:
        parts.append("the tree on a volume without a size limit")
    return f"a container: {', '.join(parts)}"


def _full(path: str) -> str:
    if not path or "\0" in path:
        raise SandboxError("a file needs a name without NUL bytes")
    return scripts.inside(path, WORK)


def _file_error(code: int, path: str, output: bytes) -> Exception:
    if code == scripts.NOT_THERE:
        return FileNotFoundError(f"there is no file {path}")
    if code == scripts.IS_FOLDER:
        return IsADirectoryError(f"{path} is a folder")
    if code == scripts.NOT_A_FILE:
        return SandboxError(f"{path} is not a regular file")
    if code == scripts.NOT_READABLE:
        return PermissionError(f"{path} may not be read")
    return SandboxError(f"{path} was not written: {words(output)}")


def _not_a_command(why: str) -> CommandResult:
    said = f"selfheal: the command {why}\n".encode()
    return CommandResult(_NOT_A_COMMAND, said, 0.0, len(said))
