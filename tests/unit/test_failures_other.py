"""ctest, JUnit XML, compilers, and runs that no reader knows."""

from __future__ import annotations

import pytest

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT, Failure
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, recorded, told


def test_ctest_names_tests_and_tells_their_last_line():
    found = {"adds": ("expected 3, got -1", ""), "slow.one": ("Timeout", "")}
    assert told("ctest.txt") == (found, 1)
    assert told("ctest_plain.txt") == ({**found, "adds": ("Failed", "")}, 1)


def test_junit_xml_names_tests_by_their_class():
    found, passed = told("pytest_junit.xml")
    assert passed == 3
    assert list(found) == [
        "tests.test_calc.test_add", "tests.test_calc.test_load[a - b]",
        "tests.test_calc.test_load[x[0]]", "tests.test_calc.TestRatio.test_by_zero",
        "tests.test_calc.test_fixture", "tests.test_calc.test_teardown",
        "tests.test_calc.test_long", "tests.test_other.test_add",
    ]  # fmt: skip
    assert found["tests.test_calc.test_add"] == (
        "AssertionError: sum is wrong",
        "tests/test_calc.py:18",
    )


def test_junit_xml_within_other_output_is_found_with_its_place():
    text = (
        'building\n<?xml version="1.0"?>\n<testsuite name="a"><testcase classname="A" name="b"'
        ' file="a/b.rb" line="7"><failure message="no">why<![CDATA[ <not>]]></failure></testcase>'
        '<testcase name="c"/><testcase name="d"><skipped/></testcase></testsuite>\ndone\n'
    )
    assert read_failures("make", text, 1, timed_out=False) == (
        (Failure("A.b", "no", "a/b.rb:7", "why <not>"),),
        1,
    )


@pytest.mark.parametrize(
    "document",
    [
        '<testsuite><!DOCTYPE a [<!ENTITY b "c">]><testcase name="&b;"><error/></testcase>'
        "</testsuite>",
        '<testsuite><!ENTITY b "c"><testcase name="b"><error/></testcase></testsuite>',
        '<testsuite><testcase name="&b;"><error/></testcase></testsuite>',
        "<testsuite><testcase></testsuite>",
        '<testsuite><testcase name="\ud800"><error/></testcase></testsuite>',
        "<testsuite>" + "<a>" * 100_000 + "</testsuite>",
    ],
)
def test_a_document_that_brings_entities_or_is_none_names_nothing(document):
    failures, _ = read_failures("make", document, 1, timed_out=False)
    assert [failure.name for failure in failures if failure.name == "c"] == []
    assert "&b;" not in failures[0].name


def test_a_report_of_a_runner_goes_before_its_xml():
    text = recorded("make_pytest.txt") + recorded("pytest_junit.xml")
    failures, _ = read_failures("make test", text, 1, timed_out=False)
    assert [failure.name for failure in failures] == ["tests/test_calc.py::test_add"]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("src/a.ts(3,5): error TS2304: No 'b'.\n", "TS2304: No 'b'.", "src/a.ts:3"),
        ("src/a.ts:3:5 - error TS2304: No 'b'.\n\nFound 1 error.\n", "2304: No 'b'.", "src/a.ts:3"),
        ("a.c:1:10: fatal error: x.h: No such file\ncompilation terminated.\n",
         "x.h: No such file", "a.c:1"),
        ("a.py:3: error: Incompatible types  [assignment]\nFound 1 error in 1 file\n",
         "Incompatible types [assignment]", "a.py:3"),
        ("/usr/x.h:3: error: theirs\nlast words\n", "/usr/x.h:3: error: theirs", ""),
        ("Traceback (most recent call last):\n  File \"/work/a.py\", line 2, in <module>\n"
         "    b()\nNameError: name 'b' is not defined\n", "NameError: name 'b' is not defined",
         "a.py:2"),
        ("lint: x.c:3: unused\nmake: *** [Makefile:2: lint] Error 1\n", "lint: x.c:3: unused", ""),
        ("FAIL: two words\nok\n0 errors\nmake[1]: *** [test] Error 3\n", "FAIL: two words", ""),
        ("one\ntwo\n----\n", "two", ""),
        ("make: *** [all] Error 1\n", "make: *** [all] Error 1", ""),
        ("", "`make` ended with exit code 2 and printed nothing", ""),
    ],
)  # fmt: skip
def test_a_red_run_that_no_reader_knows_tells_its_error_or_its_last_words(text, message, place):
    (failure,), passed = read_failures("make", text, 2, timed_out=False)
    assert (failure.name, failure.message, failure.location) == (NOT_NAMED, message, place)
    assert passed is None


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("make_compile.txt", ("expected \u2018;\u2019 before \u2018return\u2019", "prog.c:3")),
        ("make_run.txt", ("FAIL: two words", "")),
        (
            "npm_script.txt",
            ("SyntaxError: Expected property name or '}' in JSON at position 1", "load.js:1"),
        ),
    ],
)
def test_real_runs_of_that_kind(name, failure):
    assert told(name) == ({NOT_NAMED: failure}, None)


def test_the_detail_of_such_a_run_is_its_last_lines():
    assert failures_in("make_run.txt")[0][NOT_NAMED].detail == recorded("make_run.txt").strip()


def test_a_run_that_was_stopped_is_named_so_beside_what_it_told():
    text = recorded("pytest_quiet.txt") + "next run\nstill going"
    failures, passed = read_failures("make test", text, 124, timed_out=True)
    assert (failures[0].name, failures[0].message) == (
        TIMED_OUT,
        "it was still running; its last line is: still going",
    )
    assert failures[1].name == "tests/test_calc.py::test_add"
    assert passed == 4


def test_a_silent_run_that_was_stopped_says_so():
    assert read_failures("make", "\n", 124, timed_out=True) == (
        (Failure(TIMED_OUT, "it was still running; it had printed nothing"),),
        None,
    )
