"""The sandbox in a hardened Docker container, behind `agent.ports.Sandbox`.

No folder of the host is in it: the tree goes in as a tar, changes come out as a list of stamps
and a tar that is parsed, never extracted.
"""

from __future__ import annotations

import asyncio
import base64
import os
import posixpath
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any

import docker

from selfheal_tui.adapters.docker import scripts
from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, in_thread, to_the_end
from selfheal_tui.adapters.docker.channel import (
    FRESH,
    KEEP,
    TOOL,
    Channel,
    Command,
    Hear,
    Outcome,
    open_channel,
)
from selfheal_tui.adapters.docker.container import (
    BRIDGE,
    OFF,
    WORK,
    account_for,
    create_arguments,
    needs_volume,
)
from selfheal_tui.adapters.docker.owner import labels_for, this_process
from selfheal_tui.adapters.docker.running import RunningContainer, start_container
from selfheal_tui.adapters.manifest import Manifest, Settled, missing_from, read_manifest
from selfheal_tui.adapters.outgoing import check_name, wrong_kind
from selfheal_tui.adapters.output import KeptOutput
from selfheal_tui.adapters.tar import TarReader, tar_size, write_tar
from selfheal_tui.agent.ports import CommandResult, SandboxFacts
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.tree import Scan, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost, TreeRejected

TOOL_SECONDS = 120.0
SMALL_WRITE = 16 * 1024
LONG_COMMAND = 64 * 1024
MAX_LISTING = 256 * 1024 * 1024

_NOT_A_COMMAND = 126
_RACY_WAIT = 0.004
_RACY_LOOKS = 4


