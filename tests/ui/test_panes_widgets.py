"""The parts of the panes: output, escapes, Markdown, patches, themes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content

from selfheal_tui.core.patch import read_patch
from selfheal_tui.errors import SettingsError
from selfheal_tui.resources import themes_folder
from selfheal_tui.ui.palette import PALETTE
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.themes import load_themes
from selfheal_tui.ui.widgets import markdown
from selfheal_tui.ui.widgets.ansi import PLAIN, Pen, read_line
from selfheal_tui.ui.widgets.block import LineBlock
from selfheal_tui.ui.widgets.gist import gist
from selfheal_tui.ui.widgets.lines import folded, line, seconds, spread, wrapped
from selfheal_tui.ui.widgets.output import HEAD, TAIL, FoldedLines, Output
from selfheal_tui.ui.widgets.patchfiles import cut_patch
from selfheal_tui.ui.widgets.rows import Rows
from selfheal_tui.ui.widgets.words import changed_words
from tests.support import stories
from tests.ui.conftest import at_rest, drawn
from tests.ui.stand_in import PANES_CSS, PaneApp

LETTERS = "ab \t\r\b\x1b[]0;31m\x07\u202e\u200b[/red]\x9b`*#-|>1.\n表"
NASTY = st.text(st.sampled_from(LETTERS), max_size=80)


def is_fit(text: str) -> bool:
    return all(character.isprintable() for character in text)


# --- output and escapes --------------------------------------------------------------------


@given(NASTY)
@settings(max_examples=200, deadline=None)
def test_no_control_character_comes_through_a_line_of_output(raw):
    content, _ = read_line(raw.replace("\n", " "), PLAIN)
    assert is_fit(content.plain)


@given(st.lists(NASTY, max_size=12))
@settings(max_examples=150, deadline=None)
def test_output_is_the_same_in_whatever_pieces_it_comes(pieces):
    whole, parts = Output(), Output()
    whole.add("".join(pieces))
    for piece in pieces:
        parts.add(piece)
        parts.read()
    assert [each.plain for each in parts.lines()] == [each.plain for each in whole.lines()]
    assert [each.content.spans for each in parts.lines()] == [
        each.content.spans for each in whole.lines()
    ]


@given(st.lists(NASTY, max_size=6), st.integers(2, 30))
@settings(max_examples=150, deadline=None)
def test_rows_are_counted_as_they_are_drawn(pieces, width):
    output = Output()
    output.add("\n".join(pieces))
    rows = list(FoldedLines((), output.lines(), width))
    drawn = sum(max(len(folded(each.content, width)), 1) for each in output.lines())
    # A wide character that does not fit leaves a cell free, so a line may need one row more.
    assert len(rows) <= drawn <= len(rows) + sum("表" in each.plain for each in output.lines()) * 40


def test_colours_last_until_they_are_put_back_over_lines():
    first, pen = read_line("plain \x1b[1;31mred", PLAIN)
    second, after = read_line("still\x1b[0m not", pen)
    assert (first.plain, second.plain) == ("plain red", "still not")
    assert pen == Pen(colour="red", bold=True)
    assert after == PLAIN
    assert [(span.start, span.end, span.style) for span in second.spans][1:] == [(0, 5, "ansi-red")]


@pytest.mark.parametrize(
    ("codes", "pen"),
    [
        ("38;5;196", Pen(colour="rgb(255,0,0)")),
        ("38;5;2", Pen(colour="green")),
        ("38;5;244", Pen(colour="rgb(128,128,128)")),
        ("48;2;1;2;3", Pen(ground="rgb(1,2,3)")),
        ("91;104", Pen(colour="red", ground="blue")),
        ("31;39", PLAIN),
        ("1;2;3;4;7", Pen(bold=True, dim=True, italic=True, underline=True, reverse=True)),
        ("1;22", PLAIN),
        ("38", PLAIN),
        ("999;31", Pen(colour="red")),
    ],
)
def test_colours_of_all_kinds_are_read(codes, pen):
    assert read_line(f"\x1b[{codes}m", PLAIN)[1] == pen


def test_a_progress_bar_keeps_its_last_state():
    output = Output()
    output.add("10 %\r50 %\r")
    output.add("100 %\r\ndone\n")
    assert [each.plain for each in output.lines()] == ["100 %", "done"]


def test_everything_but_colours_becomes_a_mark():
    content, pen = read_line("\x1b]52;c;eA==\x07\x1b[2J\x1b[31mred", PLAIN)
    assert content.plain == "␛]52;c;eA==␇␛[2Jred"
    assert pen == Pen(colour="red")


def test_only_head_and_tail_of_a_long_output_are_kept():
    output = Output()
    for number in range(100):
        output.add("".join(f"line {number * 100 + at}\n" for at in range(100)))
        output.read()
    lines = [each.plain for each in output.lines()]
    assert lines[:2] == ["line 0", "line 1"]
    assert lines[HEAD] == f"[... {10_000 - HEAD - TAIL:,} lines left out ...]"
    assert lines[HEAD + 1 :] == [f"line {at}" for at in range(10_000 - TAIL, 10_000)]
    assert output.last(2)[1] == 9_998


def test_what_pours_in_faster_than_it_is_read_keeps_its_newest_lines():
    output = Output()
    output.add("first\n" * HEAD)
    output.read()
    for number in range(500):
        output.add(f"{number} {'x' * 90}\n" * 100)
    lines = [each.plain for each in output.lines()]
    assert lines[-1].startswith("499 ")
    assert len(lines) <= HEAD + 1 + TAIL
    assert "left out" in lines[HEAD]


def test_a_line_of_five_megabytes_is_cut_and_says_so():
    output = Output()
    for _ in range(50):
        output.add("y" * 100_000)
        output.read()
    output.add("\nnext\n")
    lines = [each.plain for each in output.lines()]
    assert lines[0].startswith("yyy")
    assert "more characters]" in lines[0]
    assert lines[1] == "next"
    assert len(lines[0]) < 10_000


def test_old_output_is_trimmed_to_its_ends():
    output = Output()
    output.add("".join(f"{at}\n" for at in range(1_000)))
    output.trim()
    lines = [each.plain for each in output.lines()]
    assert (lines[0], lines[-1], lines[40]) == ("0", "999", "[... 840 lines left out ...]")


# --- text ----------------------------------------------------------------------------------


@given(NASTY, st.integers(8, 60))
@settings(max_examples=200, deadline=None)
def test_any_markdown_gives_printable_lines_that_fit(text, width):
    for content in markdown.render(text, width):
        assert is_fit(content.plain)
        assert content.cell_length <= width + 8


def test_markdown_keeps_its_meaning():
    text = (
        "# Title\n\nSome *text* with `code` and a [link](http://a.b).\n\n"
        "- one\n- two\n  1. inner\n\n> said\n\n```python\nx = 1\n```\n\n"
        "| a | bb |\n|--|--|\n| 1 | 2 |\n"
    )
    assert [content.plain.rstrip() for content in markdown.render(text, 60)] == [
        "Title",
        "",
        "Some text with code and a link (http://a.b).",
        "",
        "• one",
        "• two",
        "  1. inner",
        "",
        "│ said",
        "",
        "  x = 1",
        "",
        "a  bb",
        "─────",
        "1  2",
    ]


def test_only_what_cannot_change_any_more_is_settled():
    assert markdown.stable_length("one\n\ntwo") == 5
    assert markdown.stable_length("```\na\n\nb") == 0
    assert markdown.stable_length("```\na\n```\n\nb") == 11


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("bash", '{"command": "ls\\n-l"}', "ls -l"),
        ("read_file", '{"path": "a.py", "start": 3, "end": 9}', "a.py 3-9"),
        ("search", '{"pattern": "x", "path": "src"}', "x in src"),
        ("update_plan", '{"items": [1, 2]}', "2 items"),
        ("other", '{"a": 1, "b": "c"}', "a=1, b=c"),
        ("bash", "not json", "not json"),
        ("bash", "[1]", "[1]"),
        ("bash", '{"command": "\\u001b[31m"}', "␛[31m"),
    ],
)
def test_a_call_is_told_in_a_few_words(name, arguments, said):
    assert gist(name, arguments) == said


def test_wrapped_lines_are_indented_after_the_first():
    lines = wrapped(line("one two three four"), 9, indent="  ")
    assert [content.plain.rstrip() for content in lines] == ["one two", "  three", "  four"]


def test_the_left_side_gives_way_to_the_right_one():
    assert spread(line("a long name"), line("9 s"), 14).plain == "a long n…  9 s"
    assert spread(line("a"), line("9 s"), 14).plain == "a          9 s"


def test_durations_are_said_as_people_do():
    assert [seconds(0.44), seconds(12.4), seconds(185)] == ["0.4 s", "12 s", "3 min 05 s"]


def test_a_block_remembers_its_lines_for_a_width():
    block = LineBlock(line("one two three"))
    assert [content.plain for content in block.lines(40)] == ["one two three"]
    assert block.lines(40) is block.lines(40)


# --- difference ----------------------------------------------------------------------------


@pytest.mark.parametrize("patch", [stories.FIRST_PATCH, stories.SECOND_PATCH, ""])
def test_a_patch_cut_in_pieces_is_the_patch_read_at_once(patch):
    whole = read_patch(patch)
    pieces = cut_patch(patch)
    assert [(each.path, each.added, each.removed) for each in pieces] == [
        (each.path, each.added, each.removed) for each in whole
    ]
    assert [tuple(hunk.hunk for hunk in each.hunks) for each in pieces] == [
        each.hunks for each in whole
    ]
    assert [each.file.kind for each in pieces] == [each.kind for each in whole]


def test_files_to_look_at_with_care_are_marked():
    hostile = next(
        event.patch for event, _ in stories.hostile() if type(event).__name__ == "TreeChanged"
    )
    assert [each.marks for each in cut_patch(hostile)] == [
        ("bidi", "invisible"),
        ("link", "leads outside"),
        ("mode",),
        (),
    ]
    workflow = "diff --git a/.github/ci.yml b/.github/ci.yml\nindex 1..2 100644\n"
    assert cut_patch(workflow)[0].marks == ("ci",)


def test_words_that_changed_are_found_in_lines_that_are_alike():
    assert changed_words("TAX = 0.0", "TAX = 0.1") == (((8, 9),), ((8, 9),))
    assert changed_words("one thing", "1 + 2 == other(7)") == ((), ())
    assert changed_words("x" * 500, "y") == ((), ())


# --- themes --------------------------------------------------------------------------------


def test_the_four_themes_are_there():
    assert [theme.name for theme in load_themes(themes_folder(), None)] == [
        "selfheal-contrast",
        "selfheal-dark",
        "selfheal-light",
        "selfheal-terminal",
    ]


@pytest.mark.parametrize("theme", [each.name for each in load_themes(themes_folder(), None)])
async def test_every_theme_draws_every_pane(theme):
    app = PaneApp(all_panes(), stories.healed_at_3(), theme=theme)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "Attempt 3" in "".join(app.panes[0].rows.render_line(y).text for y in range(30))


async def test_a_theme_that_differs_only_in_the_looks_of_lines_is_seen_at_once():
    app = PaneApp(all_panes(), stories.healed_at_3())
    dark = next(each for each in load_themes(themes_folder(), None) if each.name == app.theme)
    app.register_theme(replace(dark, name="other", success="#123456", error="#654321"))
    async with app.run_test(size=(160, 40)) as pilot:
        await at_rest(pilot)
        before = drawn(app)
        app.theme = "other"
        await at_rest(pilot)
        changed = drawn(app)
        for pane in app.panes:
            pane.rows.refresh()
        await at_rest(pilot)
        assert (changed != before, changed == drawn(app)) == (True, True)


class FollowingApp(App[None]):
    """One column that stays at its end."""

    CSS_PATH = PANES_CSS
    COMPONENT_CLASSES = PALETTE

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows(follows=True)
        for each in load_themes(themes_folder(), None):
            self.register_theme(each)
        self.theme = "selfheal-dark"

    def compose(self) -> ComposeResult:
        yield self.rows


async def test_a_column_is_at_its_end_and_its_bar_too_when_it_first_grows_over_the_screen():
    app = FollowingApp()
    async with app.run_test(size=(40, 10)) as pilot:
        for number in range(30):
            app.rows.append(LineBlock(Content(f"line {number}")))
        app.rows.sync()
        await pilot.pause()
        assert app.rows.scroll_offset.y == 20
        assert app.rows.vertical_scrollbar.position == 20


def test_a_theme_of_the_user_takes_the_place_of_ours(tmp_path):
    (tmp_path / "selfheal-dark.toml").write_text('primary = "#112233"\n')
    (tmp_path / "mine.toml").write_text('primary = "red"\n[variables]\nborder = "#ffffff"\n')
    themes = {theme.name: theme for theme in load_themes(themes_folder(), tmp_path)}
    assert themes["selfheal-dark"].primary == "#112233"
    assert themes["mine"].variables == {"border": "#ffffff"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('primary = "#111"\nacent = "#222"', "unknown key `acent`; did you mean `accent`?"),
        ('primary = "blurple"', "`primary` must be a colour, not 'blurple'"),
        ('accent = "#111"', "`primary` is missing; a theme needs at least this colour"),
        ('primary = "#111"\ndark = "yes"', "`dark` must be true or false"),
        ('primary = "#111"\ntext_alpha = 2', "`text_alpha` must be a number from 0 to 1"),
        (
            'primary = "#111"\n[variables]\nboarder = "#111"',
            "unknown key `variables.boarder`; did you mean `border`?",
        ),
        ('primary = "#111"\n[variables]\nborder = 3', "`variables` must be a table of strings"),
    ],
)
def test_a_theme_that_is_not_understood_is_an_error_that_names_it(tmp_path, text, sentence):
    file: Path = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_themes(themes_folder(), tmp_path)
    assert str(raised.value) == f"{file}: {sentence}"


# --- stories -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(stories.STORIES))
def test_the_files_of_the_stories_are_what_their_code_makes(name):
    kept = (stories.FOLDER / f"{name}.jsonl").read_text(encoding="ascii")
    assert kept == stories.as_lines(stories.STORIES[name]())


def test_an_empty_content_is_a_line_of_its_own():
    assert wrapped(Content(""), 10) == [Content("")]
