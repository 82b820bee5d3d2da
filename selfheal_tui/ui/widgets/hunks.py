"""Files and hunks of a difference as entries: line numbers, syntax, changed words, two layouts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from textual.content import Content

from selfheal_tui.core.patch import Line
from selfheal_tui.core.text import on_one_line, one_line
from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import folded, line, shown, spread, wrapped
from selfheal_tui.ui.widgets.patchfiles import FilePatch, HunkText
from selfheal_tui.ui.widgets.syntax import LONGEST, highlighted
from selfheal_tui.ui.widgets.words import Ranges, pairs, word_ranges

WIDE = 100
"""Cells from which the two sides stand next to each other, when nobody chose."""

_KINDS = {
    "added": "new file",
    "deleted": "deleted",
    "mode": "permissions",
    "binary": "binary",
    "link": "link",
}
_EXECUTABLE = "100755"
_SIGNS = {"+": "added", "-": "removed", " ": ""}


class Layout:
    """How hunks are laid out: `split` is True, False, or None for by width. Shared by a view."""

    def __init__(self) -> None:
        self.split: bool | None = None

    def is_split(self, width: int) -> bool:
        return width >= WIDE if self.split is None else self.split


def counts(added: int, removed: int) -> Content:
    """`+3 -1`, each in its colour."""
    return line((f"+{added}", "ok"), " ", (f"-{removed}", "failed-count"))


class FileBlock(Block):
    """The heading of a file in the difference; closing it hides its hunks.

    `refusal` is why the user does not want the whole file; None where nobody said so.
    """

    foldable = True

    def __init__(self, patch: FilePatch) -> None:
        super().__init__()
        self.patch = patch
        self.open = True
        self.reviewed = False
        self.refusal: str | None = None

    @property
    def is_refused(self) -> bool:
        return self.refusal is not None

    def make(self, width: int) -> Sequence[Content]:
        kind, marks = _KINDS.get(self.patch.file.kind, ""), " · ".join(self.patch.marks)
        words = line((f"  {kind}" if kind else "", "dim"), ("  ✓" if self.reviewed else "", "ok"))
        words += line((f"  {marks}" if marks else "", "warned"))
        right = counts(self.patch.added, self.patch.removed)
        return [
            *self._head(words, _refused(self.refusal, "  ") + right, width),
            *self._notes(width),
        ]

    def _head(self, words: Content, right: Content, width: int) -> list[Content]:
        """The whole name, on more than one line where it must be."""
        arrow = line(("▾ " if self.open else "▸ ", "dim"))
        name = line((_name(self.patch), "title"))
        room = width - right.cell_length - 2
        if (arrow + name + words).cell_length <= room:
            return [spread(arrow + name + words, right, width)]
        first, *rest = folded(name, max(room - 2, 8))
        below = [line("  ") + part for part in rest]
        more = wrapped(words, width, indent="  ") if words else []
        return [spread(arrow + first, right, width), *below, *more]

    def _notes(self, width: int) -> list[Content]:
        """What the lines do not show."""
        file = self.patch.file
        if not self.open:
            return []
        notes = []
        if file.old_mode and file.new_mode and file.old_mode != file.new_mode:
            notes.append(f"permissions {file.old_mode} → {file.new_mode}")
        if file.kind == "added" and file.new_mode == _EXECUTABLE:
            notes.append(f"executable: permissions {file.new_mode}")
        if file.binary:
            notes.append("binary content, not shown")
        elif not self.patch.hunks and file.kind in ("added", "deleted"):
            notes.append("an empty file")
        return [part for note in notes for part in wrapped(line("  ", (note, "dim")), width)]

    def text(self) -> str:
        return _name(self.patch)


class HunkBlock(Block):
    """One hunk. `refusal` is why the user does not want it; None where nobody said so. `accepted`
    notes that they looked at it and want it."""

    def __init__(self, owner: FileBlock, hunk: HunkText, layout: Layout) -> None:
        super().__init__()
        self.owner = owner
        self.hunk = hunk
        self.refusal: str | None = None
        self.accepted = False
        self._layout = layout
        self._read: _Read | None = None
        self._made_for: tuple[bool, bool] | None = None

    @property
    def path(self) -> str:
        return self.owner.patch.path

    @property
    def is_refused(self) -> bool:
        """Whether it is refused, by itself or with its file."""
        return self.refusal is not None or self.owner.is_refused

    def lines(self, width: int) -> Sequence[Content]:
        made_for = (self.owner.open, self._is_split(width))
        if made_for != self._made_for:
            self._made_for = made_for
            self.changed()
        return super().lines(width)

    def make(self, width: int) -> Sequence[Content]:
        if not self.owner.open:
            return []
        head = self._head(width)
        try:
            read = self._read = self._read or _Read(self.hunk, self.owner.patch)
        except ValueError as error:
            return [head, *_unread(self.hunk, str(error), width), Content("")]
        if self._is_split(width):
            return _SplitLines(head, read, width)
        return _UnifiedLines(head, read, width)

    def _is_split(self, width: int) -> bool:
        """A file that is new or gone has one side only."""
        both = bool(self.hunk.added and self.hunk.removed) or len(self.owner.patch.hunks) > 1
        return both and self._layout.is_split(width)

    def _head(self, width: int) -> Content:
        mark = _refused(self.refusal if self.refusal is not None else self.owner.refusal)
        if self.accepted and not self.is_refused:
            mark = line(("✓ accepted", "ok"))
        suspects = " · ".join(self.hunk.suspects)
        look = line((f"! {suspects}  " if suspects else "", "warned"))
        return spread(line(("  " + shown(self.hunk.header), "hunk")), look + mark, width)

    def text(self) -> str:
        return self.hunk.raw


class NoticeBlock(Block):
    """A sentence in place of a difference."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def make(self, width: int) -> Sequence[Content]:
        return [Content(""), *wrapped(line((self._text, "dim")), width)]