class DockerSandbox:
    """Made by `open_docker_sandbox`; fits `agent.ports.Sandbox`."""

    def __init__(
        self, container: RunningContainer, channel: Channel, facts: SandboxFacts, profile: Profile
    ) -> None:
        self._container = container
        self._channel = channel
        self._facts = facts
        self._profile = profile
        self._settled = Settled()
        self._lock = asyncio.Lock()
        self._closed = False

    @property
    def facts(self) -> SandboxFacts:
        return self._facts

    async def put_tree(self, files: Iterable[TreeFile]) -> None:
        """Make the tree exactly `files`, and settle."""
        tree = tuple(files)
        async with self._lock:
            await self._mending(scripts.CLEAR)
            await self._unpack(tree)
            manifest = await self._manifest(steady=None)
            self._settled.see(manifest.stamps)
            self._settled.settle()
        self._expect(missing_from(manifest.stamps, tree))

    async def apply(self, change: TreeChange) -> None:
        """Write and delete paths, and settle them: `scan` does not report them."""
        if not change:
            return
        async with self._lock:
            if change.deleted:
                await self._delete(change.deleted)
            if change.written:
                await self._unpack(change.written)
            paths = [*change.deleted, *(file.path for file in change.written)]
            manifest = await self._manifest(steady=paths)
            self._settled.settle_paths(paths, manifest.stamps)
        self._expect(missing_from(manifest.stamps, change.written, change.deleted))

    async def scan(self) -> Scan:
        """Paths that differ from what was last settled."""
        async with self._lock:
            manifest = await self._manifest(steady=None)
            return self._settled.see(manifest.stamps)

    def settle(self) -> None:
        """Take what the last `scan` saw as known."""
        self._settled.settle()

    async def fetch(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises TreeRejected for what must not come out."""
        if not paths:
            return ()
        for path in paths:
            check_name(path)
        async with self._lock:
            found = await self._pack(paths)
        came = {file.path for file in found}
        # Tar leaves sockets out without a word.
        if unsent := next((path for path in paths if path not in came), None):
            raise wrong_kind(unsent, "something else")
        if len(came) != len(set(paths)):
            raise TreeRejected("the sandbox sent other files than it was asked for")
        return found

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
        async with self._lock:
            return await self._run(text, timeout, hear, KEEP if shell_state else FRESH)

    async def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file, anywhere inside; `path` is relative to the tree."""
        full = _full(path)
        async with self._lock:
            code, output = await self._tool(scripts.read_script(full, limit))
        if code:
            raise _file_error(code, path, output)
        return output

    async def write(self, path: str, content: bytes) -> None:
        """Replace or make a file in the tree or below /tmp; keeps an existing file's mode."""
        full = _full(path)
        if not scripts.may_write(full, WORK):
            raise SandboxError(f"{path} is outside the tree: only {WORK} and /tmp are written to")
        source, feed = "cat", [content] if content else []
        if len(content) <= SMALL_WRITE:
            encoded = base64.b64encode(content).decode()
            source, feed = f"printf %s '{encoded}' | base64 -d", []
        async with self._lock:
            code, output = await self._tool(scripts.write_script(full, source), feed)
        if code:
            raise _file_error(code, path, output)

    async def close(self) -> None:
        """End the container and remove everything of it. Never raises; may be called twice."""
        self._closed = True
        self._channel.close()
        await self._container.remove()

    # --- commands ----------------------------------------------------------------------

    async def _run(
        self, text: bytes, timeout: float, hear: Hear | None, mode: str
    ) -> CommandResult:
        if len(text) > LONG_COMMAND:
            # Longer than the kernel takes as one argument, or slow to read by the byte.
            await self._feed(scripts.KEEP_COMMAND, [text], len(text))
            text = f'. "{self._channel.state}/command"'.encode()
        kept = KeptOutput()

        def listen(piece: bytes) -> None:
            kept.add(piece)
            if hear:
                hear(piece)

        started = time.monotonic()
        outcome = await self._ask(Command(text, mode), listen, timeout)
        return CommandResult(
            outcome.exit_code,
            kept.bytes(),
            time.monotonic() - started,
            kept.total,
            timed_out=outcome.timed_out,
            out_of_memory=outcome.out_of_memory,
        )

    async def _tool(self, script: bytes | str, feed: Sequence[bytes] = ()) -> tuple[int, bytes]:
        """Exit code and output of a command of ours; `feed` is its standard input."""
        listing = _Collected(MAX_LISTING)
        code = await self._stream(script, feed, sum(map(len, feed)), listing.add)
        return code, bytes(listing.content)

    async def _feed(self, script: str, feed: Iterable[bytes], size: int) -> None:
        """A command of ours that prints only what went wrong. Raises SandboxError then."""
        said = _Collected(MAX_LISTING)
        if await self._stream(script, feed, size, said.add):
            raise SandboxError(_words(bytes(said.content)))

    async def _stream(
        self, script: bytes | str, feed: Iterable[bytes], size: int, hear: Hear
    ) -> int:
        text = script if isinstance(script, bytes) else script.encode()
        outcome = await self._ask(Command(text, TOOL, size), hear, TOOL_SECONDS, feed)
        if outcome.timed_out:
            raise SandboxError(f"the sandbox did not answer within {TOOL_SECONDS:g} s")
        return outcome.exit_code

    async def _ask(
        self, command: Command, hear: Hear, timeout: float, feed: Iterable[bytes] = ()
    ) -> Outcome:
        if self._closed:
            raise SandboxLost("the sandbox was closed")
        return await self._channel.run(command, hear, timeout=timeout, feed=feed)

    async def _mending(self, script: str, feed: Sequence[bytes] = ()) -> bytes:
        """The output of a command of ours, tried again with mended rights when it fails."""
        code, output = await self._tool(script, feed)
        if code:
            await self._tool(scripts.MEND)
            code, output = await self._tool(script, feed)
        if code:
            raise SandboxError(_words(output or (await self._tool(scripts.ERRORS))[1]))
        return output

    # --- the tree ----------------------------------------------------------------------

    async def _unpack(self, tree: Sequence[TreeFile]) -> None:
        try:
            await self._feed(scripts.UNPACK, write_tar(tree), tar_size(tree))
        except SandboxLost:
            raise
        except SandboxError:
            await self._tool(scripts.MEND)
            try:
                await self._feed(scripts.UNPACK, write_tar(tree), tar_size(tree))
            except SandboxLost:
                raise
            except SandboxError as error:
                raise SandboxError(
                    f"the tree could not be put into the sandbox: {error}"
                ) from error

    async def _delete(self, paths: Sequence[str]) -> None:
        await self._mending(scripts.DELETE, [_joined(paths)])
        if folders := _folders_of(paths):
            await self._tool(scripts.PRUNE, [_joined(folders)])

    async def _pack(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        asked = _joined(paths)
        for last in (False, True):
            reader = TarReader()
            if not await self._stream(scripts.PACK, [asked], len(asked), reader.feed):
                return reader.close()
            if not last:
                await self._tool(scripts.MEND)
        said = _words((await self._tool(scripts.ERRORS))[1])
        raise SandboxError(f"the sandbox's files could not be read: {said}")

    async def _manifest(self, *, steady: Sequence[str] | None) -> Manifest:
        """All files, looked at late enough that a change of `steady` (None: of what is new) from
        now on shows in its stamp."""
        for _ in range(_RACY_LOOKS):
            manifest = read_manifest(await self._mending(scripts.MANIFEST))
            paths = self._settled.new_in(manifest.stamps) if steady is None else steady
            if not manifest.is_racy(paths):
                break
            await asyncio.sleep(_RACY_WAIT)
        return manifest

    def _expect(self, missing: str | None) -> None:
        if missing is not None:
            raise SandboxError(f"the sandbox did not take over {missing!r}")


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
        supervisor=_supervisor(),
        network=BRIDGE if is_online else OFF,
        on_volume=on_volume,
        shadowed=volumes,
    )
    container = await start_container(client, arguments, session, profile.memory_mb)
    try:
        if on_volume:
            await container.run_as_root(["chmod", "0777", WORK])
        channel = await open_channel(container)
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
        sandbox = DockerSandbox(container, channel, facts, profile)
        await _probe(sandbox, image_name or image)
    except BaseException:
        await to_the_end(container.remove())
        raise
    return sandbox


async def _probe(sandbox: DockerSandbox, image: str) -> None:
    code, output = await sandbox._tool(scripts.PROBE)
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


class _Collected:
    """Output that is wanted whole, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.content = bytearray()

    def add(self, piece: bytes) -> None:
        self.content += piece
        if len(self.content) > self._limit:
            raise TreeRejected("the sandbox holds more files than can be listed")


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
    return SandboxError(f"{path} was not written: {_words(output)}")


def _folders_of(paths: Sequence[str]) -> list[str]:
    """The folders that hold `paths`, deepest first."""
    found: set[str] = set()
    for path in paths:
        while (path := posixpath.dirname(path)) and path not in found:
            found.add(path)
    return sorted(found, key=lambda folder: (-folder.count("/"), folder))


def _not_a_command(why: str) -> CommandResult:
    said = f"selfheal: the command {why}\n".encode()
    return CommandResult(_NOT_A_COMMAND, said, 0.0, len(said))


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _words(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()[-500:] or "no reason given"


def _supervisor() -> str:
    """Without its comments: every list of processes shows it."""
    text = files("selfheal_tui.adapters.docker").joinpath("supervisor.sh").read_text("utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
