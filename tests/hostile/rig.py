"""A workspace on the engine whose container is the attacker: a real repository, its shadow, and a
sandbox in which a test runs whatever it likes."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

from selfheal_tui.adapters.docker.sandbox import DockerSandbox, open_docker_sandbox
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.agent.workspace import Workspace
from selfheal_tui.core.profile import Profile
from selfheal_tui.errors import SandboxError
from tests.support.repos import Repo, make_repo, manifest

MIB = 1024 * 1024
PROFILE = Profile("plain", "", memory_mb=768, disk_mb=384, pids=96, cpus=2.0)
FILES = {"a.txt": b"a\n", "src/b.py": b"b = 1\n", "src/deep/c.txt": b"c\n"}
GONE_SECONDS = 10.0


@dataclass
class Rig:
    """`attempt` runs a command inside and tells what became of it; `changes` what got out."""

    repo: Repo
    shadow: Any
    snapshot: Snapshot
    workspace: Workspace
    events: list[Any]
    opened: list[DockerSandbox]

    @property
    def sandbox(self) -> DockerSandbox:
        return self.opened[-1]

    async def said(self, command: str, timeout: float = 60.0, *, shell_state: bool = False) -> str:
        """What a command inside prints."""
        result = await self.sandbox.run(command, timeout=timeout, shell_state=shell_state)
        return result.output.decode("utf-8", "replace")

    async def attempt(self, command: str) -> str:
        """Run a command inside and sync: the refusal, or how many files got out."""
        said = await self.said(command)
        try:
            await self.workspace.sync()
        except SandboxError as refused:
            return f"{type(refused).__name__}: {refused}"
        return f"{len(await self.changes())} got out {said[-200:]}".strip()

    async def changes(self) -> dict[str, tuple[int, bytes]]:
        """What the workspace's tree holds that the user's does not."""
        change = await self.shadow.change(self.workspace.base, self.workspace.tree)
        return {file.path: (file.mode, file.content) for file in change.written}

    async def again(self) -> None:
        """The user's files again, in the same container."""
        self.workspace.tree = self.workspace.base
        await self.sandbox.put_tree(await self.shadow.files(self.workspace.base))


@contextlib.asynccontextmanager
async def a_rig(
    folder: Path,
    engine: docker.DockerClient,
    image: str,
    profile: Profile = PROFILE,
    *,
    network: str = "off",
) -> AsyncIterator[Rig]:
    """A rig; in the end the container is gone, and nothing that is the user's has changed."""
    repo = make_repo(folder, FILES)
    before = (repo.manifest(), manifest(repo.path / ".git"), home_of(repo))
    opened: list[DockerSandbox] = []
    events: list[Any] = []

    async def open_sandbox() -> DockerSandbox:
        opened.append(
            await open_docker_sandbox(engine, image, profile, "hostile-test", network=network)
        )
        return opened[-1]

    git = await repo.open(folder / "state")
    try:
        snapshot = await git.snapshot()
        workspace = Workspace(
            open_sandbox=open_sandbox,
            shadow=git.shadow,
            base=snapshot.tree,
            place="",
            emit=events.append,
        )
        await workspace.open()
        yield Rig(repo, git.shadow, snapshot, workspace, events, opened)
        await workspace.close()
    finally:
        for sandbox in opened:
            await sandbox.close()
        await git.close()
    assert [name for name in names_of(opened) if not is_gone(engine, name)] == []
    assert (repo.manifest(), manifest(repo.path / ".git"), home_of(repo)) == before


def home_of(repo: Repo) -> dict[str, tuple[int, str]]:
    """Everything in the home of the repository's user."""
    return manifest(Path(repo.environment["HOME"]))


def names_of(opened: list[DockerSandbox]) -> list[str]:
    """The containers' names."""
    return [sandbox.facts.container for sandbox in opened]


def is_gone(engine: docker.DockerClient, name: str) -> bool:
    """Whether the container is removed within 10 s."""
    end = time.monotonic() + GONE_SECONDS
    while time.monotonic() < end:
        try:
            engine.api.inspect_container(name)
        except docker.errors.NotFound:
            return True
    return False


def resident() -> int:
    """Bytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
