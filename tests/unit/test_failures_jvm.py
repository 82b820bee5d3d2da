"""What Maven and Gradle print, and the files of JUnit XML that they and others write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.checks import NOT_NAMED, Failure
from selfheal_tui.core.failures import junit, lint
from selfheal_tui.core.failures.places import by_name, resolved
from selfheal_tui.core.failures.read import read_failures
from tests.unit.recorded import failures_in, recorded, told

MAVEN = {
    "acme.TillTest.adds": (
        "org.opentest4j.AssertionFailedError: sum ==> expected: <3> but was: <-1>",
        "acme/TillTest.java:7",
    ),
    "acme.TillTest.many(int)[2]": (
        "org.opentest4j.AssertionFailedError: expected: <5> but was: <0>",
        "acme/TillTest.java:11",
    ),
    "acme.TillTest.divides": ("java.lang.ArithmeticException: / by zero", "acme/Till.java:4"),
    "acme.TillTest$Inner.deep": (
        "org.opentest4j.AssertionFailedError: multi",
        "acme/TillTest.java:12",
    ),
    "acme.OtherTest": ("java.lang.IllegalStateException: no till", "acme/OtherTest.java:3"),
}
GRADLE = """\
> Task :compileJava
> Task :test FAILED

TillTest > adds() FAILED
    org.opentest4j.AssertionFailedError at TillTest.java:7

acme.OtherTest > divides FAILED
    java.lang.ArithmeticException: / by zero
        at acme.Till.div(Till.java:4)
        at acme.OtherTest.divides(OtherTest.java:8)

8 tests completed, 2 failed, 1 skipped

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':test'.
> There were failing tests. See the report at: file:///work/build/reports/tests/test/index.html
"""
XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="acme.TillTest" tests="2" failures="1">
  <testcase name="adds()" classname="acme.TillTest" time="0.01">
    <failure message="sum ==&gt; expected: &lt;3&gt;" type="AssertionFailedError">org.opentest4j\
.AssertionFailedError: sum
\tat app//org.junit.jupiter.api.Assertions.fail(Assertions.java:38)
\tat app//acme.TillTest.adds(TillTest.java:7)
</failure>
  </testcase>
  <testcase name="passes()" classname="acme.TillTest"/>
  <system-out><![CDATA[printed]]></system-out>
</testsuite>
"""


@pytest.mark.parametrize("name", ["maven.txt", "maven_quiet.txt"])
def test_maven_names_tests_by_class_and_method(name):
    assert told(name) == (MAVEN, 2)


def test_a_maven_build_that_does_not_compile_says_where():
    found, _ = failures_in("maven_broken.txt")
    assert found[NOT_NAMED].message == (
        "nothing was tested: src/main/java/acme/Till.java:3: cannot find symbol"
    )


def test_old_surefire_names_the_method_first():
    text = (
        "Running acme.AppTest\nTests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed:"
        " 0.1 sec <<< FAILURE!\ntestApp(acme.AppTest)  Time elapsed: 0.004 sec  <<< FAILURE!\n"
        "java.lang.AssertionError: no\n\tat acme.AppTest.testApp(AppTest.java:9)\n\n"
        "Results :\n\nTests run: 2, Failures: 1, Errors: 0, Skipped: 0\n"
    ).replace("sec  <<<", "sec <<<")
    failures, passed = read_failures("mvn test", text, 1, timed_out=False)
    (failure,) = failures
    assert (failure.name, failure.location, passed) == (
        "acme.AppTest.testApp",
        "acme/AppTest.java:9",
        1,
    )


def test_gradle_names_tests_as_it_prints_them():
    failures, passed = read_failures("gradle test", GRADLE, 1, timed_out=False)
    assert {failure.name: failure.location for failure in failures} == {
        "TillTest > adds": "TillTest.java:7",
        "acme.OtherTest > divides": "acme/Till.java:4",
    }
    assert passed == 5


def test_the_files_that_gradle_wrote_name_its_tests_better():
    failures, passed = read_failures("gradle test", GRADLE, 1, timed_out=False, documents=[XML])
    assert [(one.name, one.message, one.location) for one in failures] == [
        ("acme.TillTest.adds", "sum ==> expected: <3>", "acme/TillTest.java:7")
    ]
    assert passed == 1


def test_files_name_what_the_output_does_not_and_change_nothing_else():
    failures, _ = read_failures("./run-tests", "it failed\n", 1, timed_out=False, documents=[XML])
    assert [failure.name for failure in failures] == ["acme.TillTest.adds"]
    assert read_failures("./run-tests", "", 0, timed_out=False, documents=[XML]) == ((), 1)
    output = recorded("pytest_quiet.txt")
    assert read_failures("p", output, 1, False, documents=[XML]) == (
        read_failures("p", output, 1, False)
    )


