"""A difference whose hunks and files can be refused one by one, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from selfheal_tui.core.approval import WHOLE_FILE, RefusedHunk
from selfheal_tui.ui.widgets.diffview import DiffView
from selfheal_tui.ui.widgets.hunks import FileBlock, HunkBlock


class RefusingView(DiffView):
    """Marks what the user does not want. The reason is asked for by whoever holds the view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "refuse", "refuse the hunk, or take it back in"),
        Binding("X", "refuse_file", "refuse the whole file", show=False),
        Binding("a", "accept", "accept the hunk, or the file at its heading", show=False),
    ]

    @dataclass
    class Wanted(Message):
        """The user wants to refuse this; `refuse` does it."""

        part: FileBlock | HunkBlock

    @dataclass
    class Changed(Message):
        """Something was refused, or taken back in."""

    # --- what is refused -------------------------------------------------------------------

    def refuse(self, part: FileBlock | HunkBlock, reason: str = "") -> None:
        """Mark a hunk, or a file with all it holds.

        A file whose type changed is there twice, as deleted and as added: neither goes alone.
        """
        heads = self._heads_of(_path(part))
        for each in heads if len(heads) > 1 else (part,):
            self._forget(each)
            each.refusal = reason
        self._redraw()

    def accept(self, part: FileBlock | HunkBlock) -> None:
        """Take a hunk or a file back in; with a hunk of a refused file, the whole file."""
        whole = part.owner if isinstance(part, HunkBlock) and part.owner.is_refused else part
        heads = self._heads_of(_path(part))
        for each in heads if whole.is_refused and len(heads) > 1 else (whole,):
            self._forget(each)
            for hunk in self.hunks_of(each) if isinstance(each, FileBlock) else (each,):
                hunk.accepted = True
        self._redraw()

    def refused(self) -> tuple[RefusedHunk, ...]:
        """Everything that is refused, in the order of the difference."""
        return tuple(
            RefusedHunk(*_place(part), part.refusal)
            for part in self._parts()
            if part.refusal is not None
        )

    def counts(self) -> tuple[int, int]:
        """How many hunks are refused, and how many there are; a file without hunks is one."""
        units = [
            part for part in self._parts() if isinstance(part, HunkBlock) or not part.patch.hunks
        ]
        return sum(unit.is_refused for unit in units), len(units)

    def kept(self) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
        """What `restore` takes: refused hunks by path and text, and refused files; reasons."""
        hunks, files = {}, {}
        for part in self._parts():
            if part.refusal is None:
                continue
            if isinstance(part, HunkBlock):
                hunks[part.path, part.hunk.raw] = part.refusal
            else:
                files[part.patch.path] = part.refusal
        return hunks, files

    def accepted(self) -> frozenset[tuple[str, str]]:
        """The accepted hunks, by path and text."""
        return frozenset((hunk.path, hunk.hunk.raw) for hunk in self._hunks() if hunk.accepted)

    def restore(
        self,
        hunks: dict[tuple[str, str], str],
        files: dict[str, str],
        accepted: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        """Refuse and accept again what was so in another difference, where this one has the
        same."""
        for part in self._parts():
            if isinstance(part, HunkBlock):
                part.refusal = hunks.get((part.path, part.hunk.raw))
                part.accepted = (part.path, part.hunk.raw) in accepted
            else:
                part.refusal = files.get(part.patch.path)
            part.changed()
        self._redraw()

    # --- keys ------------------------------------------------------------------------------

    def action_refuse(self) -> None:
        """At the cursor: a hunk, or a file at its heading. What is refused is taken back in."""
        if isinstance(self.cursor, FileBlock | HunkBlock):
            self._toggle(self.cursor)

    def action_refuse_file(self) -> None:
        """The whole file that the cursor is in."""
        if isinstance(self.cursor, HunkBlock):
            self._toggle(self.cursor.owner)
        elif isinstance(self.cursor, FileBlock):
            self._toggle(self.cursor)

    def action_accept(self) -> None:
        """At the cursor: a hunk, or all of a file at its heading."""
        if isinstance(self.cursor, FileBlock | HunkBlock):
            self.accept(self.cursor)

    def _toggle(self, part: FileBlock | HunkBlock) -> None:
        if part.is_refused:
            self.accept(part)
        else:
            self.post_message(self.Wanted(part))

    # --- parts -----------------------------------------------------------------------------

    def hunks_of(self, head: FileBlock) -> list[HunkBlock]:
        """The hunks of one file."""
        return [hunk for hunk in self._hunks() if hunk.owner is head]

    def _parts(self) -> list[FileBlock | HunkBlock]:
        return [part for part in self.blocks if isinstance(part, FileBlock | HunkBlock)]

    def _heads_of(self, path: str) -> list[FileBlock]:
        return [head for head in self._heads() if head.patch.path == path]

    def _forget(self, part: FileBlock | HunkBlock) -> None:
        """Nothing is said of the part any more, nor of a file's hunks."""
        hunks = self.hunks_of(part) if isinstance(part, FileBlock) else ()
        for each in (part, *hunks):
            each.refusal = None
            each.changed()
        for hunk in hunks or (part,):
            if isinstance(hunk, HunkBlock):
                hunk.accepted = False

    def _redraw(self) -> None:
        self.sync()
        self.post_message(self.Changed())


def _path(part: FileBlock | HunkBlock) -> str:
    return part.patch.path if isinstance(part, FileBlock) else part.path


def _place(part: FileBlock | HunkBlock) -> tuple[str, int]:
    if isinstance(part, FileBlock):
        return part.patch.path, WHOLE_FILE
    return part.path, part.hunk.number
