"""Three-way merges of whole trees in the shadow repository, path by path.

Works with blobs and `git merge-file` on plain files: no index, no working tree, no driver and no
attribute has a say. Refuses to guess: what it cannot tell is a conflict, with nothing lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from selfheal_tui.adapters.git.names import check_change
from selfheal_tui.adapters.git.objects import GITLINK, Entry
from selfheal_tui.adapters.git.shadow import Drop, Piece, Put, ShadowRepository, Write
from selfheal_tui.core.merge import Conflict, Merge, clashes
from selfheal_tui.core.tree import LINK, TreeChange, TreeFile
from selfheal_tui.errors import TreeRejected

_MOST_CONFLICTS = 127
"""What `git merge-file` says at most; more is its word for an error."""

_LABELS = ("-L", "first", "-L", "before", "-L", "second")


@dataclass(frozen=True)
class _Sides:
    """One path in the tree before, and as both sides left it; None where it is not there."""

    path: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None


@dataclass(frozen=True)
class _Settled:
    """What becomes of one path: a piece on top of our tree, or nothing; and what is open."""

    piece: Piece | None = None
    conflict: Conflict | None = None


class TreeMerges:
    """Merges trees of `shadow`; texts are merged on plain files in `scratch`."""

    def __init__(self, shadow: ShadowRepository, scratch: Path) -> None:
        self._shadow = shadow
        self._scratch = scratch

    def merge(self, base: str, ours: str, theirs: str) -> Merge:
        """What leads from `base` to `theirs`, on top of `ours`."""
        if theirs in (base, ours):
            return Merge(ours)
        if ours == base:
            return Merge(theirs)
        here = self._shadow.entries(ours)
        before = self._shadow.entries(base)
        changed = self._shadow.differences(base, theirs)
        settled = {
            change.path: self._settle(
                _Sides(change.path, before.get(change.path), here.get(change.path), change.new)
            )
            for change in changed
        }
        settled |= self._misfits(here, settled)
        pieces = [one.piece for one in settled.values() if one.piece is not None]
        drops = (piece for piece in pieces if isinstance(piece, Drop))
        rest = (piece for piece in pieces if not isinstance(piece, Drop))
        tree = self._shadow.store(ours, itertools.chain(drops, rest))
        conflicts = (one.conflict for one in settled.values() if one.conflict is not None)
        return Merge(tree, tuple(sorted(conflicts, key=lambda conflict: conflict.path)))

    # --- one path --------------------------------------------------------------------------

    def _settle(self, sides: _Sides) -> _Settled:
        """One path that the other side changed."""
        path, base, ours, theirs = sides.path, sides.base, sides.ours, sides.theirs
        if ours == theirs:
            return _Settled()
        if ours == base:
            return _Settled(Drop(path) if theirs is None else Put(path, theirs))
        if theirs is None:
            return _Settled(conflict=_kept(path))
        if ours is None:
            return _Settled(Put(path, theirs), _kept(path))
        mode = _merged_mode(base, ours, theirs)
        if mode is None or _kind(ours.mode) != _kind(theirs.mode):
            return _Settled(conflict=self._other(sides, theirs, "both sides changed its kind"))
        if ours.id == theirs.id or (base and theirs.id == base.id):
            return _Settled(Put(path, Entry(mode, ours.id)))
        if base and ours.id == base.id:
            return _Settled(Put(path, Entry(mode, theirs.id)))
        return self._contents(sides, mode, (ours, base, theirs))

    def _contents(
        self, sides: _Sides, mode: int, entries: tuple[Entry, Entry | None, Entry]
    ) -> _Settled:
        """Both sides have content of their own."""
        if {GITLINK, LINK} & {entry.mode for entry in entries if entry}:
            return _Settled(conflict=self._other(sides, entries[2], "both sides changed the link"))
        blobs = self._shadow.blobs(entry.id for entry in entries if entry)
        texts = [blobs[entry.id] if entry else b"" for entry in entries]
        if any(b"\0" in text for text in texts):
            return _Settled(conflict=Conflict(sides.path, _as_first("it is not text")))
        merged, marked = self._merge_texts(texts)
        piece = Write(TreeFile(sides.path, mode, merged))
        if not marked:
            return _Settled(piece)
        why = _as_first("both sides changed the same lines") + " in the places that clash"
        return _Settled(piece, Conflict(sides.path, why, clashes(marked)))

    def _merge_texts(self, texts: Iterable[bytes]) -> tuple[bytes, str]:
        """The merged text, ours where both changed the same; and what clashes, with marks."""
        with TemporaryDirectory(dir=self._scratch) as folder:
            names = [str(Path(folder, name)) for name in ("ours", "base", "theirs")]
            for name, content in zip(names, texts, strict=True):
                Path(name).write_bytes(content)
            git = self._shadow.git
            marked = git.result(
                "merge-file", "-p", "-q", "--diff3", *_LABELS, *names,
                accept=tuple(range(_MOST_CONFLICTS + 1)),
            )  # fmt: skip
            if not marked.code:
                return marked.out, ""
            merged = git.call("merge-file", "-p", "-q", "--ours", *names)
        return merged, marked.out.decode("utf-8", "replace")

    def _other(self, sides: _Sides, theirs: Entry, why: str) -> Conflict:
        """A conflict whose other version is wholly missing from the tree."""
        text = ""
        if theirs.mode != GITLINK:
            content = self._shadow.blobs((theirs.id,))[theirs.id]
            text = "" if b"\0" in content else content.decode("utf-8", "replace")
        return Conflict(sides.path, _as_first(why), text)

    # --- paths beside each other -----------------------------------------------------------

    def _misfits(self, here: dict[str, Entry], settled: dict[str, _Settled]) -> dict[str, _Settled]:
        """New paths of the other side that cannot stand beside ours: a file where we have a
        folder, names that some systems take for each other. They are left out, and told."""
        gone = tuple(one.piece.path for one in settled.values() if isinstance(one.piece, Drop))
        added = {path: put for path, put in _puts(settled) if path not in here}
        if _fits(here, gone, added.values()):
            return {}
        taken: list[Put] = []
        found: dict[str, _Settled] = {}
        for path, put in sorted(added.items()):
            if _fits(here, gone, (*taken, put)):
                taken.append(put)
                continue
            sides = _Sides(path, None, None, put.entry)
            why = "its name cannot stand beside what the first side has"
            conflict = self._other(sides, put.entry, why)
            found[path] = _Settled(conflict=Conflict(path, f"left out: {why}", conflict.text))
        return found


def _puts(settled: dict[str, _Settled]) -> Iterator[tuple[str, Put]]:
    return ((path, one.piece) for path, one in settled.items() if isinstance(one.piece, Put))


def _fits(here: dict[str, Entry], gone: tuple[str, ...], puts: Iterable[Put]) -> bool:
    written = tuple(TreeFile(put.path, put.entry.mode, b"") for put in puts)
    try:
        check_change(here.keys(), TreeChange(written, gone))
    except TreeRejected:
        return False
    return True


def _merged_mode(base: Entry | None, ours: Entry, theirs: Entry) -> int | None:
    """None where both sides made it another kind of thing, and not the same."""
    if ours.mode == theirs.mode or (base and theirs.mode == base.mode):
        return ours.mode
    return theirs.mode if base and ours.mode == base.mode else None


def _kind(mode: int) -> int:
    """File, link or submodule, whatever may be done with it."""
    return mode & 0o170000


def _kept(path: str) -> Conflict:
    why = "one side deleted it and the other changed it: it is there, as it was changed"
    return Conflict(path, why)


def _as_first(why: str) -> str:
    return f"{why}: it is as the first side left it"
