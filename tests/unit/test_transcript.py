"""The transcript: what it tells, in which order, and that nothing in it can break out of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from selfheal_tui.core import events as e
from selfheal_tui.core.markdown import BLOCK, code, fenced, folded, plain
from selfheal_tui.core.text import printable
from selfheal_tui.core.transcript import transcript
from tests.support import stories

HOSTILE = st.text(
    st.one_of(st.sampled_from("`~<>[]()!*_#|\\-+.1 \n\t&$\x1b\x00\u202e\u2028"), st.characters()),
    max_size=60,
)
STARTED = e.SessionStarted("s1", "mend it", "/home/ada/till", "1.0")


def told(*events):
    return transcript((event, 1_760_000_000.0 + n) for n, event in enumerate(events))


def headings(text):
    return [line for line in text.splitlines() if line.startswith("#")]


def tokens(text):
    return MarkdownIt("commonmark").parse(text)


# --- what outside text can do --------------------------------------------------------------


@given(HOSTILE)
@settings(max_examples=150)
def test_no_content_ends_its_fence(text):
    before, after = "first\n\n", "\n\nlast"
    kinds = [token.type for token in tokens(before + fenced(text) + after)]
    paragraph = ["paragraph_open", "inline", "paragraph_close"]
    assert kinds == [*paragraph, "fence", *paragraph]


@given(HOSTILE)
@settings(max_examples=150)
def test_a_fence_holds_what_was_printable_of_its_content(text):
    (fence,) = tokens(fenced(text))
    shown = fenced(text).split("\n", 1)[1].rsplit("\n", 1)[0]
    assert shown == printable(text.rstrip("\n"))
    assert fence.type == "fence"


@given(HOSTILE)
@example("--")
@example("---")
@example("- - -")
@example("==")
@settings(max_examples=150)
def test_plain_words_and_code_are_no_markup(text):
    for made in (f"- {plain(text)}", f"## {plain(text)}", f"x {code(text)} y"):
        (inline,) = [token for token in tokens(made) if token.type == "inline"] or [None]
        if inline is None:
            assert plain(text) == ""
            continue
        allowed = {"text", "text_special", "code_inline"}
        assert {child.type for child in inline.children} <= allowed


@given(HOSTILE)
@settings(max_examples=100)
def test_no_summary_ends_its_fold(text):
    made = folded(text, fenced("x"))
    assert made.count("<") == 4
    assert [token.type for token in tokens(made)] == ["html_block", "fence", "html_block"]


@pytest.mark.parametrize("story", ["hostile", "healed_at_3", "refused", "environment"])
def test_nothing_unprintable_is_in_it(story):
    text = transcript(getattr(stories, story)())
    assert text == "\n".join(printable(line) for line in text.split("\n"))


def test_a_long_block_is_cut_in_the_middle_and_says_so():
    text = fenced("a\n" + "x\n" * BLOCK + "z")
    assert "characters left out" in text
    assert text.startswith("```text\na\n")
    assert text.endswith("\nz\n```")
    assert len(text) < BLOCK + 100


# --- what it tells -------------------------------------------------------------------------


def test_a_healed_run_is_told_in_its_order():
    told_in_order = headings(transcript(stories.healed_at_3()))
    assert [line for line in told_in_order if not line.startswith("###")] == [
        "# Fix the failing tests of the till",
        "## Task",
        "## Plan",
        "## Attempt 1 of 3",
        "## Attempt 2 of 3",
        "## Attempt 3 of 3",
        "## Review: approve",
        "## Proposal",
        "## Approval: commit",
        "## Outcome: committed",
    ]
    coder = "### Coder (anthropic/claude-sonnet-4-5)"
    assert {line for line in told_in_order if line.startswith("###")} == {
        "### Planner (anthropic/claude-sonnet-4-5)",
        coder,
        "### Reviewer (anthropic/claude-sonnet-4-5)",
        "### You",
    }


def test_the_end_tells_cost_time_and_tokens():
    text = transcript(stories.healed_at_3())
    assert text.endswith(
        "- exit code: 0\n- time: 30.8 s\n- cost: 0.0480 USD\n- tokens: 74400 in, 3720 out\n"
    )


def test_a_tools_command_is_told_once_with_what_the_model_was_told():
    text = told(
        STARTED,
        e.ToolCalled("k1", "coder", "bash", '{"command": "make test"}'),
        e.CommandStarted("c1", "make test", "tool"),
        e.CommandPrinted("c1", "streamed\n"),
        e.CommandEnded("c1", 1, 0.5, 9),
        e.ToolReturned("k1", "bash", False, "exit 1\nstreamed"),
    )
    assert text.count("make test") == 2
    assert "<details><summary>coder: bash make test (failed)</summary>" in text
    assert "```sh\nmake test\n```\n\n```text\nexit 1\nstreamed\n```" in text


def test_a_check_names_its_command_its_output_and_what_failed():
    text = told(
        STARTED,
        e.CommandStarted("c1", "make test", "baseline"),
        e.CommandPrinted("c1", "one\r"),
        e.CommandPrinted("c1", "two \x1b[31mred\x1b[0m\n"),
        e.CommandEnded("c1", 2, 0.5, 9, timed_out=True),
        e.CheckEnded("c1", "baseline", "t", 2, False, 0.5, ("a::b", "c`d"), ("c`d",), 7),
    )
    assert "<details><summary>$ make test [baseline: exit 2, 0.5 s, timed out]</summary>" in text
    assert "```text\ntwo red\n```" in text
    assert text.endswith(
        "**Check (baseline): red**, exit 2, 7 passed, 2 failing, 0.5 s\n\n"
        "- `a::b`\n- ``c`d`` (flaky)\n\n## Outcome\n\nThe session has not ended.\n"
    )


def test_what_streamed_of_a_failed_request_was_never_said():
    text = told(
        STARTED,
        e.TurnStarted("t1", "coder", "m", 1),
        e.ReasoningStreamed("t1", "void"),
        e.TurnRetried("t1", "429", 1.5, 1, "m"),
        e.ReasoningStreamed("t1", "kept "),
        e.ReasoningStreamed("t1", "thought"),
        e.TurnEnded("t1", "coder", "m", "stop", "An answer with ```fence```"),
    )
    assert "void" not in text
    assert "- m: 429; asked again after 1.5 s" in text
    assert "```markdown\nkept thought\n```" in text
    assert "````markdown\nAn answer with ```fence```\n````" in text


def test_sentences_that_follow_each_other_are_one_list():
    text = told(STARTED, e.Warned("one *star*"), e.SandboxWasLost("two"))
    assert "- warning: one \\*star\\*\n- the sandbox ended: two\n" in text


def test_a_healed_environment_is_told():
    command = "pip install six"
    text = told(
        STARTED,
        e.EnvironmentLacked(("the Python module six",), command),
        e.EnvironmentNotHealed(command, "exit code 1\nno network"),
        e.EnvironmentHealed(command, "image"),
    )
    assert (
        "- the environment lacks the Python module six; proposed: pip install six\n"
        "- the environment is not healed by pip install six: exit code 1\n"
        "- no network\n"
        "- the environment is healed and kept: pip install six\n"
    ) in text


def test_the_users_words_are_told_and_the_task_only_once():
    text = told(STARTED, e.MessageSent("mend it"), e.MessageSent("use ``` less"))
    assert text.count("mend it") == 2
    assert "### You\n\n````text\nuse ``` less\n````" in text


def test_a_session_that_was_taken_up_again_says_so():
    again = e.SessionStarted("s1", "mend it", "/home/ada/till", "1.0", resumed=True)
    text = told(STARTED, e.SessionEnded(3, "x", "y", 1.0), again, e.SessionEnded(0, "z", "w", 1.0))
    assert headings(text) == [
        "# mend it",
        "## Task",
        "## Outcome: x",
        "# Taken up again: mend it",
        "## Outcome: z",
    ]


def test_a_call_that_never_returned_and_a_killed_session_are_told():
    text = told(STARTED, e.ToolCalled("k1", "coder", "read_file", '{"path": "a.py"}'))
    assert "<summary>coder: read_file a.py (did not return)</summary>" in text
    assert text.endswith("## Outcome\n\nThe session has not ended.\n")


def test_no_events_are_a_document_too():
    assert transcript([]) == "# selfheal\n\nThere are no events.\n"


def test_every_story_and_ten_thousand_events_are_told():
    assert len(transcript(stories.long(10_000))) < 2_000_000