def _refused(reason: str | None, after: str = "") -> Content:
    """The mark of what is refused; nothing where it is not."""
    if reason is None:
        return Content("")
    return line(("✗ refused" + (f": {one_line(reason, 40)}" if reason else ""), "failed"), after)


def _unread(hunk: HunkText, why: str, width: int) -> list[Content]:
    """A hunk that is none, as it stands: nothing is left out of what somebody may approve."""
    lines = [line(("  " + shown(why), "failed"))]
    for text in hunk.raw.removesuffix("\n").split("\n")[1:]:
        lines += folded(line(shown(text)), width)
    return lines


def _name(patch: FilePatch) -> str:
    file = patch.file
    name = on_one_line(file.path)
    return name if file.old_path == file.path else f"{on_one_line(file.old_path)} → {name}"


class _Read:
    """What both layouts need of a hunk. Colours and changed words wait until it is drawn."""

    def __init__(self, hunk: HunkText, patch: FilePatch) -> None:
        self.lines = hunk.hunk.lines
        self.digits = len(str(max((each.new or each.old or 0 for each in self.lines), default=1)))
        self._patch = patch
        self._drawn: dict[int, Content] = {}
        # Long code stays without colours, so its lines can be made one by one.
        self._is_long = sum(len(each.text) for each in self.lines) > 2 * LONGEST

    def plain(self, at: int) -> str:
        """A line as it is drawn, but for colours."""
        return shown(self.lines[at].text) + _ending(self.lines[at])

    def rows(self, at: int, room: int) -> int:
        """How many rows of `room` cells a line takes."""
        text = self.lines[at].text
        if text.isascii() and text.isprintable():
            return max(-(-(len(text) + len(_ending(self.lines[at]))) // room), 1)
        return _rows(Content(self.plain(at)), room)

    def text(self, at: int) -> Content:
        """A line in colours."""
        if not self._is_long:
            return self._texts[at]
        if at not in self._drawn:
            self._drawn[at] = self._with_words(at, Content(shown(self.lines[at].text)))
        return self._drawn[at]

    @cached_property
    def _words(self) -> dict[int, Ranges]:
        return word_ranges(self.lines)

    @cached_property
    def _texts(self) -> list[Content]:
        """The lines in colours. Old and new side are read apart, each is a text of its own."""
        path = self._patch.path
        texts = [Content("")] * len(self.lines)
        for signs, wanted in (("-", "- "), ("+", "+ ")):
            places = [at for at, each in enumerate(self.lines) if each.sign in wanted]
            if not any(self.lines[at].sign in signs for at in places) and signs == "-":
                continue
            code = "\n".join(self.lines[at].text for at in places)
            for at, content in zip(places, highlighted(code, path=path), strict=False):
                texts[at] = self._with_words(at, content)
        return texts

    def _with_words(self, at: int, content: Content) -> Content:
        each = self.lines[at]
        if content.plain + _ending(each) != self.plain(at):
            # A lexer that drops or changes characters must not hide them.
            content = Content(shown(each.text))
        ranges: Ranges = self._words.get(at, ())
        # Marks and tabs made the drawn text another one than that which was compared.
        if ranges and content.plain == each.text:
            for start, end in ranges:
                content = content.stylize(f"{_SIGNS[each.sign]}-word", start, end)
        return content if each.newline else content + line((_ending(each), "dim"))


def _ending(each: Line) -> str:
    return "" if each.newline else "  [no newline at the end]"


class _Placed(Sequence[Content]):
    """Lines below a heading, laid out when they are looked at."""

    def __init__(self, head: Content, heights: Sequence[int]) -> None:
        self._head = head
        self._places = [(at, row) for at, rows in enumerate(heights) for row in range(rows)]

    def __len__(self) -> int:
        return len(self._places) + 2

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index == 0:
            return self._head
        if index == len(self) - 1:
            return Content("")
        return self.row(*self._places[index - 1])

    def row(self, at: int, row: int) -> Content:
        raise NotImplementedError


class _UnifiedLines(_Placed):
    """Removed above added, with the numbers of both sides where there is room."""

    def __init__(self, head: Content, read: _Read, width: int) -> None:
        self._read, self._width = read, width
        self._both = width >= 60
        numbers = read.digits * 2 + 1 if self._both else read.digits
        self._room = max(width - numbers - 3, 8)
        super().__init__(head, [read.rows(at, self._room) for at in range(len(read.lines))])

    def row(self, at: int, row: int) -> Content:
        each = self._read.lines[at]
        text = _piece(self._read.text(at), self._room, row)
        number = self._number(each) if row == 0 else " " * len(self._number(each))
        sign = each.sign if row == 0 else " "
        content = line((f"{number} ", "number"), f"{sign} ") + text
        return _filled(content, each.sign, self._width)

    def _number(self, each: Line) -> str:
        digits = self._read.digits
        if not self._both:
            return f"{(each.new or each.old or ''):>{digits}}"
        return f"{each.old or '':>{digits}} {each.new or '':>{digits}}"


class _SplitLines(_Placed):
    """Old on the left, new on the right."""

    def __init__(self, head: Content, read: _Read, width: int) -> None:
        self._read = read
        self._side = max((width - 1) // 2, 12)
        self._room = max(self._side - read.digits - 3, 8)
        self._pairs = pairs(read.lines)
        super().__init__(head, [self._height(*pair) for pair in self._pairs])

    def _height(self, old: int | None, new: int | None) -> int:
        places = {at for at in (old, new) if at is not None}
        return max(self._read.rows(at, self._room) for at in places)

    def row(self, at: int, row: int) -> Content:
        old, new = self._pairs[at]
        return self._half(old, row, left=True) + " " + self._half(new, row, left=False)

    def _half(self, at: int | None, row: int, *, left: bool) -> Content:
        if at is None:
            return Content(" " * self._side)
        each = self._read.lines[at]
        number = (each.old if left else each.new) if row == 0 else ""
        text = _piece(self._read.text(at), self._room, row)
        sign = each.sign if row == 0 else " "
        head = line((f"{number or '':>{self._read.digits}} ", "number"), f"{sign} ")
        return _filled(head + text, each.sign, self._side)


def _rows(text: Content, room: int) -> int:
    if text.cell_length <= room:
        return 1
    return len(folded(text, room))


def _piece(text: Content, room: int, row: int) -> Content:
    if text.plain.isascii():
        # Every character is a cell: of a line of megabytes only what is seen is touched.
        return text[row * room : (row + 1) * room]
    rows = folded(text, room)
    return rows[row] if row < len(rows) else Content("")


def _filled(content: Content, sign: str, width: int) -> Content:
    """The whole line in the colour of its sign, under what is coloured already."""
    content = content + " " * max(width - content.cell_length, 0)
    return content.stylize_before(_SIGNS[sign]) if _SIGNS[sign] else content
