"""What the reasoning pane shows of coders who work at the same time: who says what, in order."""

from __future__ import annotations

import pytest

from selfheal_tui.core import events as e
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.panes.reasoning import ReasoningPane
from tests.support import stories
from tests.ui.stand_in import PaneApp
from tests.ui.test_panes_behaviour import whole_text

PARTS = ("The till and its tax", "The printed receipt")


def in_parts() -> stories.Story:
    """Two parts whose answers stream across each other; they clash in one file."""
    story = stories.Story("Give the till a receipt")
    story.tell(e.PlanProposed(("Tax the till", "Print a receipt"), ("till", "print"), PARTS))
    story.tell(e.AttemptStarted(1, 3, story.tree))
    for number, title in enumerate(PARTS, 1):
        files = (("till/sum.py", "till/tax.py"), ("print/line.py", "print/page.py"))[number - 1]
        story.tell(e.PartStarted(number, 2, title, files))
    for number in (1, 2):
        story.tell(e.TurnStarted(f"p{number}.t1", f"coder {number}", "openai/gpt-x", number))
    story.tell(e.TextStreamed("p1.t1", "The tax is "))
    story.tell(e.TextStreamed("p2.t1", "A receipt needs "))
    story.tell(e.TextStreamed("p1.t1", "missing."))
    story.tell(e.TextStreamed("p2.t1", "lines."))
    for number, text in ((1, "The tax is missing."), (2, "A receipt needs lines.")):
        turn, role = f"p{number}.t1", f"coder {number}"
        story.tell(e.TurnEnded(turn, role, "openai/gpt-x", "tool_calls", text))
        path = ("till/tax.py", "print/line.py")[number - 1]
        story.tell(e.ToolCalled(f"{turn}.1", role, "read_file", f'{{"path": "{path}"}}'))
    for number in (2, 1):
        story.tell(e.ToolReturned(f"p{number}.t1.1", "read_file", ok=True, text="1  pass"))
    story.tell(e.PartEnded(2, "submitted", "t2", ("print/line.py", "till/__init__.py")))
    story.tell(
        e.PartEnded(1, "stopped", "t1", ("till/tax.py",), taken=True, reason="it went in circles")
    )
    story.tell(e.PartsMerged("t3", (1, 2), ("till/__init__.py",)))
    return story


async def test_each_word_stands_under_the_coder_who_said_it():
    app = PaneApp([ReasoningPane()], in_parts().events)
    async with app.run_test(size=(100, 50)) as pilot:
        await pilot.pause()
        lines = [text.strip() for text in whole_text(app.panes[0].rows).splitlines()]
        shown = [text for text in lines if text]
    said = shown.index("Coder 1  openai/gpt-x")
    expected = (
        "Coder 1  openai/gpt-x", "The tax is missing.",
        "Coder 2  openai/gpt-x", "A receipt needs lines.", "Coder 1  openai/gpt-x",
    )  # fmt: skip
    assert tuple(shown[said : said + 5]) == expected
    assert not app.panes[0].busy()


async def test_a_retried_turn_of_one_part_leaves_the_text_of_the_other():
    story = stories.Story("task")
    for number in (1, 2):
        story.tell(e.TurnStarted(f"p{number}.t1", f"coder {number}", "m", number))
        story.tell(e.TextStreamed(f"p{number}.t1", f"half of {number}"))
    story.tell(e.TurnRetried("p1.t1", "cut", 1.0, 1, "m"))
    app = PaneApp([ReasoningPane()], story.events)
    async with app.run_test(size=(100, 50)) as pilot:
        await pilot.pause()
        text = whole_text(app.panes[0].rows)
    assert "half of 1" not in text
    assert "half of 2" in text


@pytest.mark.parametrize("theme", ["selfheal-dark", "selfheal-light"])
def test_parts_look_as_they_should(snap_compare, theme):
    app = PaneApp(all_panes(), in_parts().events, theme=theme)
    assert snap_compare(app, terminal_size=(120, 36))
