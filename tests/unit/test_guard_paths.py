"""Which files decide a verdict, which part of them, and how the originals come back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.checks import NOT_NAMED, CheckResult, Failure
from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.counts import fewer_ran
from selfheal_tui.core.guard.globs import matcher
from selfheal_tui.core.guard.intent import is_about_tests
from selfheal_tui.core.guard.parts import protected_part, put_back
from selfheal_tui.core.guard.protection import (
    NONE,
    PART,
    PIPELINE,
    RUNNER_LOCK,
    SCRIPT,
    SETTINGS,
    SHADOW,
    SNAPSHOT,
    TEST_CODE,
    TEST_DATA,
    Protection,
)
from selfheal_tui.core.tree import REGULAR, TreeChange, TreeFile
from tests.unit.test_guard_findings import RUST, looked


def protection(*commands, protect=(), ignore=(), **files):
    content = {path: text.encode() for path, text in files.items()}
    return Protection(content, content.__getitem__, commands, protect=protect, ignore=ignore)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/calc.py", NONE),
        ("README.md", NONE),
        ("src/contest.py", NONE),
        ("Makefile", NONE),
        ("tests/test_a.py", TEST_CODE),
        ("tests/helpers.py", TEST_CODE),
        ("src/a.spec.ts", TEST_CODE),
        ("pkg/a_test.go", TEST_CODE),
        ("src/tests.rs", TEST_CODE),
        ("tests/data/in.json", TEST_DATA),
        ("testdata/golden.txt", TEST_DATA),
        ("app/fixtures/a.yaml", TEST_DATA),
        ("app/fixtures/load.py", NONE),
        ("web/__snapshots__/a.snap", SNAPSHOT),
        ("conftest.py", SETTINGS),
        ("tests/conftest.py", SETTINGS),
        ("pytest.ini", SETTINGS),
        ("jest.config.mjs", SETTINGS),
        ("packages/a/vitest.config.ts", SETTINGS),
        (".npmrc", SETTINGS),
        ("gradle/wrapper/gradle-wrapper.properties", SETTINGS),
        ("pyproject.toml", PART),
        ("web/package.json", PART),
        ("src/lib.rs", PART),
        ("build.gradle.kts", PART),
        ("poetry.lock", RUNNER_LOCK),
        (".github/workflows/ci.yml", PIPELINE),
        (".gitlab-ci.yml", PIPELINE),
    ],
)
def test_a_path_has_its_role_by_its_name(path, role):
    assert protection().role(path) == role


def test_only_a_new_file_can_shadow_the_runner():
    guard = protection()
    assert guard.role("coverage.py", new=True) == SHADOW
    assert guard.role("coverage.py") == NONE


def test_patterns_of_the_user_add_and_take_away():
    guard = protection(protect=("answers/", "*.expect"), ignore=("tests/app/", "conftest.py"))
    roles = [
        guard.role(p) for p in ("answers/1.txt", "a/b.expect", "tests/app/x.py", "conftest.py")
    ]
    assert roles == [SETTINGS, SETTINGS, NONE, NONE]


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("conftest.py", ["conftest.py", "a/b/conftest.py"], ["xconftest.py", "conftest.pyc"]),
        ("tests/", ["tests/a", "a/tests/b/c"], ["tests", "mytests/a"]),
        ("/Makefile", ["Makefile"], ["a/Makefile"]),
        ("ci/**/*.yml", ["ci/a.yml", "ci/b/c/a.yml"], ["ci/a.yaml", "x/ci/a.yml"]),
        ("*.[ch]", ["a.c", "x/b.h"], ["a.o"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[z-a].py", ["[z-a].py"], ["b.py"]),
    ],
)
def test_a_pattern_fits_as_in_an_ignore_file(pattern, fits, fits_not):
    fitting = matcher([pattern])
    assert [path for path in [*fits, *fits_not] if fitting(path)] == fits


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=40))
def test_no_pattern_is_too_strange(patterns, path):
    assert matcher(patterns)(path) in (True, False)


# --- what the check runs -----------------------------------------------------------------------


def scripts(command, **files):
    guard = protection(command, **files)
    return {path for path in files if guard.role(path) == SCRIPT}


SH = {"check.sh": "sh ci/inner.sh\npython app.py\n", "ci/inner.sh": "true\n", "app.py": ""}


@pytest.mark.parametrize(
    ("command", "files", "found"),
    [
        ("sh check.sh", SH, {"check.sh", "ci/inner.sh"}),
        ("./check.sh", SH, {"check.sh", "ci/inner.sh"}),
        ("cd ci && bash -e inner.sh", SH, {"ci/inner.sh"}),
        ("FOO=1 timeout 5 sh check.sh", SH, {"check.sh", "ci/inner.sh"}),
        ("sh -c './check.sh'", SH, {"check.sh", "ci/inner.sh"}),
        ("uv run python app.py", SH, {"app.py"}),
        ("python -m app", SH, {"app.py"}),
        ("grep x app.py", SH, set()),
        ("make test", {"Makefile": "test:\n\t./run.sh\n", "run.sh": ""}, {"Makefile", "run.sh"}),
        ("make lint", {"Makefile": "test:\n\t./run.sh\n", "run.sh": ""}, {"Makefile", "run.sh"}),
        ("just test", {"justfile": "test:\n    sh run.sh\n", "run.sh": ""}, {"justfile", "run.sh"}),
        (
            "npm test",
            {
                "package.json": '{"scripts": {"test": "node check.js", "pretest": "sh a.sh"}}',
                "check.js": "",
                "a.sh": "",
            },
            {"check.js", "a.sh"},
        ),
        ("pytest -c ci/my.ini", {"ci/my.ini": ""}, {"ci/my.ini"}),
        ("jest --config=a.json", {"a.json": ""}, {"a.json"}),
        ("sh count.sh x | grep -qx 2", {"count.sh": ""}, set()),
        ("sh count.sh x | sort | cmp - wanted", {"count.sh": ""}, set()),
        ('[ "$(sh count.sh x)" = 2 ]', {"count.sh": ""}, set()),
        ("make test", {"Makefile": "test:\n\t@sh a.sh x | grep 2\n", "a.sh": ""}, {"Makefile"}),
        ("sh check.sh | grep ok", SH, {"check.sh", "ci/inner.sh"}),
        ("sh run.sh | tee log", {"run.sh": ""}, {"run.sh"}),
        ("sh a.sh | grep x; sh b.sh || grep y", {"a.sh": "", "b.sh": ""}, {"b.sh"}),
        ("sh ../out.sh; sh /etc/x; sh 'a", {"out.sh": ""}, set()),
    ],
)
def test_the_scripts_of_a_check_are_found(command, files, found):
    assert scripts(command, **files) == found


def test_settings_of_a_tool_count_where_the_check_runs_it():
    assert protection("ruff check . && pytest").role("ruff.toml") == SETTINGS
    assert protection("pytest").role("ruff.toml") == NONE


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_command_is_too_strange(command, script):
    guard = protection(
        command,
        "sh a.sh",
        "make",
        "npm test",
        **{"a.sh": script, "Makefile": script, "package.json": script},
    )
    assert guard.role("a.sh") == SCRIPT


# --- parts of files ----------------------------------------------------------------------------

PYPROJECT = """\
[project]
name = "a"
dependencies = []

