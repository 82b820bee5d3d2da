"""Output of a command in bounded memory: its first lines and its last ones.

Taking a piece is cheap at any rate; lines are read from it when they are to be seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import chain, islice

from textual.content import Content

from selfheal_tui.core.text import MAX_COLUMNS
from selfheal_tui.ui.widgets.ansi import PLAIN, SGR, UNUSUAL, Pen, read_line
from selfheal_tui.ui.widgets.lines import counted, folded, line

HEAD = 200
"""First lines that are kept."""
TAIL = 2_000
"""Last lines that are kept."""
PENDING = 128 * 1024
"""Characters that may wait to be read; of more only the newest ones are."""
LONGEST = 8 * 1024
"""Characters of one line that are kept."""

DIM = Pen(dim=True)

TRIMMED_HEAD, TRIMMED_TAIL = 40, 120


class OutputLine:
    """One line as it came, with the pen that was down at its start; read when it is drawn."""

    __slots__ = ("_content", "_cut", "_pen", "_raw")

    def __init__(self, raw: str, pen: Pen, cut: int) -> None:
        self._raw, self._pen, self._cut = raw, pen, cut
        self._content: Content | None = None

    @property
    def content(self) -> Content:
        if self._content is None:
            note = (f" [... {self._cut:,} more characters]", "dim") if self._cut else ""
            self._content = read_line(self._raw, self._pen)[0] + line(note)
        return self._content

    @property
    def plain(self) -> str:
        return self.content.plain

    @property
    def cell_length(self) -> int:
        """Cells of the line, without reading it where that can be."""
        bare = SGR.sub("", self._raw) if "\x1b" in self._raw else self._raw
        if len(bare) <= MAX_COLUMNS and not self._cut and UNUSUAL.search(bare) is None:
            return len(bare)
        return self.content.cell_length

    def pen_after(self) -> Pen:
        """The pen at the end of the line; most lines put it back, which is seen at once."""
        at = self._raw.rfind("\x1b[")
        if at < 0:
            return self._pen
        if self._raw.startswith(("\x1b[0m", "\x1b[m"), at):
            return PLAIN
        return read_line(self._raw, self._pen)[1]


class Output:
    """The lines of one command."""

    def __init__(self) -> None:
        self.size = 0
        self._head: list[OutputLine] = []
        self._tail: deque[OutputLine] = deque(maxlen=TAIL)
        self._left_out = 0
        self._partial = ""
        self._cut = 0
        self._pen = PLAIN
        self._pending: deque[str] = deque()
        self._waiting = 0
        self._skipped = False

    def add(self, text: str) -> None:
        """Take a piece. No work but keeping it, and letting go of what nobody can see any more."""
        self.size += len(text)
        if len(text) > PENDING and len(self._head) == HEAD:
            self._skip(text[:-PENDING])
            text = text[-PENDING:]
        self._pending.append(text)
        self._waiting += len(text)
        while self._waiting > PENDING and len(self._pending) > 1 and len(self._head) == HEAD:
            dropped = self._pending.popleft()
            self._waiting -= len(dropped)
            self._skip(dropped)
        if self._waiting > 4 * PENDING:
            self.read()

    def _skip(self, text: str) -> None:
        """Let text go unread. The line it ends in is not whole, nor is the one that was begun."""
        newlines = text.count("\n")
        self._left_out += newlines
        if newlines:
            self._partial, self._cut = "", 0
        self._skipped = True

    def read(self) -> None:
        """Make lines of what came in."""
        if not self._pending:
            return
        text = self._partial + "".join(self._pending)
        self._pending.clear()
        self._waiting = 0
        if self._skipped and self._tail:
            # Lines before the gap would be shown as if they were followed by these.
            self._left_out += len(self._tail)
            self._tail.clear()
        self._skipped = False
        *whole, partial = text.split("\n")
        self._take(whole)
        self._begin(partial)

    def _take(self, lines: list[str]) -> None:
        if len(self._head) < HEAD:
            room = HEAD - len(self._head)
            self._head += [self._line(raw) for raw in lines[:room]]
            lines = lines[room:]
        left_out = max(len(lines) - TAIL, 0)
        for raw in lines[left_out:]:
            if len(self._tail) == TAIL:
                left_out += 1
            self._tail.append(self._line(raw))
        self._left_out += left_out

    def _line(self, raw: str) -> OutputLine:
        cut, self._cut = self._cut + max(len(raw) - LONGEST, 0), 0
        made = OutputLine(raw[:LONGEST], self._pen, cut)
        self._pen = made.pen_after()
        return made

    def _begin(self, partial: str) -> None:
        """A line that has no end yet: a progress bar keeps its last state, a long one its start."""
        if len(partial) > LONGEST:
            if "\r" in partial[-LONGEST:]:
                partial = partial[-LONGEST:]
            else:
                self._cut += len(partial) - LONGEST
                partial = partial[:LONGEST]
        self._partial = partial

    def lines(self) -> list[OutputLine]:
        """Everything that is kept, with a note where something is left out."""
        self.read()
        lines = list(self._head)
        if self._left_out:
            note = f"[... {counted(self._left_out, 'line')} left out ...]"
            lines.append(OutputLine(note, DIM, 0))
        return [*lines, *self._tail, *self._begun()]

    def _begun(self) -> list[OutputLine]:
        return [OutputLine(self._partial, self._pen, self._cut)] if self._partial else []

    def last(self, count: int) -> tuple[list[Content], int]:
        """The last `count` lines, and how many came before them."""
        self.read()
        begun = self._begun()
        kept = len(self._head) + len(self._tail) + len(begun)
        newest = chain(begun, reversed(self._tail), reversed(self._head))
        lines = [each.content for each in islice(newest, count)]
        return lines[::-1], max(kept + self._left_out - count, 0)

    def trim(self) -> None:
        """Keep less: for commands of long ago."""
        self.read()
        if len(self._head) + len(self._tail) <= TRIMMED_HEAD + TRIMMED_TAIL:
            return
        whole = [*self._head, *self._tail]
        self._left_out += len(whole) - TRIMMED_HEAD - TRIMMED_TAIL
        self._head = whole[:TRIMMED_HEAD]
        self._tail = deque(whole[-TRIMMED_TAIL:], maxlen=TAIL)

    def text(self) -> str:
        """What a search looks through."""
        return "\n".join(content.plain for content in self.lines())


class FoldedLines(Sequence[Content]):
    """Lines broken at the edge when they are looked at; how many there are is counted at once."""

    def __init__(self, before: Sequence[Content], lines: Sequence[OutputLine], width: int) -> None:
        self._before, self._lines, self._width = before, lines, max(width, 2)
        self._places: list[tuple[int, int]] = []
        for at, content in enumerate(lines):
            rows = max(-(-content.cell_length // self._width), 1)
            self._places += [(at, row) for row in range(rows)]

    def __len__(self) -> int:
        return len(self._before) + len(self._places)

    def row_of(self, at: int) -> int:
        """The row where line `at` begins."""
        return len(self._before) + bisect_left(self._places, (at, 0))

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index < len(self._before):
            return self._before[index]
        at, row = self._places[index - len(self._before)]
        rows = folded(self._lines[at].content, self._width)
        return line("  ") + (rows[row] if row < len(rows) else Content(""))
