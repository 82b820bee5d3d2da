"""What is taken out of a failure, what stays, and when two of them are alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.signature import (
    MAX_ERROR,
    MAX_FRAMES,
    MAX_NAMES,
    MAX_SYMPTOMS,
    Signature,
    Symptom,
    likeness,
    mentioned,
    normalised,
    signature_of,
    words_of,
)

HOSTILE = st.text() | st.text(
    st.sampled_from("'\"`<>/\\.:()[]0123456789abxE \n\r\t\x1b\x00\ud800\u202e\u2019-_@#"),
    max_size=300,
)
FAILURES = st.lists(st.builds(Failure, HOSTILE, HOSTILE, HOSTILE, HOSTILE), max_size=12)


def signature(*messages: str, detail: str = "", location: str = "") -> Signature:
    return signature_of([Failure(f"t{n}", m, location, detail) for n, m in enumerate(messages)])


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("ValueError: 3 is not in [1, 2.5]", "ValueError: <n> is not in [<n>, <n>]"),
        ("KeyError: 'price'", "KeyError: <literal>"),
        ('can\'t open "a b" twice', "can't open <literal> twice"),
        ("object at 0x7f3a00ff leaked", "object at <hex> leaked"),
        ("commit 9f31c07ab2 is gone", "commit <hex> is gone"),
        ("no file /home/ada/till/a.py here", "no file <path> here"),
        ("no file src\\till\\a.py here", "no file <path> here"),
        ("till.py:12: assertion", "<path>:<n>: assertion"),
        ("GET https://example.invalid/a?b=1 failed", "GET <path> failed"),
        ("added is a word, and so is facade", "added is a word, and so is facade"),
        ("a\nb\x1b[31mred\x1b[0m", "a b␛[<n>mred␛[<n>m"),
        ("", ""),
    ],
)
def test_values_are_taken_out_of_an_error_and_words_stay(said, left):
    assert normalised(said) == left


@pytest.mark.parametrize(
    ("message", "detail", "symptom"),
    [
        (
            "ModuleNotFoundError: No module named 'yaml.nodes'",
            "",
            Symptom(
                "ModuleNotFoundError",
                "ModuleNotFoundError: No module named <literal>",
                ("yaml.nodes",),
            ),
        ),
        (
            "AttributeError: module 'numpy' has no attribute 'int'",
            'File "/usr/lib/python3/site-packages/numpy/core.py", line 3, in f',
            Symptom(
                "AttributeError",
                "AttributeError: module <literal> has no attribute <literal>",
                ("numpy",),
                ("int",),
            ),
        ),
        (
            "requests.exceptions.ConnectionError: refused",
            "",
            Symptom("ConnectionError", "requests.exceptions.ConnectionError: refused"),
        ),
        (
            "assert 3 == 4",
            "shop/till.py:7: in total\n    x\nshop/cents.py:9: AssertionError",
            Symptom(
                "AssertionError",
                "assert <n> == <n>",
                frames=("shop/till.py:total", "shop/cents.py"),
            ),
        ),
        (
            "AttributeError: gone",
            "    def test_known():\n>       assert known({})\n\ntest_shop.py:5: \n_ _ _ _\n"
            "value = {}\n\n    def known(value):\n>       return value.x\n"
            "E       AttributeError: gone\n\nshop.py:4: AttributeError",
            Symptom(
                "AttributeError",
                "AttributeError: gone",
                frames=("test_shop.py:test_known", "shop.py:known"),
            ),
        ),
        (
            "TypeError: x is not a function",
            "TypeError: x is not a function\n    at total (/work/src/till.js:3:9)\n"
            "    at Object.<anonymous> (/work/test/till.test.js:8:2)\n    at node:internal/a:1:1",
            Symptom(
                "TypeError",
                "TypeError: x is not a function",
                frames=("test/till.test.js:Object.<anonymous>", "src/till.js:total"),
            ),
        ),
        (
            "error[E0432]: unresolved import `serde_json`",
            "",
            Symptom("E0432", "error[E<n>]: unresolved import <literal>", ("serde_json",)),
        ),
        (
            "Cannot find module '@acme/till' from 'a.js'",
            "",
            Symptom("", "Cannot find module <literal> from <literal>", ("@acme/till",), ("a.js",)),
        ),
        (
            "",
            "boom\npanic: runtime error: index out of range [5]\n",
            Symptom("panic", "panic: runtime error: index out of range [<n>]"),
        ),
    ],
)
def test_a_symptom_has_type_error_modules_names_and_own_frames(message, detail, symptom):
    found = signature_of([Failure("t", message, "", detail)], root="/work")
    assert found == Signature((symptom,))


def test_a_failure_without_a_trace_is_where_its_location_says():
    (symptom,) = signature("ValueError: bad", location="shop/till.py:12").symptoms
    assert symptom.frames == ("shop/till.py",)


def test_the_same_error_of_many_tests_is_one_symptom():
    messages = [f"ValueError: price {number} is negative" for number in range(50)]
    assert len(signature(*messages).symptoms) == 1


def test_what_says_nothing_has_no_signature():
    assert signature_of([Failure("(the check as a whole)")]) == Signature()
    assert signature_of([]).title == ""


def test_the_title_names_what_the_error_does_not():
    assert signature("KeyError: 'price'").title == "KeyError: <literal> (price)"


def test_the_same_error_with_other_values_is_the_same():
    one = signature("ValueError: price must not be negative: -3")
    assert likeness(one, signature("ValueError: price must not be negative: 12")) == 1.0


def test_another_repository_has_other_frames_and_that_is_no_difference():
    one = signature("ValueError: price is negative", location="a/till.py:1")
    other = signature("ValueError: price is negative", location="b/shop.py:9")
    assert likeness(one, other) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("assert 3 == 4", "assert 1 == 2"),
        ("expected 1 to equal 2", "expected 3 to equal 4"),
        (
            "ModuleNotFoundError: No module named 'yaml'",
            "ModuleNotFoundError: No module named 'x1'",
        ),
        ("KeyError: 'price'", "KeyError: 'amount'"),
        ("ValueError: price is negative", "TimeoutError: the server does not answer"),
        ("FAIL: no b", "FAIL: no b"),
    ],
)
def test_what_has_only_common_words_in_common_is_not_alike(one, other):
    assert likeness(signature(one), signature(other)) == 0.0


def test_the_same_two_functions_are_enough_and_the_same_two_files_are_not():
    def failed(detail):
        return signature("assert 3 == 4", detail=detail)

    files = "test_main.py:5: \nmain.py:4: AssertionError"
    functions = "test_main.py:5: in test_rate\nmain.py:4: in rate"
    assert likeness(failed(files), failed(files)) == 0.0
    assert likeness(failed(functions), failed(functions)) == 1.0


def test_one_symptom_of_many_is_enough_to_be_alike():
    many = signature("OSError: disk is full", "KeyError: 'price'", "ValueError: bad rate of tax")
    assert likeness(many, signature("ValueError: bad rate of tax")) == 1.0


def test_a_text_mentions_a_failure_by_its_module_or_its_words():
    failing = signature("ModuleNotFoundError: No module named 'yaml'")
    assert mentioned(failing, "For yaml, install PyYAML.") == 2.0
    assert mentioned(failing, "How to brew tea.") == 0.0


def test_words_to_search_for_are_words_and_nothing_else():
    words = words_of(signature('ValueError: "x" OR * NEAR(price, -1) rate_of_tax'))
    assert words == ("near", "price", "rate_of_tax", "valueerror")


@given(HOSTILE)
def test_an_error_is_one_short_line_without_a_digit(text):
    error = normalised(text)
    assert len(error) <= MAX_ERROR
    assert not re.search(r"[\n\r\x00-\x1f\x7f]", error)
    # A mark of the sanitizer names a character by its number.
    assert not re.search(r"\d", error)


@settings(max_examples=200)
@given(FAILURES, HOSTILE)
def test_any_failures_have_a_bounded_signature_that_survives_its_text(failures, root):
    found = signature_of(failures, root)
    assert len(found.symptoms) <= MAX_SYMPTOMS
    for symptom in found.symptoms:
        assert len(symptom.modules) <= MAX_NAMES
        assert len(symptom.names) <= MAX_NAMES
        assert len(symptom.frames) <= MAX_FRAMES
        assert len(symptom.kind) <= 120
    assert Signature.from_json(found.to_json()) == found
    assert all(re.fullmatch(r"\w+", word) for word in words_of(found))


@given(FAILURES, FAILURES)
def test_likeness_is_a_share_and_goes_both_ways(one, other):
    a, b = signature_of(one), signature_of(other)
    assert 0.0 <= likeness(a, b) <= 1.0
    assert likeness(a, b) == pytest.approx(likeness(b, a))


@given(st.text() | st.sampled_from(["{}", "[1]", "[{}]", "null", "[" * 5_000, '[{"kind": 1}]']))
def test_what_is_no_signature_is_a_value_error(text):
    try:
        found = Signature.from_json(text)
    except ValueError:
        return
    assert found == Signature()


@pytest.mark.parametrize(
    "piece",
    ["'", "a.", "/", "a/", "0", "at ", "Error", "A.B", 'File "', "\x1b[", "no module named "],
)
def test_a_flood_is_read_in_no_time(piece):
    flood = piece * 200_000
    found = signature_of([Failure(flood, flood, flood, flood)])
    assert len(found.to_json()) < 20_000
