"""What a difference between two trees asks of the files on disk, in the line ends they have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal_tui.adapters.git.committree import has_crlf_only
from selfheal_tui.adapters.git.objects import Difference, Entry
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.adapters.git.snapshot import to_lf
from selfheal_tui.adapters.git.worktree import Replacement
from selfheal_tui.core.tree import LINK, TreeFile


def replacements_of(
    shadow: ShadowRepository, differences: Sequence[Difference]
) -> list[Replacement]:
    """The files of both sides. The old side is what the disk holds, byte by byte; where its lines
    end with CRLF, those of the new side do, too."""
    blobs = shadow.blobs(ids_of(differences))
    return [_replacement(difference, blobs) for difference in differences]


def ids_of(differences: Iterable[Difference]) -> list[str]:
    """The objects of both sides."""
    return [entry.id for d in differences for entry in (d.old, d.new) if entry is not None]


def file_of(path: str, entry: Entry | None, blobs: dict[str, bytes]) -> TreeFile | None:
    """The file that an entry stands for; `blobs` holds its content."""
    return None if entry is None else TreeFile(path, entry.mode, blobs[entry.id])


def with_line_ends_of(disk: TreeFile | None, file: TreeFile) -> TreeFile:
    """`file` with CRLF, where all lines of what is on `disk` end so."""
    if disk is None or LINK in {disk.mode, file.mode}:
        return file
    if not has_crlf_only(disk.content):
        return file
    return TreeFile(file.path, file.mode, to_lf(file.content).replace(b"\n", b"\r\n"))


def _replacement(difference: Difference, blobs: dict[str, bytes]) -> Replacement:
    path = difference.path
    old, new = file_of(path, difference.old, blobs), file_of(path, difference.new, blobs)
    return Replacement(path, old, new and with_line_ends_of(old, new))
