"""The parts of the model adapter that read what a server wrote: arguments, pieces, errors."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.litellm_model.calls import CallAssembly, CallPiece
from selfheal_tui.adapters.litellm_model.failures import LONGEST_LINE, readable, retry_after
from selfheal_tui.adapters.litellm_model.thinking import ThinkSplitter
from selfheal_tui.adapters.litellm_model.wire import messages_of
from selfheal_tui.agent.ports import Message, ToolCall
from selfheal_tui.core.arguments import read_arguments, read_json
from selfheal_tui.core.redact import Redactor

# --- arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"a": [1, 2.5, null, true, "é"]}', {"a": [1, 2.5, None, True, "é"]}),
        ('{"a": "x\ny\tz"}', {"a": "x\ny\tz"}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('{"a": [1, 2,], "b": ",]",}', {"a": [1, 2], "b": ",]"}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        (r"""{'a': 'it\'s "so"', "b": "it's"}""", {"a": 'it\'s "so"', "b": "it's"}),
        ('{"a": True, "b": None, "c": "True"}', {"a": True, "b": None, "c": "True"}),
    ],
)
def test_arguments_are_read_and_repaired_only_where_one_meaning_is_possible(raw, arguments):
    assert read_arguments(raw) == arguments


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ('{"a": 1', "not valid JSON"),
        ("{'new': 'print('hello')'}", "not valid JSON"),
        ("{'new': 'cut of", "not valid JSON"),
        ("{'a': '\\x41'}", "not valid JSON: .*near"),
        ('{"a": 1, "a": 2}', "given twice with different values"),
        ('{"a": 1} {"b": 2}', "not valid JSON"),
        ("{a: 1}", "not valid JSON"),
        ("[1]", "must be a JSON object"),
        ("3", "must be a JSON object"),
        ('"text"', "not valid JSON"),
        ('{"a": "\\ud800"}', "half of a character"),
        ('{"\\udfff": 1}', "half of a character"),
        ('{"a":' * 50_000, "nested too deeply"),
        ("9" * 5000, "limit"),
    ],
)
def test_arguments_that_cannot_be_read_say_why(raw, why):
    with pytest.raises(ValueError, match=why):
        read_arguments(raw)


@given(st.text(st.sampled_from('{}[]",:\\ \n`ab1'), max_size=40) | st.text(max_size=30))
@settings(max_examples=200)
def test_any_text_is_read_or_refused_with_a_value_error(raw):
    try:
        value = read_arguments(raw)
    except ValueError:
        return
    assert isinstance(value, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), JSON, max_size=4)


@given(OBJECTS, st.booleans())
@settings(max_examples=100)
def test_valid_json_is_never_changed(value, ended):
    assert read_arguments(json.dumps(value), ended=ended) == value


@given(OBJECTS, st.integers(0, 200), st.booleans())
@settings(max_examples=200)
def test_a_cut_object_is_refused_unless_every_value_that_began_is_whole(value, size, python):
    written = repr(value) if python else json.dumps(value)
    head = written[: min(size, len(written) - 1)]
    if not head.strip():
        return
    with pytest.raises(ValueError, match=r"."):
        read_arguments(head)
    try:
        made = read_arguments(head, ended=True)
    except ValueError:
        return
    assert_part_of(made, value)


def assert_part_of(made, whole):
    """Objects may lack what had not begun; everything else is as it was."""
    for key, value in made.items():
        if isinstance(value, dict):
            assert_part_of(value, whole[key])
        else:
            assert value == whole[key]


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"command": "ls"', {"command": "ls"}),
        ('{"a": {"b": true', {"a": {"b": True}}),
        ("{'command': 'ls'", {"command": "ls"}),
    ],
)
def test_missing_closing_braces_are_added_where_the_model_ended_by_itself(raw, arguments):
    assert read_arguments(raw, ended=True) == arguments
    with pytest.raises(ValueError, match="not valid JSON"):
        read_arguments(raw)


@pytest.mark.parametrize(
    "raw",
    [
        '{"new": "cut in the mid',
        '{"timeout": 12',
        '{"items": ["a"',
        '{"a": {"items": [{"text": "b"}',
        '{"a": "b",',
        '{"a":',
        '{"a": "b", "c"',
        '{"a": tru',
        '{"a":{"a":{"a":{"a":"b"',
    ],
)
def test_what_may_lack_content_is_refused_even_where_the_model_ended(raw):
    with pytest.raises(ValueError, match="not valid JSON"):
        read_arguments(raw, ended=True)


def test_a_cut_call_without_any_arguments_says_that_it_was_cut():
    calls = CallAssembly()
    calls.add(CallPiece(0, "x", "update"))
    (made,) = calls.finish(prefix="c", cut=True)
    assert "cut at the length limit" in made.error


@pytest.mark.parametrize(
    "piece", ['"', "'", "True", "{'a':", "\\'", '\\"', ",", ", ", "[", '{"a":', "```\n", "\n", '",']
)
def test_broken_json_is_refused_in_linear_time(piece):
    def seconds(length):
        text = "{" + piece * (length // len(piece))
        start = time.process_time()
        with pytest.raises(ValueError, match=r"."):
            read_json(text)
        return time.process_time() - start

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(3)) < 50 * max(short, 0.001)


# --- calls ---------------------------------------------------------------------------------


def put_together(*pieces):
    assembly = CallAssembly()
    for piece in pieces:
        assembly.add(piece)
    return [(made.id, made.name, made.arguments) for made in assembly.finish(prefix="c", cut=False)]


def test_calls_without_ids_and_indexes_are_told_apart_by_their_names():
    assert put_together(
        CallPiece(name="bash", arguments='{"a": 1}'),
        CallPiece(name="bash", arguments='{"a": 2}'),
        CallPiece(name="read_file", arguments='{"a"'),
        CallPiece(arguments=": 3}"),
    ) == [("c1", "bash", {"a": 1}), ("c2", "bash", {"a": 2}), ("c3", "read_file", {"a": 3})]


def test_an_id_that_changes_with_every_piece_is_still_one_call():
    assert put_together(
        CallPiece(0, "x1", "bash", ""),
        CallPiece(0, "x2", "", '{"a":'),
        CallPiece(0, "x3", "", " 1}"),
    ) == [("x1", "bash", {"a": 1})]


def test_pieces_of_two_calls_may_be_mixed():
    assert put_together(
        CallPiece(0, "a", "bash", '{"x":'),
        CallPiece(1, "b", "read_file", '{"y":'),
        CallPiece(0, "", "", " 1}"),
        CallPiece(1, "", "", " 2}"),
    ) == [("a", "bash", {"x": 1}), ("b", "read_file", {"y": 2})]


def test_a_name_that_comes_late_is_taken():
    assert put_together(
        CallPiece(0, "a"), CallPiece(0, "", "bash"), CallPiece(0, "", "", "{}")
    ) == [("a", "bash", {})]


def test_a_call_without_a_name_is_an_error():
    assembly = CallAssembly()
    assembly.add(CallPiece(0, "a", "", '{"x": 1}'))
    assert assembly.finish(prefix="c", cut=False) == (
        ToolCall("a", "", {}, '{"x": 1}', "the call names no tool"),
    )


PIECES = st.builds(
    CallPiece,
    index=st.none() | st.integers(0, 2),
    id=st.sampled_from(["", "a", "b"]),
    name=st.sampled_from(["", "bash", "submit"]),
    arguments=st.sampled_from(["", "{", "}", "{}", '{"a": 1}', '"', "\ud800"]),
)


@given(st.lists(PIECES, max_size=12), st.booleans())
@settings(max_examples=200)
def test_any_pieces_make_calls_with_ids_of_their_own_and_no_arguments_in_error(pieces, cut):
    assembly = CallAssembly()
    for piece in pieces:
        assembly.add(piece)
    made = assembly.finish(prefix="own_", cut=cut)
    assert bool(made) is bool(assembly)
    assert len({call.id for call in made}) == len(made)
    assert all(not call.arguments for call in made if call.error)


# --- thinking ------------------------------------------------------------------------------


@given(st.text(st.sampled_from("<think>/ \nab"), max_size=60), st.integers(1, 9))
@settings(max_examples=200)
def test_thinking_is_split_the_same_however_the_text_is_cut(text, size):
    def split(pieces):
        splitter = ThinkSplitter()
        parts = [splitter.split(piece) for piece in pieces] + [splitter.rest()]
        return "".join(thought for thought, _ in parts), "".join(said for _, said in parts)

    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    thought, said = split(pieces)
    assert (thought, said) == split([text])
    if not text.lstrip().startswith("<think>"):
        assert (thought, said) == ("", text)


# --- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached",
            "Rate limit reached",
        ),
        (
            'litellm.BadRequestError: AnthropicException - {"type":"error","error":{"type":"x",'
            '"message":"max_tokens: \\"too\\" large"}}',
            'max_tokens: "too" large',
        ),
        ("<html><head><title>502</title></head>\r\n<b>Bad Gateway</b></html>", "502 Bad Gateway"),
        ("Incorrect API key: abc***********xyz.", "Incorrect API key: [redacted]."),
        ("it was my-own-secret-1 and\x1b[31m red\u202e", "it was [redacted] and [31m red"),
        ("It broke.. Handle with `litellm.InternalServerError`.", "It broke."),
        ("oh\nTraceback (most recent call last):\n  File x", "oh"),
        ("", "no reason was given"),
    ],
)
def test_a_providers_words_become_one_readable_line(text, line):
    assert readable(text, Redactor(["my-own-secret-1"]).redact) == line


@given(st.text(max_size=200).map(lambda text: text * 5))
@settings(max_examples=100)
def test_any_words_become_one_printable_line_that_is_not_too_long(text):
    line = readable(text, Redactor().redact)
    assert line.isprintable()
    assert 0 < len(line) <= LONGEST_LINE


@pytest.mark.parametrize("piece", ["<", "*", "a*", '"message":"', "Error: ", "\\", "tool "])
def test_a_hostile_error_is_read_quickly(piece):
    start = time.process_time()
    readable(piece * 300_000, Redactor().redact)
    assert time.process_time() - start < 1


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_any_retry_after_is_taken(value):
    wait = retry_after({"retry-after": value, "retry-after-ms": value}, now=0.0)
    assert wait is None or wait >= 0


def test_milliseconds_are_more_precise_than_seconds():
    assert retry_after({"retry-after": "2", "retry-after-ms": "1500"}, now=0.0) == 1.5


def test_a_name_that_is_not_utf_8_can_be_sent():
    odd = "caf\udce9 \ud800"
    asked = ToolCall(odd, odd, {odd: odd}, f'{{"path": "{odd}"}}', odd)
    messages = (Message("user", odd), Message("assistant", odd, (asked,)), Message("tool", odd))
    sent = json.dumps(messages_of(messages), ensure_ascii=False)
    assert sent.encode().count("caf\ufffd \ufffd".encode()) == 6
