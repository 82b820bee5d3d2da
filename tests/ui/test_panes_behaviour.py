"""What the panes do with events and keys."""

from __future__ import annotations

import pytest

from selfheal_tui.core import events as e
from selfheal_tui.ui.panes import all_panes
from selfheal_tui.ui.panes.diff import DiffPane
from selfheal_tui.ui.panes.reasoning import ReasoningPane
from selfheal_tui.ui.panes.sandbox import SandboxPane
from selfheal_tui.ui.widgets.column import PAGE, WINDOW
from selfheal_tui.ui.widgets.rows import Rows
from tests.support import stories
from tests.ui.stand_in import PaneApp

SIZE = (100, 40)


def text_of(rows: Rows) -> str:
    """What the column shows now, line by line."""
    height = rows.scrollable_content_region.height
    return "\n".join(rows.render_line(y).text.rstrip() for y in range(height))


def whole_text(rows: Rows) -> str:
    lines = (content for block in rows.blocks for content in block.lines(rows.line_width))
    return "\n".join(content.plain.rstrip() for content in lines)


def test_the_panes_have_the_names_that_the_app_asks_for():
    assert [pane.id for pane in all_panes()] == ["reasoning", "diff", "sandbox"]


@pytest.mark.parametrize("name", [*stories.STORIES, "long"])
async def test_every_story_is_shown_without_a_control_character(name):
    build = stories.STORIES.get(name, lambda: stories.long(2_000))
    app = PaneApp(all_panes(), build())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for pane in app.panes:
            pane.rows.action_toggle_all()
            await pilot.pause()
            drawn = whole_text(pane.rows) + text_of(pane.rows)
            assert [c for c in drawn if c != "\n" and not c.isprintable()] == []


# --- reasoning -----------------------------------------------------------------------------


