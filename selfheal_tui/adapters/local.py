"""The sandbox without isolation: a private copy of the tree, and plain processes of the user.

It serves the demo and tests where no engine answers. Refuses to hand on the host's environment,
but a command can do whatever the user can.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
import secrets
import shutil
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path

from selfheal_tui.adapters import shell_state as state_script
from selfheal_tui.adapters.local_copies import Copy, new_copy
from selfheal_tui.adapters.local_processes import end_processes
from selfheal_tui.adapters.local_tree import LocalTree, replace_file
from selfheal_tui.adapters.manifest import Manifest, Settled
from selfheal_tui.adapters.output import KeptOutput
from selfheal_tui.adapters.threads import in_thread, to_the_end
from selfheal_tui.agent.ports import CommandResult, SandboxFacts
from selfheal_tui.core.tree import Scan, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost

ISOLATION = "no isolation: commands run as you, on this machine, in a temporary copy"

_PIECE = 64 * 1024
_LONG_COMMAND = 64 * 1024
_NOT_A_COMMAND = 126
_RACY_WAIT = 0.004
_RACY_LOOKS = 4

Hear = Callable[[bytes], None]


class LocalSandbox:
    """Made by `open_local_sandbox`; fits `agent.ports.Sandbox`."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._folder = folder = copy.folder
        self._work = folder / "work"
        self._tree = LocalTree(self._work)
        self._settled = Settled()
        # Of the system: PATH may name a folder of the repository.
        self._shell = shutil.which("bash", path=os.defpath) or "/bin/sh"
        self._mark = f"SELFHEAL_LOCAL={secrets.token_hex(8)}"
        self._lock = asyncio.Lock()
        self._running: Process | None = None
        self._closed = False
        self._facts = SandboxFacts(
            kind="local",
            profile="local",
            isolation=ISOLATION,
            image="",
            image_id="",
            network="on",
            workdir=str(self._work),
        )

    @property
    def facts(self) -> SandboxFacts:
        return self._facts

    async def put_tree(self, files: Iterable[TreeFile]) -> None:
        """Make the tree exactly `files`, and settle."""
        async with self._alone():
            await in_thread(self._tree.clear)
            await in_thread(self._tree.apply, TreeChange(tuple(files)))
            self._settled.see((await self._manifest(steady=None)).stamps)
            self._settled.settle()

    async def apply(self, change: TreeChange) -> None:
        """Write and delete paths, and settle them: `scan` does not report them."""
        async with self._alone():
            await in_thread(self._tree.apply, change)
            paths = [*change.deleted, *(file.path for file in change.written)]
            manifest = await self._manifest(steady=paths)
            self._settled.settle_paths(paths, manifest.stamps)

    async def scan(self) -> Scan:
        """Paths that differ from what was last settled."""
        async with self._alone():
            return self._settled.see((await self._manifest(steady=None)).stamps)

    async def memory(self) -> tuple[int, int] | None:
        """Not known: the commands are processes among the user's others."""
        if self._closed:
            raise SandboxLost("the sandbox was closed")
        return None

    def settle(self) -> None:
        """Take what the last `scan` saw as known."""
        self._settled.settle()

    async def fetch(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises TreeRejected for what must not come out."""
        async with self._alone():
            return await in_thread(self._tree.files, paths)

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        hear: Hear | None = None,
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
            return await self._run(text, timeout, hear, shell_state=shell_state)

    async def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file of the tree or of the sandbox's temporary folder."""
        async with self._alone():
            target = self._inside(path)
            if target.is_dir():
                raise IsADirectoryError(f"{path} is a folder")
            if not target.exists():
                raise FileNotFoundError(f"there is no file {path}")
            if not target.is_file():
                raise SandboxError(f"{path} is not a regular file")
            with target.open("rb") as stream:
                return stream.read(limit)

    async def write(self, path: str, content: bytes) -> None:
        """Replace or make a file; keeps an existing file's mode."""
        async with self._alone():
            target = self._inside(path)
            if target.is_dir():
                raise IsADirectoryError(f"{path} is a folder")
            if target.exists() and not target.is_file():
                raise SandboxError(f"{path} is not a regular file")
            try:
                await in_thread(replace_file, target, content)
            except OSError as error:
                raise SandboxError(f"{path} was not written: {error}") from error

    async def close(self) -> None:
        """End everything and remove the copy. Never raises; may be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._running is not None:
            end_processes(self._running.pid, self._mark)
        # What cannot be removed is in a private folder of the system's temporary one.
        with contextlib.suppress(SandboxError, OSError):
            await to_the_end(in_thread(self._copy.remove))

    # --- commands ----------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._lock:
            if self._closed:
                raise SandboxLost("the sandbox was closed")
            yield

    async def _run(
        self, text: bytes, timeout: float, hear: Hear | None, *, shell_state: bool
    ) -> CommandResult:
        if len(text) > _LONG_COMMAND:
            # Longer than the kernel takes as one argument.
            (self._folder / "state/command").write_bytes(text)
            text = b'. "%s"' % os.fsencode(self._folder / "state/command")
        kept = KeptOutput()

        def listen(piece: bytes) -> None:
            kept.add(piece)
            if hear:
                hear(piece)

        started = time.monotonic()
        code, timed_out = await self._process(self._arguments(text, shell_state), listen, timeout)
        seconds = time.monotonic() - started
        return CommandResult(code, kept.bytes(), seconds, kept.total, timed_out=timed_out)

    async def _process(
        self, arguments: Sequence[bytes | str], hear: Hear, timeout: float
    ) -> tuple[int, bool]:
        """Exit code, and whether it was the timeout that ended it."""
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=DEVNULL,
                stdout=writing,
                stderr=STDOUT,
                cwd=self._work,
                env=self._environment(arguments),
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            raise SandboxLost(f"no process can be started in the copy: {error}") from error
        finally:
            os.close(writing)
        self._running = process
        listener = asyncio.ensure_future(_listen(reading, hear))
        waiter = asyncio.ensure_future(process.wait())
        try:
            done, _ = await asyncio.wait({waiter}, timeout=timeout)
        finally:
            await to_the_end(self._end(process, waiter, listener))
        if self._closed:
            raise SandboxLost("the sandbox was closed")
        if not done:
            return 124, True
        code = waiter.result()
        return (128 - code if code < 0 else code), False

    async def _end(
        self, process: Process, waiter: asyncio.Task[int], listener: asyncio.Task[None]
    ) -> None:
        """End all that is left of the command, and take the last of its output."""
        for _ in range(20):
            if not await in_thread(end_processes, process.pid, self._mark):
                break
            await asyncio.sleep(0.005)
        await waiter
        self._running = None
        # One that escaped may hold the pipe open.
        await asyncio.wait({listener}, timeout=1)
        listener.cancel()

    def _arguments(self, text: bytes, shell_state: bool) -> list[bytes | str]:
        name = Path(self._shell).name
        if not shell_state:
            return [self._shell, "-c", "--", text, name]
        state = self._folder / "state"
        keeper = str(state / "keeper")
        exports = str(state / "exports")
        return [self._shell, "-c", state_script.RUN, name, text, exports, str(self._work), keeper]

    def _environment(self, arguments: Sequence[bytes | str]) -> dict[str, str]:
        name, _, value = self._mark.partition("=")
        exports = self._folder / "state/exports"
        if str(exports) in arguments and exports.exists() and exports.stat().st_size:
            # What was exported is all there is then: what was unset must not come back.
            return {name: value}
        return {
            name: value,
            # What the start took out of PATH, because it lies in the repository, is for commands.
            "PATH": os.environ.get("_SELFHEAL_PATH") or os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(self._folder / "tmp"),
            "USER": "agent",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_NO_INPUT": "1",
            "PAGER": "cat",
            "GIT_PAGER": "cat",
        }

    # --- files -------------------------------------------------------------------------

    async def _manifest(self, *, steady: Sequence[str] | None) -> Manifest:
        """See the Docker sandbox: late enough that a further change shows."""
        for _ in range(_RACY_LOOKS):
            manifest = await in_thread(self._tree.manifest, self._folder / "state/tick")
            paths = self._settled.new_in(manifest.stamps) if steady is None else steady
            if not manifest.is_racy(paths):
                break
            await asyncio.sleep(_RACY_WAIT)
        return manifest

    def _inside(self, path: str) -> Path:
        """The real path of a file of the copy; links are followed, but not out of it."""
        if not path or "\0" in path:
            raise SandboxError("a file needs a name without NUL bytes")
        wanted = posixpath.normpath(posixpath.join(str(self._work), path))
        real = Path(os.path.realpath(wanted))
        homes = [Path(os.path.realpath(self._folder / name)) for name in ("work", "tmp")]
        if not any(home in real.parents for home in homes) and real not in homes:
            raise SandboxError(f"{path} is outside the tree: only the copy is read and written")
        return real


async def open_local_sandbox() -> LocalSandbox:
    """A fresh, empty copy in a private temporary folder. Raises SandboxError."""
    try:
        return LocalSandbox(await in_thread(_make_copy))
    except OSError as error:
        raise SandboxError(f"no temporary folder can be made: {error}") from error


def _make_copy() -> Copy:
    copy = new_copy()
    for name in ("work", "home", "tmp", "state"):
        (copy.folder / name).mkdir(mode=0o700)
    (copy.folder / "state/keeper").write_text(state_script.script(), "utf-8")
    return copy


async def _listen(descriptor: int, hear: Hear) -> None:
    """Pass on what comes through a pipe until its last writer has closed it."""
    reader = asyncio.StreamReader(limit=_PIECE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        while piece := await reader.read(_PIECE):
            hear(piece)
    finally:
        transport.close()


def _not_a_command(why: str) -> CommandResult:
    said = f"selfheal: the command {why}\n".encode()
    return CommandResult(_NOT_A_COMMAND, said, 0.0, len(said))
