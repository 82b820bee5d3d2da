"""One entry of `Rows`: some lines for a width, made when they are looked at and then kept."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from selfheal_tui.ui.widgets.lines import plain_text, wrapped


class Block:
    """An entry. `foldable` ones open and close; `open` says which."""

    foldable = False

    def __init__(self) -> None:
        self.open = False
        self._made: tuple[int, Sequence[Content]] | None = None

    def changed(self) -> None:
        """Forget the lines: what they are made from is new."""
        self._made = None

    def toggle(self) -> None:
        """Open or close; nothing for an entry that cannot."""
        if self.foldable:
            self.open = not self.open
            self.changed()

    def lines(self, width: int) -> Sequence[Content]:
        """The lines for `width` cells; at least one."""
        if self._made is None or self._made[0] != width:
            self._made = (width, self.make(width))
        return self._made[1]

    def make(self, width: int) -> Sequence[Content]:
        """What `lines` keeps. To be said by each kind of block."""
        raise NotImplementedError

    def text(self) -> str:
        """What a search looks through, the folded part too."""
        return plain_text(self.lines(200))


class LineBlock(Block):
    """Lines that never change but for their width."""

    def __init__(self, content: Content, *, indent: str = "  ", space: bool = False) -> None:
        super().__init__()
        self._content = content
        self._indent = indent
        self._space = space

    def make(self, width: int) -> Sequence[Content]:
        lines = wrapped(self._content, width, indent=self._indent)
        return [Content(""), *lines] if self._space else lines

    def text(self) -> str:
        return self._content.plain
