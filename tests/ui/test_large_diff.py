"""A very large difference: made piece by piece, and whole for whoever asks."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App

from selfheal_tui.core.patch import read_patch
from selfheal_tui.ui.palette import PALETTE
from selfheal_tui.ui.widgets.diffview import MANY, DiffView
from selfheal_tui.ui.widgets.hunks import FileBlock, HunkBlock, Layout
from selfheal_tui.ui.widgets.lines import shown
from selfheal_tui.ui.widgets.patchfiles import cut_patch

FILES = 2 * MANY


def file_patch(name, *lines):
    added = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n"
        f"@@ -1 +1,{1 + len(lines)} @@\n a\n{added}"
    )


class ViewApp(App):
    """A view of a difference, alone."""

    COMPONENT_CLASSES = PALETTE

    def compose(self):
        yield DiffView()


def many(word):
    return cut_patch("".join(file_patch(f"f{number}.py", word) for number in range(FILES)))


async def test_thousands_of_files_are_there_for_whoever_asks_before_they_were_drawn():
    files = many("one")
    async with ViewApp().run_test() as pilot:
        view = pilot.app.query_one(DiffView)
        view.show(files)
        assert [type(block) for block in view.blocks] == [FileBlock, HunkBlock] * FILES
        assert [block.patch for block in view.blocks[::2]] == list(files)


async def test_a_file_is_found_before_the_entries_are_made():
    async with ViewApp().run_test() as pilot:
        view = pilot.app.query_one(DiffView)
        view.show(many("one"))
        assert view.go_to_file(f"f{FILES - 1}.py")
        assert view.cursor is view.blocks[-2]


async def test_what_was_shown_stays_until_its_successors_are_made():
    async with ViewApp().run_test() as pilot:
        view = pilot.app.query_one(DiffView)
        view.show(cut_patch(file_patch("small.py", "x")))
        before = list(view.window)
        view.show(many("one"))
        assert view.window == before
        while view.window == before:
            await pilot.pause(0.01)
        assert view.window[0].patch.path == "f0.py"


async def test_ticks_hold_for_files_that_are_the_same_while_the_entries_are_made():
    async with ViewApp().run_test() as pilot:
        view = pilot.app.query_one(DiffView)
        view.show(many("one"))
        view.blocks[0].reviewed = True
        view.show((*many("one")[:-1], *cut_patch(file_patch("new.py", "x"))))
        assert view.reviewed() == {"f0.py"}
        assert view.blocks[0].reviewed
        assert view.reviewed() == {"f0.py"}


LINES = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=60),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(lines=LINES, width=st.integers(12, 130), is_long=st.booleans())
def test_a_hunk_shows_every_character_of_its_lines_in_rows_that_fit(lines, width, is_long):
    (patch,) = cut_patch(file_patch("f.txt", *lines, *["x" * 130_000] * is_long))
    block = HunkBlock(FileBlock(patch), patch.hunks[0], Layout())
    read = read_patch(patch.section)[0].hunks[0].lines
    digits = len(str(len(read)))
    numbers = 2 * digits + 1 if width >= 60 else digits
    rows = block.lines(width)
    drawn = "".join(row.plain[numbers + 3 :] for row in rows[1:-1])
    assert bare(drawn) == bare("".join(shown(line.text) for line in read))
    assert max(row.cell_length for row in rows[1:]) <= max(width, numbers + 3 + 8)


def bare(text):
    """The characters without blanks, which rows are filled with."""
    return re.sub(r"\s", "", text)