async def test_text_of_a_retried_turn_is_void():
    story = stories.Story("task")
    story.tell(e.TurnStarted("t1", "coder", "m", 1))
    story.tell(e.ReasoningStreamed("t1", "half a thought"))
    story.tell(e.TextStreamed("t1", "half an answer"))
    story.tell(e.TurnRetried("t1", "cut", 1.0, 1, "m"))
    story.tell(e.TextStreamed("t1", "the whole"))
    story.tell(e.TurnEnded("t1", "coder", "m", "stop", "the whole answer"))
    app = PaneApp([ReasoningPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        shown = whole_text(app.panes[0].rows)
    assert "half" not in shown
    assert "the whole answer" in shown
    assert "m: cut; asking again in 1.0 s" in shown


async def test_thinking_folds_when_the_answer_begins_and_opens_again():
    app = PaneApp([ReasoningPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        assert "▸ Thought for" in whole_text(rows)
        assert "rounded to cents." not in whole_text(rows)
        rows.action_toggle_all()
        assert "rounded to cents." in whole_text(rows)


async def test_notes_from_earlier_heals_are_one_line_that_opens():
    story = stories.Story("task")
    notes = (
        ("healed on 2026-11-02 in till, commit 1a2b3c4", "Round [bold]late\x1b]52;c;eA==\x07"),
    )
    story.tell(e.IncidentsRecalled(notes))
    story.tell(e.IncidentRemembered(7, "ValueError: price", "healed today"))
    app = PaneApp([ReasoningPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        folded = whole_text(rows)
        rows.action_toggle_all()
        opened = whole_text(rows)
    assert "▸ 1 note from earlier heals" in folded
    assert "commit 1a2b3c4" not in folded
    assert "remembered for later: ValueError: price" in folded
    assert "healed on 2026-11-02 in till, commit 1a2b3c4" in opened
    assert "Round [bold]late␛]52;c;eA==␇" in opened


async def test_a_tool_call_opens_to_its_arguments_and_its_result():
    story = stories.Story("task")
    story.turn("coder", tools=(("read_file", {"path": "a.py", "start": 2}, "2\tb = 1", True),))
    app = PaneApp([ReasoningPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        assert "▸ read_file  a.py 2" in whole_text(rows)
        assert "b = 1" not in whole_text(rows)
        rows.focus()
        await pilot.press("end", "enter")
        assert "result  2   b = 1" in whole_text(rows)
        await pilot.press("enter")
        assert "b = 1" not in whole_text(rows)


async def test_the_plan_shows_ticks_and_folds_with_a_key():
    app = PaneApp([ReasoningPane()], stories.running())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        plan = app.query_one("#plan", Rows)
        assert "✓ Read till.py" in text_of(plan)
        assert "○ Run the check" in text_of(plan)
        app.panes[0].rows.focus()
        await pilot.press("p")
        await pilot.pause()
        assert "○ Run the check" not in whole_text(plan)
        assert "1 of 4" in whole_text(plan)


async def test_an_attempt_ends_with_its_outcome():
    app = PaneApp([ReasoningPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        shown = whole_text(app.panes[0].rows)
    assert "Attempt 1: better · 1 failing test" in shown
    assert "Attempt 2: worse · 3 failing tests" in shown
    assert "Attempt 3: green" in shown
    assert "rolled back to the best state: attempt 2 fails 3 tests, not 1" in shown


# --- rows ----------------------------------------------------------------------------------


async def test_only_a_window_is_laid_out_and_scrolling_pages_the_rest_in():
    app = PaneApp([ReasoningPane()], stories.long(6_000))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        assert len(rows.blocks) > 2 * WINDOW
        assert len(rows.window) <= WINDOW
        assert rows.following
        rows.focus()
        first = rows.window[0]
        rows.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert rows.window.index(first) == PAGE
        assert not rows.following
        await pilot.press("home")
        await pilot.pause()
        assert rows.window[0] is rows.blocks[0]
        await pilot.press("end")
        await pilot.pause()
        assert rows.window[-1] is rows.blocks[-1]
        assert rows.following


async def test_what_comes_in_does_not_move_what_is_read():
    app = PaneApp([ReasoningPane()], stories.long(500))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        rows.focus()
        await pilot.press("pageup")
        await pilot.pause()
        before = text_of(rows)
        app.panes[0].fold(e.Warned("something new"), stories.START)
        await pilot.pause()
        assert text_of(rows) == before
        await pilot.press("end")
        await pilot.pause()
        assert "something new" in text_of(rows)


async def test_keys_walk_through_the_entries_one_by_one():
    app = PaneApp([ReasoningPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        rows.focus()
        await pilot.press("home", "down", "j")
        assert rows.cursor is rows.blocks[2]
        await pilot.press("k")
        assert rows.cursor is rows.blocks[1]


async def test_a_search_opens_what_holds_the_text_and_goes_around():
    app = PaneApp([ReasoningPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        found = pane.search("REPLACED once")
        assert found == 1
        assert pane.rows.cursor is not None
        assert pane.rows.cursor.open
        assert pane.search("nothing like it") == 0
        found = pane.search("submit")
        places = []
        for _ in range(found + 1):
            pane.search_next()
            places.append(pane.rows.blocks.index(pane.rows.cursor))
        assert places[0] == places[-1]
        assert len(set(places)) == found
        pane.search_previous()
        assert pane.rows.blocks.index(pane.rows.cursor) == places[-2]


async def test_selected_text_is_copied_without_the_gutter():
    app = PaneApp([ReasoningPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.panes[0].rows.text_select_all()
        copied = app.screen.get_selected_text()
    assert copied is not None
    assert [row for row in copied.splitlines() if row.startswith("▸ read_file  till.py")]


async def test_switching_the_theme_redraws_in_its_colours():
    app = PaneApp([ReasoningPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        dark = rows.render_line(3)
        app.theme = "selfheal-light"
        await pilot.pause()
        light = rows.render_line(3)
    assert dark.text == light.text
    assert [segment.style for segment in dark] != [segment.style for segment in light]


async def test_what_the_user_took_out_and_undid_is_told_in_the_conversation():
    app = PaneApp([ReasoningPane()], stories.taken_out())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        said = whole_text(app.panes[0].rows).split("\n")
    for sentence in (
        "! you took all of tests/test_receipt.py out: no new test in this commit; 1 hunk out of"
        " till.py: the discount has its own line elsewhere",
        "! commit withdrawn: refs/heads/main moved to 77ab01c while you looked",
        "✓ your working tree has the change: 1 file, nothing committed",
        "→ taking 9f31c07a0000 back from refs/heads/main",
        "! took 9f31c07a0000 back: refs/heads/main is at cccccccccccc again, 1 file restored;"
        " edited since and left as they are: notes.md",
    ):
        assert sentence in said


HEALED_ENVIRONMENT = (
    (e.EnvironmentLacked(("the program jq",), "apt-get install jq"), 1.0),
    (e.EnvironmentNotHealed("apt-get install jq", "exit code 100\nE: no [such] package"), 2.0),
    (e.EnvironmentLacked(("the program jq",), "", "the network is off"), 3.0),
    (e.EnvironmentHealed("apt-get install jq", "image"), 4.0),
)


@pytest.mark.parametrize("pane", [ReasoningPane, SandboxPane])
async def test_a_healed_environment_is_told_in_the_conversation_and_in_the_log(pane):
    app = PaneApp([pane()], HEALED_ENVIRONMENT)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        said = whole_text(app.panes[0].rows)
    for sentence in (
        "! the environment lacks the program jq; proposed: apt-get install jq",
        "! the environment is not healed by apt-get install jq: exit code 100",
        "! the environment lacks the program jq; not healed (the network is off)",
        "the environment is healed and kept: apt-get install jq",
    ):
        assert sentence in said
    assert ("no [such] package" in said) == (pane is SandboxPane)


# --- diff ----------------------------------------------------------------------------------


async def test_an_attempt_shows_the_difference_that_it_left():
    app = PaneApp([DiffPane()], stories.healed_at_3())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        assert "test_receipt.py" in whole_text(pane.rows)
        assert pane.subtitle == "2 files  +14 -3"
        pane.rows.focus()
        await pilot.press("a")
        await pilot.pause()
        assert "test_receipt.py" not in whole_text(pane.rows)
        assert pane.subtitle == "1 file  +5 -3"
        await pilot.press("A", "A")
        await pilot.pause()
        assert "test_receipt.py" in whole_text(pane.rows)


async def test_the_difference_is_unified_or_split_by_key():
    app = PaneApp([DiffPane()], stories.happy())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = app.panes[0].rows
        rows.focus()
        assert " 5    - TAX = 0.0" in whole_text(rows)
        await pilot.press("s")
        changed = next(row for row in whole_text(rows).split("\n") if "TAX = 0.0" in row)
        assert changed.split() == ["5", "-", "TAX", "=", "0.0", "5", "+", "TAX", "=", "0.1"]


async def test_choosing_a_file_shows_its_hunks():
    app = PaneApp([DiffPane()], stories.refused())
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        files = app.query_one("#files", Rows)
        files.focus()
        await pilot.press("home", "down")
        await pilot.pause()
        assert "▾ till.py" in text_of(app.panes[0].rows).split("\n")[0]


async def test_a_reviewed_file_is_ticked_and_closed_until_it_changes():
    app = PaneApp([DiffPane()], stories.refused())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        pane.rows.focus()
        await pilot.press("home", "v")
        await pilot.pause()
        assert "▸ tests/test_receipt.py  new file  ✓" in whole_text(pane.rows)
        assert "✓ tests/test_receipt.py" in text_of(app.query_one("#files", Rows))
        again = stories.SECOND_PATCH.replace('"1.10"', '"2.10"')
        pane.fold(
            e.TreeChanged("9" * 40, (("tests/test_receipt.py", 5, 0), ("till.py", 8, 3)), again), 0
        )
        await pilot.pause()
        assert "✓" not in whole_text(pane.rows)


async def test_a_difference_that_is_too_large_shows_its_files():
    files = tuple((f"src/file_{at}.py", 3, 1) for at in range(10_000))
    story = [(e.TreeChanged("1" * 40, files, ""), 0.0)]
    app = PaneApp([DiffPane()], story)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "larger than a megabyte" in whole_text(app.panes[0].rows)
        assert "src/file_0.py" in text_of(app.query_one("#files", Rows))
        assert app.panes[0].subtitle == "10,000 files  +30000 -10000"


# --- sandbox -------------------------------------------------------------------------------


async def test_the_table_tells_fixed_still_new_and_flaky_apart():
    story = stories.Story("task")
    story.check("baseline", ("a::fixed", "a::still", "a::shaky"), passed=1)
    story.check("flaky", ("a::fixed", "a::still"), passed=2, flaky=("a::shaky",))
    story.check("verify", ("a::still", "a::new"), passed=3, flaky=("a::shaky",))
    app = PaneApp([SandboxPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = [
            " ".join(row.split()) for row in text_of(app.query_one("#checks", Rows)).split("\n")
        ]
    assert rows[:5] == [
        "▾ Checks 3 failing → 2 1 new · 1 still · 1 flaky · 1 fixed · 3 passed",
        "✗ a::new new hunk",
        "✗ a::still still hunk",
        "~ a::shaky flaky hunk",
        "✓ a::fixed fixed",
    ]


async def test_a_failing_test_jumps_to_its_log_and_to_the_hunk_of_its_file():
    app = PaneApp([SandboxPane()], stories.running())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        table = app.query_one("#checks", Rows)
        table.focus()
        await pilot.press("home", "down", "d")
        await pilot.pause()
        assert app.jumps == [("hunk", "till.py")]
        await pilot.press("l")
        await pilot.pause()
        log = app.panes[0].rows
        assert log.has_focus
        assert "test_a_discount_is_taken_before_tax" in text_of(log)


async def test_clicks_on_a_failing_test_lead_to_its_log_and_to_its_hunk():
    app = PaneApp([SandboxPane()], stories.running())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        table = app.query_one("#checks", Rows)
        row = table.render_line(1).text
        assert "✗ test_till.py::test_a_discount_is_taken_before_tax" in row
        await pilot.click(table, offset=(6, 1))
        await pilot.pause()
        assert app.panes[0].rows.has_focus
        assert app.jumps == []
        await pilot.click(table, offset=(row.index("hunk") + 1, 1))
        await pilot.pause()
        assert app.jumps == [("hunk", "till.py")]
        fixed = table.render_line(2).text
        assert "fixed" in fixed
        assert "hunk" not in fixed


async def test_the_diff_reveals_what_the_sandbox_asks_for():
    app = PaneApp([DiffPane()], stories.refused())
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        assert pane.reveal("hunk", "/work/tree/till.py")
        await pilot.pause()
        assert "▾ till.py" in text_of(pane.rows).split("\n")[0]
        assert not pane.reveal("hunk", "other.py")
        assert not pane.reveal("log", "till.py")


async def test_a_command_that_fails_shows_its_last_lines_and_one_that_works_is_folded():
    story = stories.Story("task")
    output = "".join(f"line {number}\n" for number in range(30))
    story.command("true", output)
    story.command("false", output, code=3)
    app = PaneApp([SandboxPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = [row.split() for row in whole_text(app.panes[0].rows).split("\n") if row]
    assert rows[0] == ["▸", "$", "true", "exit", "0", "0.4", "s"]
    assert rows[1] == ["▸", "$", "false", "exit", "3", "0.4", "s"]
    assert rows[2] == ["[18", "lines", "before,", "enter", "opens]"]
    assert [row[1] for row in rows[3:]] == [str(number) for number in range(18, 30)]


async def test_a_running_command_shows_its_time_as_it_passes():
    app = PaneApp([SandboxPane()], stories.running())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        pane = app.panes[0]
        assert "running 3.1 s" in text_of(pane.rows)
        assert pane.busy()
        pane.clock = lambda: 20.0
        pane.draw()
        assert "running 23 s" in text_of(pane.rows)


async def test_steps_show_their_state():
    story = stories.Story("task")
    story.tell(e.StepStarted("s1", "image", "building"))
    story.tell(e.StepProgressed("s1", "Step 2/6\n"))
    story.tell(e.StepStarted("s2", "engine"))
    story.tell(e.StepEnded("s2", "engine", 0.3, False, "no engine answers"))
    app = PaneApp([SandboxPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        rows = [row.split() for row in whole_text(app.panes[0].rows).split("\n")]
    assert rows[0][:3] == ["·", "image", "building"]
    assert rows[1] == ["Step", "2/6"]
    assert rows[2] == ["✗", "engine", "no", "engine", "answers", "0.3", "s"]


async def test_commands_of_parts_at_the_same_time_say_whose_they_are():
    story = stories.Story("task")
    for number, purpose in (("p1.c1", "tool"), ("p2.c1", "user"), ("c1", "tool")):
        story.tell(e.CommandStarted(number, "ls", purpose))
        story.tell(e.CommandEnded(number, 0, 0.1, 0))
    app = PaneApp([SandboxPane()], story.events)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        (pane,) = app.panes
        rows = [row.split() for row in whole_text(pane.rows).split("\n") if "$ ls" in row]
    whose = [" ".join(row[3 : row.index("exit")]) for row in rows]
    assert whose == ["part 1", "part 2 user", ""]