def test_the_names_of_ctest_are_said_once_and_what_it_printed_is_the_detail():
    document = (
        '<testsuite name="a"><testcase name="bad.one" classname="bad.one" status="fail">'
        '<failure message=""/><system-out>boom at a.c:3\n</system-out></testcase></testsuite>'
    )
    report = junit.read_documents([document])
    assert report is not None
    assert report.failures == (Failure("bad.one", "boom at a.c:3", "", "boom at a.c:3"),)


def test_a_place_that_is_only_the_end_of_a_path_is_found_in_the_tree():
    paths = by_name(["src/test/java/acme/TillTest.java", "a/T.java", "b/T.java", "x.py"])
    assert resolved("acme/TillTest.java:7", paths) == "src/test/java/acme/TillTest.java:7"
    assert resolved("T.java:7", paths) == "T.java:7"
    assert resolved("x.py:1", paths) == "x.py:1"
    assert resolved("", paths) == ""


HOSTILE_XML = [
    '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"><error/></testcase></testsuite>',
    "<testsuite>" + "<a>" * 100_000,
    "<testsuite>" * 60 + "</testsuite>" * 60,
    "<testsuite/>" + "x" * (2 * 1024 * 1024),
    "",
    "\ud800<testsuite>",
]


@pytest.mark.parametrize("document", HOSTILE_XML)
def test_a_hostile_document_names_nothing(document):
    assert junit.read_documents([document]) is None


PIECES = st.sampled_from(
    ["<testsuite>", "</testsuite>", '<testcase name="a" classname="b">', "</testcase>",
     "<failure>", '<error message="c"/>', "</failure>", "<skipped/>", "&amp;", "&b;", "<![CDATA[",
     "]]>", "<!--", "-->", "text", '<testsuite name="', "<system-out>"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=10), max_size=40))
@settings(max_examples=200)
def test_any_document_is_read_or_refused(pieces):
    report = junit.read_documents(["<testsuite>" + "".join(pieces)])
    assert report is None or all(failure.name for failure in report.failures)


def test_a_document_of_two_megabytes_takes_linear_time():
    case = '<testcase name="a" classname="b"><failure message="c">d</failure></testcase>'
    document = f"<testsuite>{case * 20_000}</testsuite>"
    started = time.process_time()
    report = junit.read_documents([document] * 5)
    assert report is not None
    assert len(report.failures) == 1
    assert time.process_time() - started < 10


LINTED = {
    "ruff check .": (
        "F401 [*] `os` imported but unused\n --> src/a.py:1:8\n  |\n1 | import os\n\n"
        "Found 1 error.\n",
        {"src/a.py: F401 [*] `os` imported but unused": "src/a.py:1"},
    ),
    "mypy .": (
        "a.py:3: error: Incompatible types  [assignment]\na.py:3: note: see\n"
        "Found 1 error in 1 file (checked 2 source files)\n",
        {"a.py: Incompatible types [assignment]": "a.py:3"},
    ),
    "npm run lint": (
        "\n/work/src/a.js\n  1:7  error  'b' is unused  no-unused-vars\n  2:1  warning  c  d\n\n"
        "\u2716 2 problems (1 error, 1 warning)\n",
        {"src/a.js: 'b' is unused no-unused-vars": "src/a.js:1"},
    ),
    "npx tsc --noEmit": (
        "src/a.ts(3,5): error TS2304: No 'b'.\n",
        {"src/a.ts: TS2304: No 'b'.": "src/a.ts:3"},
    ),
}


@pytest.mark.parametrize("command", LINTED)
def test_a_linters_findings_are_named_without_their_lines(command):
    output, findings = LINTED[command]
    failures, _ = read_failures(command, output, 1, timed_out=False)
    assert {failure.name: failure.location for failure in failures} == findings


@pytest.mark.parametrize(
    ("command", "linter"),
    [
        ("ruff check .", True),
        ("python -m mypy src", True),
        ("CI=1 npm run lint", True),
        ("make lint", True),
        ("uv run ruff check", True),
        ("cargo clippy", True),
        ("npm test", False),
        ("ruff check . && pytest", False),
        ("make test", False),
        ("tsc; jest", False),
    ],
)
def test_a_command_that_only_lints_is_known_by_its_words(command, linter):
    assert lint.is_linter(command) is linter
