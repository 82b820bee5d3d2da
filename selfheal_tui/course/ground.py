"""What a run works on: the repository, its shadow, and the snapshot that all is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.agent.ports import Repository, Shadow, Snapshot
from selfheal_tui.core.events import SnapshotTaken
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.course.telling import Telling
from selfheal_tui.parts import Order, Parts

NOTES = ("AGENTS.md", "CLAUDE.md")
"""Files of the tree whose text is shown to the model as untrusted context."""

NOT_CONFIGURATION = (".env", "selfheal.toml", ".selfheal.toml", ".mcp.json")
"""Names in the tree that other tools would read as configuration; named in a warning."""


@dataclass(frozen=True)
class Ground:
    """What a run works on, once it is open."""

    repository: Repository
    shadow: Shadow
    snapshot: Snapshot
    files: tuple[TreeFile, ...]


async def find_ground(order: Order, parts: Parts, telling: Telling) -> Ground:
    """Open the repository, and take its snapshot or that of the run which is taken up."""
    async with telling.step("repository"):
        repository, shadow, warnings = await parts.open_repository()
    for warning in warnings:
        telling.warn(warning)
    if order.target.remote:
        # A slip of the pen is told now, not after the work is paid for.
        await repository.check_remote(order.target.remote)
    kept = order.kept
    if kept and kept.lost:
        telling.warn(
            f"the earlier run ended while {kept.lost} parts of its plan were worked on; nothing"
            " of them was taken over, and it goes on from before them"
        )
    snapshot = kept.snapshot if kept else await _snapshot(repository, telling)
    files = await shadow.files(snapshot.tree)
    found = [file.path for file in files if file.path in NOT_CONFIGURATION]
    if found:
        telling.warn(f"not read as configuration: {', '.join(found)} (from the worktree)")
    return Ground(repository, shadow, snapshot, files)


async def _snapshot(repository: Repository, telling: Telling) -> Snapshot:
    async with telling.step("snapshot"):
        snapshot = await repository.snapshot()
    telling.emit(
        SnapshotTaken(
            snapshot.tree,
            snapshot.head,
            snapshot.head_tree,
            snapshot.branch,
            snapshot.files,
            snapshot.bytes,
            snapshot.dirty,
            snapshot.left_out,
        )
    )
    if not snapshot.files:
        telling.warn("the repository holds no files yet")
    return snapshot


def notes_of(files: Sequence[TreeFile]) -> str:
    """What the project says to whoever works on it, as untrusted text; empty where nothing."""
    found = {file.path: file.content for file in files if file.path in NOTES}
    texts = [found[name].decode("utf-8", "replace") for name in NOTES if name in found]
    return "\n\n".join(texts)
