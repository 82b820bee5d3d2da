"""The tree inside the container: in as a tar, out as a list of stamps and a tar that is parsed."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Iterable, Sequence

from selfheal_tui.adapters.docker import scripts
from selfheal_tui.adapters.docker.tools import Feed, Tools, fed
from selfheal_tui.adapters.manifest import Manifest, ManifestReader, Settled, missing_from
from selfheal_tui.adapters.outgoing import Gate, check_asked, wrong_kind
from selfheal_tui.adapters.tar import TarReader, tar_size, write_tar
from selfheal_tui.core.tree import Scan, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError

_RACY_WAIT = 0.004
_RACY_LOOKS = 4


class TreeInside:
    """Fits the tree's part of `agent.ports.Sandbox`. Not for two tasks at a time."""

    def __init__(self, tools: Tools, disk_mb: int) -> None:
        self._tools = tools
        self._disk_mb = disk_mb
        self._settled = Settled()

    async def put(self, tree: Sequence[TreeFile]) -> None:
        """Make the tree exactly `tree`, and settle."""
        await self._tools.sure(scripts.CLEAR, "the tree could not be emptied")
        await self._unpack(tree)
        manifest = await self._manifest(steady=None)
        self._settled.see(manifest.stamps)
        self._settled.settle()
        _expect(missing_from(manifest.stamps, tree))

    async def apply(self, change: TreeChange) -> None:
        """Write and delete paths, and settle them."""
        if change.deleted:
            await self._delete(change.deleted)
        if change.written:
            await self._unpack(change.written)
        paths = [*change.deleted, *(file.path for file in change.written)]
        manifest = await self._manifest(steady=paths)
        self._settled.settle_paths(paths, manifest.stamps)
        _expect(missing_from(manifest.stamps, change.written, change.deleted))

    async def scan(self) -> Scan:
        """Paths that differ from what was last settled."""
        return self._settled.see((await self._manifest(steady=None)).stamps)

    def settle(self) -> None:
        """Take what the last `scan` saw as known."""
        self._settled.settle()

    async def fetch(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        """The files at `paths`. Raises TreeRejected for what must not come out."""
        check_asked(paths)
        found = await self._pack(paths)
        came = {file.path for file in found}
        # Tar leaves sockets out without a word.
        if unsent := next((path for path in paths if path not in came), None):
            raise wrong_kind(unsent, "something else")
        return found

    async def _unpack(self, tree: Sequence[TreeFile]) -> None:
        fault = f"the files could not be put into the sandbox (its disk: {self._disk_mb} MiB)"
        feed = Feed(tar_size(tree), lambda: write_tar(tree))
        await self._tools.sure(scripts.UNPACK, fault, feed)

    async def _delete(self, paths: Sequence[str]) -> None:
        fault = "files could not be deleted in the sandbox"
        await self._tools.sure(scripts.DELETE, fault, fed(_joined(paths)))
        if folders := _folders_of(paths):
            await self._tools.run(scripts.PRUNE, fed(_joined(folders)))

    async def _pack(self, paths: Sequence[str]) -> tuple[TreeFile, ...]:
        asked = frozenset(paths)
        fault = "the sandbox's files could not be read"
        feed = fed(_joined(paths))
        return await self._tools.answer(
            scripts.PACK, lambda: TarReader(Gate(asked=asked)), fault, feed
        )

    async def _manifest(self, *, steady: Sequence[str] | None) -> Manifest:
        """All files, looked at late enough that a change of `steady` (None: of what is new) from
        now on shows in its stamp."""
        fault = "the sandbox's files could not be listed"
        for _ in range(_RACY_LOOKS):
            manifest = await self._tools.answer(scripts.MANIFEST, ManifestReader, fault)
            paths = self._settled.new_in(manifest.stamps) if steady is None else steady
            if not manifest.is_racy(paths):
                break
            await asyncio.sleep(_RACY_WAIT)
        return manifest


def _expect(missing: str | None) -> None:
    if missing is not None:
        raise SandboxError(f"the sandbox did not take over {missing!r}")


def _folders_of(paths: Iterable[str]) -> list[str]:
    """The folders that hold `paths`, deepest first."""
    found: set[str] = set()
    for path in paths:
        while (path := posixpath.dirname(path)) and path not in found:
            found.add(path)
    return sorted(found, key=lambda folder: (-folder.count("/"), folder))


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
