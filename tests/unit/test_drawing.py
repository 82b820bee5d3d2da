"""What a terminal of another character set is shown."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from selfheal_tui.cli.drawing import Drawing, legible


@settings(max_examples=200)
@given(st.text(), st.sampled_from(["ascii", "latin-1", "koi8-r", "cp437"]))
def test_what_is_left_can_be_written(text, encoding):
    legible(text, encoding).encode(encoding)


@pytest.mark.parametrize(
    "text", ["╭─ plan ─╮", "│ ✓ done …│", "● ○ ▸ █ ▏", "日本 한글", "e\u0301", "żółw"]
)
def test_a_stand_in_is_as_wide_as_what_it_stands_for(text):
    assert cell_len(legible(text, "ascii")) == cell_len(text)


def test_boxes_and_marks_stay_readable():
    assert legible("╭─ plan ─╮ ✓ ✗ … · ▸", "ascii") == "+- plan -+ + x . . >"
    assert legible("é·─", "latin-1") == "é·-"


def test_a_terminal_of_unicode_gets_the_text_as_it_is():
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    Drawing(written).write("╭─ …")
    written.seek(0)
    assert written.read() == "╭─ …"


def test_a_terminal_that_is_gone_raises_nothing():
    gone = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    drawing = Drawing(gone)
    gone.close()
    assert drawing.write("x") == 1
    drawing.flush()
