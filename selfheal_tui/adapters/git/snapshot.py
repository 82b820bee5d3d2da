"""Copies the user's tree, as it is on disk, into the shadow repository.

Takes tracked files and untracked ones that are not ignored; regular files and links only, each
opened beneath the root without following a link. What is not taken is named with its reason.
Content is the truth: the index's own idea of what is unchanged is never believed.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from selfheal_tui.adapters.git.beneath import Beneath, folders_of, mode_of
from selfheal_tui.adapters.git.discovery import Facts, Place, head_of
from selfheal_tui.adapters.git.leftovers import TEMPORARY
from selfheal_tui.adapters.git.objects import GITLINK, Entry, is_zeros, object_id
from selfheal_tui.adapters.git.shadow import Drop, Piece, Put, ShadowRepository, Write
from selfheal_tui.agent.ports import Snapshot
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from selfheal_tui.errors import RepositoryRefused

MAX_FILE = 100 * 1024 * 1024
SETTLED = 2_000_000_000
"""A stamp younger than this (ns) may still hide a second write: the file is read again."""


@dataclass(frozen=True)
class Listing:
    """What git says is there: index entries, untracked paths, and what is not to be taken."""

    tracked: dict[str, Entry]
    unmerged: frozenset[str]
    sparse: frozenset[str]
    untracked: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Seen:
    """A file as it was read: its stamp, its entry, its size, and its id with LF line ends.

    `lf` is empty where the content has no CRLF.
    """

    stamp: tuple[int, ...]
    entry: Entry
    size: int
    lf: str = ""


@dataclass
class _Survey:
    """What one walk over the tree found."""

    entries: dict[str, Entry] = field(default_factory=dict)
    same_but_crlf: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)
    bytes: int = 0


class Snapshots:
    """Takes snapshots of one working tree; files whose stamp has not moved are not read again."""

    def __init__(self, place: Place, facts: Facts, shadow: ShadowRepository) -> None:
        self._place = place
        self._facts = facts
        self._shadow = shadow
        self._seen: dict[str, Seen] = {}
        self._last_tree = ""

    def take(self) -> Snapshot:
        """The tree as it is now. Raises RepositoryRefused when git or the disk refuses."""
        branch, head = head_of(self._place.user, self._facts.object_format)
        head_tree = self._tree_of(head)
        listing = list_worktree(self._place)
        survey = _Survey(left_out=dict(listing.left_out))
        base = self._last_tree or head_tree
        try:
            tree = self._shadow.store(base, self._pieces(base, listing, survey))
        except OSError as error:
            raise RepositoryRefused(f"the working tree cannot be read: {error}") from error
        self._last_tree = tree
        return Snapshot(
            tree=tree,
            head=head,
            head_tree=head_tree,
            branch=branch,
            files=len(survey.entries),
            bytes=survey.bytes,
            dirty=self._dirty(head_tree, listing, survey),
            left_out=tuple(f"{path}: {reason}" for path, reason in sorted(survey.left_out.items())),
        )

    def _tree_of(self, head: str) -> str:
        if is_zeros(head):
            return self._shadow.empty_tree
        return self._shadow.git.call("rev-parse", "--verify", f"{head}^{{tree}}").decode().strip()

    def _pieces(self, base: str, listing: Listing, survey: _Survey) -> Iterator[Piece]:
        """What turns `base` into the tree on disk; fills `survey` on the way."""
        before = self._shadow.entries(base)
        with Beneath(self._place.root) as root:
            for path, tracked in _all_paths(listing):
                read = self._look(root, path, tracked, listing, survey)
                if read is None:
                    continue
                entry, content = read
                survey.entries[path] = entry
                if before.get(path) == entry:
                    continue
                if content is None and _is_known(entry, tracked):
                    yield Put(path, entry)
                else:
                    yield Write(
                        TreeFile(path, entry.mode, content or self._again(root, path, entry))
                    )
        folders = folders_of(survey.entries)
        for path in before.keys() - survey.entries.keys() - folders:
            yield Drop(path)

    def _look(
        self, root: Beneath, path: str, tracked: Entry | None, listing: Listing, survey: _Survey
    ) -> tuple[Entry, bytes | None] | None:
        """The entry of a path, with its bytes if they were read; None when it is not taken."""
        try:
            status = root.status(path)
            if stat.S_ISDIR(status.st_mode):
                return None
            reason = _reason_against(path, status)
            if reason:
                survey.left_out[path] = reason
                return None
            seen = self._seen.get(path)
            content = None
            if seen is None or seen.stamp != stamp_of(status):
                seen, content = self._read(root, path, status, tracked)
        except (FileNotFoundError, NotADirectoryError):
            if tracked is not None and path in listing.sparse:
                return tracked, None
            return None
        except (OSError, ValueError) as error:
            survey.left_out[path] = _plain_reason(error)
            return None
        survey.bytes += seen.size
        if tracked is not None and seen.lf == tracked.id:
            survey.same_but_crlf.add(path)
        return seen.entry, content

    def _read(
        self, root: Beneath, path: str, status: os.stat_result, tracked: Entry | None
    ) -> tuple[Seen, bytes]:
        is_link = stat.S_ISLNK(status.st_mode)
        content = root.link(path) if is_link else root.content(path)
        name = object_id("blob", content, self._facts.object_format)
        lf = ""
        if not is_link and b"\r\n" in content:
            lf = object_id("blob", to_lf(content), self._facts.object_format)
        entry = Entry(mode_on_disk(status, tracked, self._facts), name)
        seen = Seen(stamp_of(status), entry, len(content), lf)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED:
            self._seen[path] = seen
        else:
            self._seen.pop(path, None)
        return seen, content

    def _again(self, root: Beneath, path: str, entry: Entry) -> bytes:
        content = root.link(path) if entry.mode == LINK else root.content(path)
        if object_id("blob", content, self._facts.object_format) != entry.id:
            raise RepositoryRefused(f"{path!r} changed while it was read; try again")
        return content

    def _dirty(self, head_tree: str, listing: Listing, survey: _Survey) -> tuple[str, ...]:
        """Paths that differ from HEAD, as the user would say it."""
        head = self._shadow.entries(head_tree)
        paths = {
            path
            for path in head.keys() | survey.entries.keys()
            if head.get(path) != survey.entries.get(path)
            and path not in survey.left_out
            and not _is_gitlink(head.get(path))
        }
        converted = self._converted(survey.same_but_crlf & paths)
        unchanged = {path for path in converted if head.get(path) == listing.tracked[path]}
        tracked = sorted(path for path in paths - unchanged if path in head)
        filtered = self._shadow.filtered(self._last_tree, tracked) if tracked else {}
        return tuple(sorted(paths - unchanged - filtered.keys()))

    def _converted(self, paths: set[str]) -> set[str]:
        """Those of `paths` whose CRLF git would take out on its own, by attribute or setting."""
        if not paths:
            return set()
        listing = self._place.user.call("ls-files", "-z", "--eol", "-c")
        converted = set()
        for record in listing.split(b"\0")[:-1]:
            head, _, name = record.partition(b"\t")
            path = os.fsdecode(name)
            if path in paths and self._is_text(head.decode().partition("attr/")[2].split()):
                converted.add(path)
        return converted

    def _is_text(self, attributes: list[str]) -> bool:
        if "-text" in attributes:
            return False
        return bool(attributes) or self._facts.auto_crlf


def list_worktree(place: Place) -> Listing:
    """Index entries and untracked, unignored paths, in git's order."""
    output = place.user.call("ls-files", "-z", "-t", "-s", "-c", "-o", "--exclude-standard")
    tracked: dict[str, Entry] = {}
    unmerged, sparse, untracked, left_out = set(), set(), [], []
    for record in output.split(b"\0")[:-1]:
        if record.startswith(b"? "):
            path = os.fsdecode(record[2:])
            if path.endswith("/"):
                left_out.append((path, "a repository of its own"))
            else:
                untracked.append(path)
            continue
        head, _, name = record.partition(b"\t")
        tag, mode, object_name, stage = head.decode().split(" ")
        path, entry = os.fsdecode(name), Entry(int(mode, 8), object_name)
        if entry.mode == GITLINK:
            left_out.append((path, "a submodule"))
            continue
        tracked[path] = entry
        if stage != "0":
            unmerged.add(path)
        if tag == "S":
            sparse.add(path)
    return Listing(
        tracked, frozenset(unmerged), frozenset(sparse), tuple(untracked), tuple(left_out)
    )


