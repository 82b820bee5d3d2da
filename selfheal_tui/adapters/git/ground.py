"""What everything that touches the user's repository works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.git.discovery import Facts, Place
from selfheal_tui.adapters.git.index import UserIndex
from selfheal_tui.adapters.git.ondisk import OnDisk
from selfheal_tui.adapters.git.patience import Patience
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.adapters.git.worktree import WorkingTree


@dataclass(frozen=True)
class Ground:
    """One repository, its shadow, its index and its files. `scratch` is a private folder."""

    place: Place
    facts: Facts
    shadow: ShadowRepository
    scratch: Path
    index: UserIndex
    files: WorkingTree
    disk: OnDisk
    patience: Patience


def ground(
    place: Place, facts: Facts, shadow: ShadowRepository, scratch: Path, patience: Patience
) -> Ground:
    """All of it from where the repository is, and what is known of it."""
    return Ground(
        place,
        facts,
        shadow,
        scratch,
        UserIndex(place.git_dir, shadow.git, scratch, facts.object_format, patience),
        WorkingTree(place.root, file_mode=facts.file_mode),
        OnDisk(place.root, facts, shadow),
        patience,
    )
