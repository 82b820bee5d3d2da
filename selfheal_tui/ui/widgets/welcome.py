"""What fills the place of the panes until there is something to show in them: what selfheal will
do here, how far it is with getting ready, and what to do about what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult, RenderResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from selfheal_tui.core.text import one_line
from selfheal_tui.ui.conductor import Readied
from selfheal_tui.ui.guides import Guide, guides
from selfheal_tui.ui.widgets.lines import Part, line, wrapped

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME = 0.1
"""Seconds that a picture of the spinner stays."""

_MARKS = {"ready": ("✓", "ok"), "failed": ("✗", "failed"), "waiting": ("·", "dim")}
_NAMES = 15
_WAYS = 18

PROMISE = (
    "selfheal works on a private copy of your files inside a container, runs your check there, and"
    " asks before anything reaches your repository."
)


class WelcomeText(Widget):
    """The lines themselves."""

    LOOKS = ("title", "dim", "ok", "failed", "running", "strong", "command", "warned")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"welcometext--{name}" for name in LOOKS}

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, Readied] = {}
        self.room = 0
        self._frame = 0

    @property
    def busy(self) -> bool:
        return any(step.state == "working" for step in self.steps.values())

    def turn(self) -> None:
        """The next picture of the spinner."""
        self._frame += 1
        self.refresh()

    def render(self) -> RenderResult:
        return Content("\n").join(self._styled(each) for each in self.lines(self.size.width))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.lines(width))

    def _styled(self, content: Content) -> Content:
        """The lines carry names of looks; here each becomes what the stylesheet says."""
        spans = [
            span._replace(style=self.get_visual_style(f"welcometext--{span.style}"))
            for span in content.spans
        ]
        return Content(content.plain, spans)

    # --- lines -----------------------------------------------------------------------------

    def lines(self, width: int) -> list[Content]:
        """Everything, for a width in cells; the words that are not needed where there is room."""
        needed = self._needed(width)
        title = line(("selfheal", "title"), _tagline(list(self.steps.values())))
        with_title = [line(""), title, line(""), *needed]
        return with_title if len(with_title) <= self.room else needed

    def _needed(self, width: int) -> list[Content]:
        steps = list(self.steps.values())
        lines = [part for step in steps for part in self._step(step, width)]
        for guide in guides(steps):
            lines += [line(""), *_guide(guide, width)]
        if not any(step.state == "failed" for step in steps):
            lines += [line(""), *_broken(line((PROMISE, "dim")), width, 0)]
        return lines

    def _step(self, step: Readied, width: int) -> Iterable[Content]:
        mark, look = _MARKS.get(step.state, (self._picture(), "running"))
        name = line((mark, look), " ", (f"{step.name:<{_NAMES}}", "strong"))
        detail_look = {"failed": "failed", "ready": ""}.get(step.state, "dim")
        detail = line((one_line(step.detail, 400), detail_look))
        if step.state != "failed":
            # What goes by would make everything below it jump.
            yield name + detail.truncate(max(width - name.cell_length, 4), ellipsis=True)
            return
        yield from _beside(name, detail, width)

    def _picture(self) -> str:
        still = self.app.animation_level == "none"
        return "…" if still else SPINNER[self._frame % len(SPINNER)]


class Welcome(VerticalScroll):
    """Scrolls where the terminal is low."""

    def compose(self) -> ComposeResult:
        yield WelcomeText()

    def on_mount(self) -> None:
        self._turning = self.set_interval(FRAME, self._turn, pause=True)

    @property
    def text(self) -> WelcomeText:
        return self.query_one(WelcomeText)

    def readied(self, step: Readied) -> None:
        """A step of getting ready went on."""
        text = self.text
        text.steps[step.name] = step
        text.refresh(layout=True)
        (self._turning.resume if text.busy else self._turning.pause)()

    def on_resize(self, event: events.Resize) -> None:
        self.text.room = event.size.height
        self.text.refresh(layout=True)

    def _turn(self) -> None:
        if self.display and self.app.animation_level != "none":
            self.text.turn()


def _tagline(steps: Sequence[Readied]) -> Part:
    if not steps:
        return ""
    if any(step.state == "failed" for step in steps):
        return ("  cannot start yet", "failed")
    if any(step.state != "ready" for step in steps):
        return ("  is getting ready; type already, it is kept and sent", "dim")
    return ("  is ready: say below what should be healed", "dim")


def _guide(guide: Guide, width: int) -> list[Content]:
    lines = [line((guide.title, "warned"))]
    for name, how in guide.ways:
        command, gap, remark = how.partition("   ")
        body = line((command, "command"), (gap + remark, "dim"))
        if name == "looked for":
            body = line((how, "dim"))
        lines += _beside(line(f"  {name:<{_WAYS}}"), body, width)
    return [*lines, line(("  " + guide.after, "dim"))] if guide.after else lines


def _beside(name: Content, text: Content, width: int) -> list[Content]:
    """`text` broken beside its name; where that is too narrow, below it."""
    indent = name.cell_length
    if width - indent < 24:
        return [name, *(line("    ") + part for part in wrapped(text, width - 4))]
    first, *rest = wrapped(text, width - indent)
    return [name + first, *(line(" " * indent) + part for part in rest)]


def _broken(text: Content, width: int, indent: int) -> list[Content]:
    return [line(" " * indent) + part for part in wrapped(text, width - indent)]