def mode_on_disk(status: os.stat_result, tracked: Entry | None, facts: Facts) -> int:
    """Git's mode; from the `tracked` entry where the file system cannot hold it."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    if tracked is not None and tracked.mode == LINK and not facts.symlinks:
        return LINK
    if facts.file_mode:
        return mode_of(status)
    return tracked.mode if tracked and tracked.mode in {REGULAR, EXECUTABLE} else REGULAR


def to_lf(content: bytes) -> bytes:
    """With LF line ends."""
    return content.replace(b"\r\n", b"\n")


def _all_paths(listing: Listing) -> Iterator[tuple[str, Entry | None]]:
    for path in listing.untracked:
        yield path, None
    yield from listing.tracked.items()


def _is_known(entry: Entry, tracked: Entry | None) -> bool:
    """Whether the object is in the user's object store, because the index names it."""
    return tracked is not None and tracked.id == entry.id


def _is_gitlink(entry: Entry | None) -> bool:
    return entry is not None and entry.mode == GITLINK


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What moves when a file is written or replaced."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _reason_against(path: str, status: os.stat_result) -> str:
    if TEMPORARY.fullmatch(path.rpartition("/")[2]):
        return "left behind by an interrupted update"
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
        return "not a regular file"
    if status.st_size > MAX_FILE:
        return "larger than 100 MiB"
    return ""


def _plain_reason(error: OSError | ValueError) -> str:
    return (
        (error.strerror or "cannot be read").lower() if isinstance(error, OSError) else str(error)
    )
