"""A patch cut into files and hunks, each read when it is looked at: one costs what is seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from selfheal_tui.core import suspects
from selfheal_tui.core.patch import FileDiff, Hunk, read_patch
from selfheal_tui.core.pathkinds import (
    CHECK_SETTINGS,
    SECURITY,
    changes_mode,
    classify,
    holds_data,
)

_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_HUNK = "\n@@ -"


@dataclass(frozen=True)
class HunkText:
    """One hunk as the patch has it; `head` is its file's header. `number` counts from 0."""

    head: str
    raw: str
    number: int

    @cached_property
    def hunk(self) -> Hunk:
        """The hunk. Raises ValueError when it is none."""
        return read_patch(self.head + self.raw)[0].hunks[0]

    @property
    def header(self) -> str:
        return self.raw.split("\n", 1)[0]

    @cached_property
    def suspects(self) -> tuple[str, ...]:
        """What in the added lines is to be looked at, in a word each. Raises ValueError when the
        header is none."""
        file = read_patch(self.head)[0]
        lines = [text[1:] for text in self.raw.split("\n") if text.startswith("+")]
        found = suspects.in_added(file.path, lines, plain=holds_data(file.path))
        kinds = {kind for _, kind in found}
        if file.link and any(suspects.leaves_tree(file.path, target) for target in lines):
            kinds.add(suspects.OUTSIDE)
        return tuple(kind for kind in suspects.KINDS if kind in kinds)

    @cached_property
    def added(self) -> int:
        return self.raw.count("\n+")

    @cached_property
    def removed(self) -> int:
        return self.raw.count("\n-")


@dataclass(frozen=True)
class FilePatch:
    """One file of a patch, as the patch has it."""

    section: str

    @cached_property
    def _cut(self) -> list[str]:
        """The header, and what follows the first letters of each hunk."""
        return self.section.split(_HUNK)

    @cached_property
    def head(self) -> str:
        """What comes before the first hunk."""
        return self._cut[0] + ("\n" if len(self._cut) > 1 else "")

    @cached_property
    def hunks(self) -> tuple[HunkText, ...]:
        _, *rest = self._cut
        ends = ["\n"] * (len(rest) - 1) + [""]
        pieces = zip(rest, ends, strict=False)
        return tuple(
            HunkText(self.head, f"@@ -{piece}{end}", number)
            for number, (piece, end) in enumerate(pieces)
        )

    @cached_property
    def added(self) -> int:
        """How many lines are added."""
        return self.section.count("\n+", len(self.head))

    @cached_property
    def removed(self) -> int:
        """How many lines are removed."""
        return self.section.count("\n-", len(self.head))

    @cached_property
    def file(self) -> FileDiff:
        """The file without its hunks. Raises ValueError when the header is none."""
        file = read_patch(self.head)[0]
        # A file whose permissions changed beside its text is modified.
        return replace(file, kind="modified") if file.kind == "mode" and self.hunks else file

    @property
    def path(self) -> str:
        return self.file.path

    @cached_property
    def names(self) -> str:
        """The line that names the file: the same one in every patch that changes it."""
        return self.section.split("\n", 1)[0]

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """What makes this file one to look at with care, in a word each."""
        file = self.file
        marks = sorted(classify(file.path) - {CHECK_SETTINGS, SECURITY})
        marks += ["security"] if SECURITY in classify(file.path) else []
        marks += ["link"] if file.link else []
        marks += ["mode"] if changes_mode(file) else []
        found = {kind for hunk in self.hunks for kind in hunk.suspects}
        found |= suspects.in_characters(file.path)
        marks += [kind for kind in suspects.KINDS if kind in found]
        return tuple(marks)


def cut_patch(text: str) -> tuple[FilePatch, ...]:
    """The files of a patch, in its order. Lines of a hunk start with a sign, so cuts are safe."""
    starts = [match.start() for match in _FILE.finditer(text)]
    ends = [*starts[1:], len(text)] if starts else []
    return tuple(FilePatch(text[start:end]) for start, end in zip(starts, ends, strict=True))


def best_match(files: Sequence[FilePatch], path: str) -> FilePatch | None:
    """The file that `path` means: the same one, or the one that it ends with."""
    name = path.rsplit("/", 1)[-1]
    likely = [file for file in files if name in file.names] or files
    for file in likely:
        if file.path == path:
            return file
    ending = (file for file in likely if path.endswith("/" + file.path))
    return next(ending, None)
