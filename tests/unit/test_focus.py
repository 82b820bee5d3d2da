"""Running some tests of a check by name: what each runner is asked, and what is refused."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT
from selfheal_tui.core.failures.read import read_failures
from selfheal_tui.core.focus import MAX_COMMAND, focused

SCRIPTS = {"test": "jest --ci", "unit": "CI=1 vitest run", "all": "tsc && jest", "n": "node --test",
           "paths": "jest src", "m": "mocha test/*.js"}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "names", "expected"),
    [
        ("python -m pytest -q", ["a.py::b"], "python -m pytest -q a.py::b"),
        ("pytest -q tests -k 'not slow'", ["a.py::C::d"], "pytest -q -k 'not slow' a.py::C::d"),
        ("python -m pytest", ["a.py::b[x y]"], "python -m pytest 'a.py::b[x y]'"),
        ("pytest", ["a.py::b (i=1)", "a.py::b (i=2)"], "pytest a.py::b"),
        ("uv run pytest -q", ["a.py"], "uv run pytest -q a.py"),
        ("cd sub && pytest -q", ["a.py::b"], "cd sub && pytest -q a.py::b"),
        ("X=1 pytest", ["a.py::b"], "X=1 pytest a.py::b"),
        ("python -m unittest", ["a.T.test_b"], "python -m unittest -k a.T.test_b"),
        (
            "python -m unittest discover -s tests",
            ["a.T.test_b (i=1)"],
            "python -m unittest discover -s tests -k a.T.test_b",
        ),
        ("python manage.py test", ["a.T.b"], "python manage.py test -k a.T.b"),
        ("npx jest", ["a.js > b > c"], "npx jest --runTestsByPath a.js -t '^(b c)$'"),
        ("npx jest src", ["a.js"], "npx jest --runTestsByPath a.js"),
        ("npm test", ["a.js > b"], "npm test -- --runTestsByPath a.js -t '^(b)$'"),
        ("pnpm run unit", ["a.ts > b?"], "pnpm run unit a.ts -t '^(b\\?)$'"),
        ("CI=true npm run n", ["a.js > b"], "CI=true npm run n -- a.js"),
        ("npx vitest run", ["a.ts > b"], "npx vitest run a.ts -t '^(b)$'"),
        ("npx mocha", ["a > b"], "npx mocha --grep '^(a b)$'"),
        ("node --test test/", ["a.js > b > c", "a.js > d"], "node --test a.js"),
        (
            "go test ./...",
            ["ex.org/m/p.TestA/s", "ex.org/m/q.TestB"],
            "go test -run '^(TestA|TestB)$' ex.org/m/p ex.org/m/q",
        ),
        ("go test -race ./...", ["ex.org/m/p"], "go test -race ex.org/m/p"),
        ("cargo test -q", ["api::adds", "t::b"], "cargo test -q -- api::adds t::b adds b"),
        (
            "mvn -B -q test",
            ["acme.T.adds", "acme.T$In.many(int)[2]", "acme.U"],
            "mvn -B -q test '-Dtest=acme.T$In#many,acme.T#adds,acme.U'"
            " -DfailIfNoTests=false -Dsurefire.failIfNoSpecifiedTests=false",
        ),
        (
            "./gradlew --console=plain test",
            ["acme.T.adds", "T > b"],
            "./gradlew --console=plain test --tests T.b --tests acme.T.adds",
        ),
        (
            "cmake -S . -B build && cmake --build build && cd build && ctest --output-on-failure",
            ["a.b"],
            "cmake -S . -B build && cmake --build build && cd build &&"
            " ctest --output-on-failure -R '^(a\\.b)$'",
        ),
    ],
)
def test_each_runner_is_asked_in_its_own_words(command, names, expected):
    assert focused(command, names, SCRIPTS) == expected


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("pytest", []),
        ("pytest", [NOT_NAMED]),
        ("pytest", ["a.py::b", TIMED_OUT]),
        ("pytest", ["--collect-only"]),
        ("pytest", ["a.py::b\nrm -rf ."]),
        ("pytest", ["no node id"]),
        ("pytest --unknown value", ["a.py::b"]),
        ("pytest --pyargs a", ["a.py::b"]),
        ("pytest; true", ["a.py::b"]),
        ("pytest || true", ["a.py::b"]),
        ("pytest $ARGS", ["a.py::b"]),
        ("pytest | tee log", ["a.py::b"]),
        ("pytest & wait", ["a.py::b"]),
        ("A='b c' pytest", ["a.py::b"]),
        ("pytest 'unclosed", ["a.py::b"]),
        ("&& pytest", ["a.py::b"]),
        ("make test", ["a.py::b"]),
        ("tox", ["a.py::b"]),
        ("npm test", ["not a file"]),
        ("npm run all", ["a.js > b"]),
        ("npm run paths", ["a.js > b"]),
        ("npm run missing", ["a.js > b"]),
        ("python -m unittest", ["a b.c"[1:]]),
        ("go test -run X ./...", ["ex.org/m.TestA"]),
        ("cargo test -- --nocapture", ["a::b"]),
        ("cargo test", ["src/lib.rs - add (line 3)"]),
        ("mvn test -Dtest=A", ["acme.T.b"]),
        ("mvn test", ["has space.b"]),
        ("gradle test jar", ["T > a b"]),
        ("", ["a.py::b"]),
    ],
)
def test_what_is_not_understood_is_refused(command, names):
    assert focused(command, names, SCRIPTS) is None


COMMANDS = [
    "pytest -q",
    "python -m unittest",
    "npx jest",
    "npx vitest run",
    "npx mocha",
    "ctest",
    "node --test",
    "go test ./...",
    "cargo test",
    "mvn test",
    "gradle test",
    "npm test",
]
HOSTILE_NAMES = st.sampled_from(
    [
        "a.py::",
        ";",
        "; rm -rf .",
        "$(x)",
        "`x`",
        "' && x '",
        "a.js > ",
        "\n",
        "-x",
        "a.b.",
        "T",
        "::",
        "&",
        "\u202e",
        "--",
        " ",
        "",
        "|",
    ]
)


@given(
    st.sampled_from(COMMANDS),
    st.lists(st.lists(HOSTILE_NAMES | st.text(max_size=12), max_size=4).map("".join), max_size=4),
)
@settings(max_examples=200)
def test_a_name_never_becomes_a_command_or_an_option_of_its_own(command, names):
    text = focused(command, names, SCRIPTS)
    if text is None:
        return
    words = shlex.split(text)
    assert words[: len(shlex.split(command)) - ("./..." in command)] == (
        shlex.split(command.replace(" ./...", ""))
    )
    assert len(text) <= MAX_COMMAND
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    assert [word for word in lexer if word and set(word) <= set("();<>|&")] == []
    ours = ("--runTestsByPath", "-t", "-k", "--grep", "-R", "-run", "--", "--tests", "-q", "-m",
            "--test", "-DfailIfNoTests=false",
            "-Dsurefire.failIfNoSpecifiedTests=false")  # fmt: skip
    assert [w for w in words if w[0] == "-" and w not in ours and w[:7] != "-Dtest="] == []


def test_too_many_names_are_refused():
    assert focused("pytest", [f"a.py::b{n}" for n in range(201)]) is None
    assert focused("pytest", [f"a.py::{'b' * 400}{n}" for n in range(100)]) is None


PY = "import unittest\nclass T(unittest.TestCase):\n" + "".join(
    f"    def test_{name}(self): assert {value}\n" for name, value in [("a", 0), ("b", 1), ("c", 0)]
)


@pytest.mark.parametrize("runner", ["-m pytest -q -p no:cacheprovider", "-m unittest"])
def test_a_focused_run_of_the_real_runner_tells_the_same_of_the_tests_it_runs(tmp_path, runner):
    (tmp_path / "test_x.py").write_text(PY)

    def run(command):
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        output = done.stdout + done.stderr
        return read_failures(command, output, done.returncode, False, root=str(tmp_path))

    command = f"{sys.executable} {runner}"
    whole, passed = run(command)
    assert (len(whole), passed) == (2, 1)
    asked = focused(command, [whole[0].name])
    assert asked is not None
    only, passed = run(asked)
    assert ([failure.name for failure in only], passed) == ([whole[0].name], 0)
