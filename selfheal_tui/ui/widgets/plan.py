"""The plan with its ticks, above the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from selfheal_tui.ui.widgets.block import Block
from selfheal_tui.ui.widgets.lines import line, shown, spread, wrapped

_MARKS: dict[str, tuple[str, str]] = {
    "done": ("✓ ", "ok"),
    "doing": ("▸ ", "running"),
    "todo": ("○ ", "dim"),
}


class PlanBlock(Block):
    """Steps with their state. Closed, it shows the count and the step at hand."""

    foldable = True

    def __init__(self) -> None:
        super().__init__()
        self.open = True
        self.items: tuple[tuple[str, str], ...] = ()

    def show(self, items: Sequence[tuple[str, str]]) -> None:
        """Pairs of text and state (todo, doing, done)."""
        self.items = tuple((shown(text), state) for text, state in items)
        self.changed()

    def make(self, width: int) -> Sequence[Content]:
        done = sum(state == "done" for _, state in self.items)
        count = line((f"{done} of {len(self.items)}", "dim"))
        head = spread(line(("▾ " if self.open else "▸ ", "dim"), ("Plan", "title")), count, width)
        if not self.open:
            return [head, *self._at_hand(width)]
        return [head, *(part for item in self.items for part in _item(*item, width))]

    def _at_hand(self, width: int) -> list[Content]:
        doing = [item for item in self.items if item[1] == "doing"]
        return _item(*doing[0], width)[:1] if doing else []

    def text(self) -> str:
        return "\n".join(text for text, _ in self.items)


def _item(text: str, state: str, width: int) -> list[Content]:
    mark, style = _MARKS.get(state, _MARKS["todo"])
    body_style = {"done": "dim", "doing": "strong"}.get(state, "")
    lines = wrapped(line((text.replace("\n", " "), body_style)), width - 4)
    first = line("  ", (mark, style)) + lines[0]
    return [first, *(line("    ") + part for part in lines[1:])]