[tool.pytest.ini_options]
addopts = "-q"

[tool.other]
x = 1
"""
PARTS = [
    (
        "pyproject.toml",
        PYPROJECT,
        PYPROJECT.replace("[]", '["b"]').replace("-q", "-k x"),
        PYPROJECT.replace("[]", '["b"]'),
    ),
    (
        "pyproject.toml",
        PYPROJECT,
        PYPROJECT.replace("[]", '["b"]').replace(
            "[tool.pytest.ini_options]\naddopts", "[tool.x]\ny"
        ),
        None,
    ),
    (
        "package.json",
        '{"name": "a", "scripts": {"test": "jest"}}',
        '{"name": "b", "scripts": {"test": "true"}, "jest": {}}',
        '{\n  "name": "b",\n  "scripts": {\n    "test": "jest"\n  }\n}\n',
    ),
    (
        "lib.rs",
        RUST,
        RUST.replace("a + b", "b + a").replace("3)", "4)"),
        RUST.replace("a + b", "b + a"),
    ),
    (
        "requirements.txt",
        "pytest==8\nrich==1\n",
        "pytest==7\nrich==2\n",
        "pytest==8\nrich==2\n",
    ),
    (
        "build.gradle",
        "a = 1\ntest {\n  b { }\n}\n",
        "a = 2\ntest {\n  ignoreFailures = true\n}\n",
        "a = 2\ntest {\n  b { }\n}\n",
    ),
    (
        "pom.xml",
        "<p><plugin>surefire 1</plugin><d>1</d></p>",
        "<p><plugin>surefire 2</plugin><d>2</d></p>",
        "<p><plugin>surefire 1</plugin><d>2</d></p>",
    ),
]


@pytest.mark.parametrize(("path", "before", "after", "back"), PARTS)
def test_only_the_part_goes_back(path, before, after, back):
    made = put_back(path, after.encode(), before.encode())
    assert made is not None
    assert protected_part(path, made) == protected_part(path, before.encode())
    if back is not None:
        assert made.decode() == back


@pytest.mark.parametrize(("path", "before", "after", "back"), PARTS)
def test_a_change_beside_the_part_is_none_of_the_guards(path, before, after, back):
    made = put_back(path, after.encode(), before.encode())
    look = looked({path: before}, {path: made.decode()})
    assert (look.changed, look.findings, look.back) == ((), (), TreeChange())


def test_where_the_part_cannot_be_told_apart_the_whole_file_goes_back():
    look = looked({"package.json": '{"scripts": {}}'}, {"package.json": "{no json"})
    assert look.back == TreeChange((TreeFile("package.json", REGULAR, b'{"scripts": {}}'),))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([path for path, *_ in PARTS] + ["setup.cfg", "Cargo.toml", "CMakeLists.txt"]),
    st.binary(max_size=200) | st.sampled_from([before.encode() for _, before, *_ in PARTS]),
    st.binary(max_size=200) | st.sampled_from([after.encode() for _, _, after, _ in PARTS]),
)
def test_what_goes_back_is_the_original_part_or_nothing(path, after, before):
    made = put_back(path, after, before)
    assert made is None or protected_part(path, made) == protected_part(path, before)


# --- the originals -----------------------------------------------------------------------------


def back(before, after, *commands):
    change = looked(before, after, *commands).back
    return {file.path: file.content.decode() for file in change.written}, change.deleted


def test_changed_and_deleted_tests_go_back_and_new_ones_stay():
    before = {"tests/test_a.py": "a = 1\n", "tests/test_b.py": "b = 1\n", "src.py": "1\n"}
    after = {"tests/test_a.py": "a = 2\n", "tests/test_new.py": "n = 1\n", "src.py": "2\n"}
    originals = {path: text for path, text in before.items() if path != "src.py"}
    assert back(before, after) == (originals, ())


def test_what_is_new_and_steers_the_runner_goes_and_the_new_tests_with_it():
    after = {"conftest.py": "", "tests/test_new.py": "def test_n():\n    assert 1\n", "src.py": ""}
    assert back({}, after) == ({}, ("conftest.py", "tests/test_new.py"))


def test_of_a_new_file_only_the_part_goes():
    written, deleted = back({}, {"pyproject.toml": PYPROJECT})
    assert "pytest" not in written["pyproject.toml"]
    assert 'name = "a"' in written["pyproject.toml"]
    assert deleted == ()


def test_an_original_takes_its_place_back_from_what_is_new_there():
    before = {"tests/a.json": "1", "conftest.py": "x = 1\n"}
    after = {"tests": "a file\n", "conftest.py/x": "in a folder\n"}
    assert back(before, after) == (before, ("conftest.py/x", "tests"))


# --- counts and words --------------------------------------------------------------------------


def result(output, exit_code=0, passed=None, failures=()):
    return CheckResult("pytest -q", exit_code, 1.0, failures, passed, output=output)


RED = result("FAILED a.py::b - x\n1 failed, 5 passed in 0.1s\n", 1, 5, (Failure("a.py::b"),))


@pytest.mark.parametrize(
    ("now", "fewer"),
    [
        (result("6 passed in 0.1s\n", passed=6), False),
        (result("5 passed in 0.1s\n", passed=5), False),
        (result("4 passed in 0.1s\n", passed=4), True),
        (result("", passed=None), True),
        (RED, False),
        (None, False),
    ],
)
def test_a_green_run_with_fewer_passing_tests_is_named(now, fewer):
    assert [found.kind for found in fewer_ran(RED, now)] == [kinds.FEWER] * fewer


def test_where_nothing_was_counted_before_nothing_is_made_of_it():
    before = result("boom\n", 1, None, (Failure(NOT_NAMED),))
    assert list(fewer_ran(before, result("ok\n"))) == []
    assert list(fewer_ran(None, result("ok\n"))) == []


@pytest.mark.parametrize(
    "task",
    [
        "add tests for the parser",
        "Write a regression test for issue 12",
        "update the snapshots",
        "the test of add is wrong, correct it",
        "test_total is flaky",
        "skip the test of add until it is mended",
        "remove obsolete tests",
        "rename Foo to Bar and adapt the tests",
        "add a CI workflow",
        "increase coverage: write more unit tests",
    ],
)
def test_a_task_about_tests_is_known_by_its_words(task):
    assert is_about_tests(task)


@pytest.mark.parametrize(
    "task",
    [
        "make the tests pass",
        "fix the failing tests",
        "fix add so that all tests pass",
        "update the parser so that the tests pass",
        "change add to satisfy the tests",
        "fix the bug, but do not change the tests",
        "improve the parser without touching any tests",
        "heal this",
        "",
    ],
)
def test_a_task_that_tests_only_judge_is_not_about_them(task):
    assert not is_about_tests(task)


@given(st.text(max_size=300))
def test_no_task_is_too_strange(task):
    assert is_about_tests(task) in (True, False)
