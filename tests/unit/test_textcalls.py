"""Tool calls in plain text: the form that is taught, the habits of others, hostile text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.scripted import ScriptedModel, call, calling, fail, say
from selfheal_tui.agent.ports import Message, ModelRequest, TextDelta, ToolCall, ToolSpec
from selfheal_tui.agent.textcalls import AutoToolsModel, TextToolsModel
from selfheal_tui.agent.textcalls.quotes import QUOTED
from selfheal_tui.agent.textcalls.reader import read_calls, read_stray_calls
from selfheal_tui.agent.textcalls.render import as_texts, described, render
from selfheal_tui.errors import ModelRetryable, ToolsUnsupported


def spec(name, *required, **optional):
    properties = {key: {"type": "string"} for key in required}
    properties |= {key: {"type": kind} for key, kind in optional.items()}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSpec(name, f"About {name}.", schema)


TOOLS = (
    spec("bash", "command", timeout="integer"),
    spec("read_file", "path", start="integer", end="integer"),
    spec("edit_file", "path", "old", "new", all="boolean"),
    spec("write_file", "path", "content"),
    spec("update_plan", items="array"),
    spec("submit", "summary", "commit_message"),
)


def read(text, tools=TOOLS):
    """Names and arguments (or the error) of what was found, and the prose."""
    found = read_calls(text, tools)
    return found.prose, [(made.name, made.error or made.arguments) for made in found.calls]


# --- the form that is taught ---------------------------------------------------------------


def test_a_block_is_a_call_and_the_rest_is_prose():
    text = "I look first.\n\n```tool bash\ncommand: ls -la\ntimeout: 30\n```\n"
    assert read(text) == ("I look first.", [("bash", {"command": "ls -la", "timeout": 30})])


def test_texts_of_several_lines_are_taken_exactly_as_they_are():
    text = (
        "```tool edit_file\npath: a.py\nold: <<<\n    return a - b\n\n>>>\n"
        'new: <<<\n    # "quoted" \\n and ``` and key: value\n    return a + b\n>>>\nall: true\n```'
    )
    arguments = {
        "path": "a.py",
        "old": "    return a - b\n",
        "new": '    # "quoted" \\n and ``` and key: value\n    return a + b',
        "all": True,
    }
    assert read(text) == ("", [("edit_file", arguments)])


def test_a_fence_within_a_marked_text_closes_nothing():
    text = "```tool write_file\npath: README.md\ncontent:\n<<<\n```sh\nls\n```\n>>>\n```\nbye"
    arguments = {"path": "README.md", "content": "```sh\nls\n```\n"}
    assert read(text) == ("bye", [("write_file", arguments)])


def test_longer_marks_hold_texts_that_contain_marks():
    text = "```tool write_file\npath: a\ncontent: <<<<\n<<<\n>>>\n>>>>\n```"
    assert read(text)[1] == [("write_file", {"path": "a", "content": "<<<\n>>>\n"})]


def test_several_blocks_are_several_calls_in_order():
    text = "one\n```tool bash\ncommand: a\n```\ntwo\n```tool bash\ncommand: b\n```\nthree"
    prose, made = read(text)
    assert made == [("bash", {"command": "a"}), ("bash", {"command": "b"})]
    assert prose.split() == ["one", "two", "three"]


def test_lists_are_json_on_one_line():
    text = '```tool update_plan\nitems: [{"text": "a", "state": "todo"}]\n```'
    assert read(text)[1] == [("update_plan", {"items": [{"text": "a", "state": "todo"}]})]


def test_a_value_that_does_not_fit_stays_text_for_the_toolbox_to_refuse():
    text = "```tool bash\ncommand: ls\ntimeout: soon\n```"
    assert read(text)[1] == [("bash", {"command": "ls", "timeout": "soon"})]


# --- habits of models ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '```tool\n{"name": "bash", "arguments": {"command": "ls"}}\n```',
        '```tool bash\n{"command": "ls"}\n```',
        '```tool_call\n{"tool": "bash", "args": {"command": "ls"}}\n```',
        '```json\n{"name": "bash", "arguments": {"command": "ls"}}\n```',
        '```\n{"name": "bash", "parameters": {"command": "ls"}}\n```',
        '```json\n{"tool": "bash", "command": "ls",}\n```',
        '{"name": "bash", "arguments": {"command": "ls"}}',
        '[{"name": "bash", "arguments": "{\\"command\\": \\"ls\\"}"}]',
        '{"type": "function", "function": {"name": "bash", "arguments": {"command": "ls"}}}',
        '[TOOL_CALLS] [{"name": "bash", "arguments": {"command": "ls"}}]',
        '<|python_tag|>{"name": "bash", "parameters": {"command": "ls"}}',
        '<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>',
        '<tool_call>{"name": "bash", "arguments": {"command": "ls"}}',
        "<tool_call>\n<function=bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        "<function=bash><parameter=command>ls</parameter></function>",
        "```tool bash\ncommand: ls\n",
        "```tool bash\nls\n```",
        "```tool bash\n<<<\nls\n>>>\n```",
        "```tool\nbash\ncommand: ls\n```",
        "```tool\nname: bash\ncommand: ls\n```",
        '```tool bash\ncommand: "ls"\n```',
        "~~~tool bash\ncommand = ls\n~~~",
        "```tool bash\r\ncommand: ls\r\n```\r\n",
    ],
)
def test_other_forms_of_the_same_call_are_taken(text):
    assert read(text) == ("", [("bash", {"command": "ls"})])


def test_a_command_may_go_on_in_the_next_lines():
    text = "```tool bash\ncommand: python - <<'EOF'\nprint(1)\nEOF\ntimeout: 5\n```"
    command = "python - <<'EOF'\nprint(1)\nEOF"
    assert read(text)[1] == [("bash", {"command": command, "timeout": 5})]


@pytest.mark.parametrize("command", ["{ ls; pwd; }", "[ -f x ] && ls", '"$EDITOR" a', "(ls)"])
def test_a_command_that_begins_like_json_is_a_command(command):
    assert read(f"```tool bash\n{command}\n```")[1] == [("bash", {"command": command})]
    assert read(f"```tool bash\ncommand: {command}\n```")[1] == [("bash", {"command": command})]


def test_two_tags_in_one_line_are_two_calls():
    one = '<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>'
    assert read(f"So: {one}{one}") == ("So:", [("bash", {"command": "ls"})] * 2)


def test_a_tool_without_arguments_needs_none():
    assert read("```tool update_plan\n```")[1] == [("update_plan", {})]


def test_a_tool_that_is_not_known_is_a_call_for_the_toolbox_to_refuse():
    assert read("```tool remove_all\nwhat: everything\n```")[1] == [
        ("remove_all", {"what": "everything"})
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Run this:\n```bash\nrm -rf /\n```",
        '```json\n{"name": "left-pad", "version": "1.0"}\n```',
        '```json\n{"name": "bash", "arguments"\n```',
        '{"name": "left-pad", "arguments": {}}',
        "Use the `<tool_call>` tag, or <function= something.",
        "```python\nprint({'name': 'bash'})\n```",
        "{",
        "",
        "The file says:\n```markdown\n```tool bash\ncommand: x\n```\n```",
        "The file says:\n````\n```tool bash\ncommand: x\n```\n````",
        '```python\nx = """\n<tool_call>{"name": "bash", "arguments": {}}</tool_call>"""\n```',
    ],
)
def test_what_only_looks_like_a_call_is_prose(text):
    assert read(text) == (text.strip(), [])


def test_results_that_the_model_made_up_are_dropped_with_all_that_follows():
    text = (
        "```tool bash\ncommand: pytest\n```\nResult of bash:\nall passed\n"
        "```tool submit\nsummary: done\ncommit_message: x\n```"
    )
    assert read(text) == ("", [("bash", {"command": "pytest"})])


# --- what cannot be read -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("```tool write_file\npath: a\ncontent: <<<\nx\n```", "`content` is not closed with >>>"),
        ("```tool edit_file\npath: a\nold: b\nold: c\n```", "`old` is given twice"),
        ("```tool edit_file\nhello\npath: a\n```", "belongs to no argument: 'hello'"),
        ("```tool edit_file\n<<<\nx\n>>>\n```", "must follow the name of its argument"),
        ("```tool edit_file\nold: a\n<<<\nx\n>>>\n```", "`old` has a value already"),
        ('```tool edit_file\n{"path": "a\n```', "not valid JSON"),
        ("```tool bash\n[{}]\n```", "must be an object"),
        ("```tool\n[{}]\n```", "must hold an object with name and arguments"),
        ("```tool\n: : :\n```", "names no tool"),
        ('<tool_call>{"name": "bash", "arguments": {"comm</tool_call>', "not valid JSON"),
        ('<tool_call>{"x": 1}</tool_call>', "names no tool"),
        ('<tool_call>{"name": "bash", "arguments": 3}</tool_call>', "must be an object"),
        ('```tool\n{"name": "bash", "arguments": "{"}\n```', "arguments of bash cannot be read"),
        ('```tool bash\n{"command": "\\ud800"}\n```', "half of a character"),
        ("```tool bash\n" + '[{"a":' * 30_000 + "\n```", "nested too deeply"),
    ],
)
def test_a_call_that_cannot_be_read_says_why_and_has_no_arguments(text, sentence):
    (made,) = read_calls(text, TOOLS).calls
    assert sentence in made.error
    assert made.arguments == {}
    assert made.raw


# --- there and back, and hostile text ------------------------------------------------------

text_values = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60
) | st.sampled_from(["", "\n", ">>>", "<<<\n>>>\n>>>>", "```\nx\n```", '"a"', " a ", "path: x\n"])


@given(path=text_values, old=text_values, new=text_values, whole=st.booleans())
@settings(max_examples=200)
def test_what_is_rendered_is_read_back_exactly(path, old, new, whole):
    arguments = {"path": path, "old": old, "new": new, "all": whole}
    prose, made = read(f"so\n{render(ToolCall('1', 'edit_file', arguments))}\n")
    assert (prose, made) == ("so", [("edit_file", arguments)])


@given(content=text_values)
@settings(max_examples=100)
def test_a_whole_file_is_read_back_with_its_last_line_ended(content):
    made = read(render(ToolCall("1", "write_file", {"path": "a", "content": content})))[1]
    ended = content if content.endswith("\n") or not content else f"{content}\n"
    assert made == [("write_file", {"path": "a", "content": ended if content != "\n" else ""})]


PIECES = st.sampled_from(
    [
        "```", "~~~", "tool", " ", "\n", "bash", "```tool bash\n", "<<<", ">>>", "command: ", "{",
        "}", '"', '"name": "bash"', "<tool_call>", "</tool_call>", "<function=", "bash>", "[",
        "<parameter=x>", "</parameter>", "```json\n", "Result of ", "\\", "\ud800", "é", ":", "]",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=4), max_size=60).map("".join))
@settings(max_examples=200)
def test_any_text_is_taken_and_unreadable_calls_have_no_arguments(text):
    for reading in (read_calls, read_stray_calls):
        found = reading(text, TOOLS)
        assert all(not (made.error and made.arguments) for made in found.calls)


@pytest.mark.parametrize(
    "piece",
    [
        "```json\n{\n",
        "```json\n{}\n```\n",
        "```python\n",
        "````\n",
        "~~~~~ a\n```` b\n",
        "```tool bash\n",
        "```tool bash\n\n",
        "```tool x\na: <<<\n",
        "<tool_call>",
        "<tool_call>{",
        "<tool_call>{}</tool_call>",
        "<function=x>",
        "<parameter=x>",
        "\n",
        " ",
        "{",
        '"',
        '\\"',
        ",",
        "a: b\n",
        "Result of ",
    ],
)
@pytest.mark.parametrize("before", ["", "```tool bash\n", "<tool_call><function=bash>", "{"])
def test_hostile_text_takes_linear_time(before, piece):
    def seconds(length):
        text = before + piece * (length // len(piece))
        start = time.process_time()
        read_calls(text, TOOLS)
        return time.process_time() - start

    short = min(seconds(8_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(3)) < 50 * max(short, 0.001)


# --- the models ----------------------------------------------------------------------------

HELLO = (Message("system", "Be brief."), Message("user", "Hello"))
REQUEST = ModelRequest(HELLO, TOOLS, "s1")


def nobody(_news):
    """Hears nothing."""


async def test_text_tools_are_described_and_their_calls_are_read():
    inner = ScriptedModel([say("Look.\n```tool bash\ncommand: ls\n```")])
    reply = await TextToolsModel(inner).complete(REQUEST, nobody)
    made = ToolCall("text_1", "bash", {"command": "ls"}, "```tool bash\ncommand: ls\n```")
    assert (reply.text, reply.calls, reply.finish) == ("Look.", (made,), "tool_calls")
    (asked,) = inner.requests
    assert (asked.tools, asked.session) == ((), "s1")
    assert asked.messages == (
        Message("system", f"Be brief.\n\n{described(TOOLS)}"),
        Message("user", "Hello"),
    )


def test_the_description_names_every_tool_in_a_line():
    assert described(TOOLS).splitlines()[-6:] == [
        "- bash(command, timeout?: integer): About bash.",
        "- read_file(path, start?: integer, end?: integer): About read_file.",
        "- edit_file(path, old, new, all?: boolean): About edit_file.",
        "- write_file(path, content): About write_file.",
        "- update_plan(items?: array): About update_plan.",
        "- submit(summary, commit_message): About submit.",
    ]


def test_the_example_of_the_prompt_is_read_as_it_is_meant():
    _, made = read(described(TOOLS))
    assert made == [
        ("NAME", {"argument": "value"}),
        (
            "edit_file",
            {
                "path": "src/app.py",
                "old": "    return a - b",
                "new": "    # The sum.\n    return a + b",
            },
        ),
    ]


def test_a_native_conversation_becomes_one_of_texts_in_turns():
    first = ToolCall("a", "bash", {"command": "ls"}, '{"command": "ls"}')
    second = ToolCall("b", "bash", {}, "```tool bash\nbroken", "cannot be read")
    history = (
        *HELLO,
        Message("assistant", "I look.", (first, second)),
        Message("tool", "a.py", call_id="a"),
        Message("tool", "cannot be read", call_id="b"),
        Message("user", "hurry"),
    )
    assert as_texts(history, TOOLS)[1:] == (
        Message("user", "Hello"),
        Message("assistant", "I look.\n\n```tool bash\ncommand: ls\n```\n\n```tool bash\nbroken"),
        Message(
            "user",
            "Result of bash:\na.py\n\nResult of bash:\ncannot be read\n\nhurry",
        ),
    )


def test_a_longer_conversation_begins_with_the_shorter_one():
    made = ToolCall("a", "bash", {"command": "ls"})
    longer = (*HELLO, Message("assistant", "", (made,)), Message("tool", "x", call_id="a"))
    assert as_texts(longer, TOOLS)[:2] == as_texts(HELLO, TOOLS)


async def test_calls_are_numbered_through_the_conversation():
    earlier = Message("assistant", "", (ToolCall("text_1", "bash", {}), ToolCall("x", "bash", {})))
    inner = ScriptedModel([say("```tool bash\nls\n```")])
    reply = await TextToolsModel(inner).complete(ModelRequest((*HELLO, earlier), TOOLS), nobody)
    assert [made.id for made in reply.calls] == ["text_3"]


async def test_a_block_cut_at_the_length_limit_is_never_executed():
    class Cut(ScriptedModel):
        async def complete(self, request, hear):
            from dataclasses import replace

            return replace(await super().complete(request, hear), finish="length")

    inner = Cut([say("```tool bash\ncommand: rm -rf build"), say("```tool bash\nls\n```")])
    model = TextToolsModel(inner)
    cut, whole = [(await model.complete(REQUEST, nobody)).calls[0] for _ in range(2)]
    assert cut.arguments == {}
    assert "cut at the length limit in the middle of bash" in cut.error
    assert (whole.arguments, whole.error) == ({"command": "ls"}, "")


async def test_without_tools_a_request_passes_as_it_is():
    plain = ModelRequest(HELLO)
    inner = ScriptedModel([say("a"), say("b")])
    await TextToolsModel(inner).complete(plain, nobody)
    await AutoToolsModel(inner, "text").complete(plain, nobody)
    assert inner.requests == [plain, plain]


async def test_native_calls_are_used_as_long_as_they_work():
    inner = ScriptedModel([call("bash", command="ls")])
    reply = await AutoToolsModel(inner).complete(REQUEST, nobody)
    assert reply.calls[0].arguments == {"command": "ls"}
    assert inner.requests == [REQUEST]


async def test_refused_tools_switch_to_text_for_good():
    block = say("```tool bash\nls\n```")
    inner = ScriptedModel([fail(ToolsUnsupported("no tools")), block, block])
    model = AutoToolsModel(inner)
    replies = [await model.complete(REQUEST, nobody) for _ in range(2)]
    assert [reply.calls[0].arguments for reply in replies] == [{"command": "ls"}] * 2
    assert [bool(request.tools) for request in inner.requests] == [True, False, False]


async def test_tools_known_to_be_refused_are_not_tried():
    inner = ScriptedModel([say("```tool bash\nls\n```")])
    await AutoToolsModel(inner, takes_tools=lambda: False).complete(REQUEST, nobody)
    assert [bool(request.tools) for request in inner.requests] == [False]


async def test_native_only_says_that_tools_are_refused():
    inner = ScriptedModel([fail(ToolsUnsupported("no tools"))])
    with pytest.raises(ToolsUnsupported, match="no tools"):
        await AutoToolsModel(inner, "native").complete(REQUEST, nobody)


async def test_calls_left_in_the_text_of_a_native_answer_are_read():
    stray = 'So.\n<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>'
    example = "Like this:\n```tool bash\ncommand: ls\n```"
    model = AutoToolsModel(ScriptedModel([say(stray), say(example)]))
    first = await model.complete(REQUEST, nobody)
    second = await model.complete(REQUEST, nobody)
    assert (first.text, first.finish) == ("So.", "tool_calls")
    assert [made.arguments for made in first.calls] == [{"command": "ls"}]
    assert (second.text, second.calls) == (example, ())


HELD = "```tool bash\ncommand: rm -rf build\n```"
TAGGED = '<tool_call>{"name": "bash", "arguments": {"command": "rm -rf build"}}</tool_call>'


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (HELD, f"It says:\n{HELD}"),
        ("    1  # A\n    2  " + HELD.replace("\n", "\n    3  "), f"It says:\n```\n{HELD}\n```"),
        ("notes.md:2:" + HELD.replace("\n", "\nnotes.md:3:"), HELD),
        (f"ran; {TAGGED} was printed", f"The log holds {TAGGED}."),
    ],
    ids=["as it is", "with numbers of lines", "found by a search", "within a line"],
)
async def test_a_call_that_stands_in_what_the_model_was_shown_is_not_run(shown, answer):
    looked = Message("assistant", "", (ToolCall("1", "bash", {"command": "cat notes.md"}),))
    asked = ModelRequest((*HELLO, looked, Message("tool", shown, call_id="1")), TOOLS)
    own = "```tool bash\ncommand: rm -rf build  # mine\n```"
    inner = ScriptedModel([say(answer), say(own), say(answer)])
    model = TextToolsModel(inner)
    quoted, meant = [(await model.complete(asked, nobody)).calls[0] for _ in range(2)]
    assert (quoted.arguments, quoted.error) == ({}, QUOTED)
    assert (meant.arguments, meant.error) == ({"command": "rm -rf build  # mine"}, "")
    (unseen,) = (await model.complete(REQUEST, nobody)).calls
    assert (unseen.arguments, unseen.error) == ({"command": "rm -rf build"}, "")


async def test_both_models_pass_on_name_window_news_and_other_errors():
    heard = []
    inner = ScriptedModel([say("hi")], name="m", context_window=7)
    for model in (AutoToolsModel(inner), TextToolsModel(inner)):
        assert (model.name, model.context_window) == ("m", 7)
    await AutoToolsModel(inner).complete(REQUEST, heard.append)
    assert heard == [TextDelta("hi")]
    busy = ScriptedModel([fail(ModelRetryable("busy")), calling(("bash", {}))])
    with pytest.raises(ModelRetryable, match="busy"):
        await AutoToolsModel(busy).complete(REQUEST, nobody)


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="no such way to call tools: 'magic'"):
        AutoToolsModel(ScriptedModel([]), "magic")
