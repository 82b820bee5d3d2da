"""What a check's environment lacks is read from its output; anything else is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.environment import Missing, missing_in
from tests.unit.recorded import recorded

LACKS = {
    "E   ModuleNotFoundError: No module named 'yaml.reader'": ("module", "yaml", "python"),
    "/usr/local/bin/python3: No module named pytest": ("module", "pytest", "python"),
    "Error: Cannot find module '@babel/core/lib/x'": ("module", "@babel/core", "node"),
    "Cannot find package 'left-pad' imported from /work/a.mjs": ("module", "left-pad", "node"),
    "a.go:3:2: no required module provides package github.com/a/b; to add it:": (
        "module",
        "github.com/a/b",
        "go",
    ),
    "in offline mode and the artifact a.b:c:jar:1.1 has not been downloaded from it before.": (
        "module",
        "a.b:c:jar:1.1",
        "java",
    ),
    "sh: 1: jest: not found": ("program", "jest", ""),
    "check.sh: line 3: shellcheck: command not found": ("program", "shellcheck", ""),
    "/bin/sh: 1: /opt/x/tool: not found": ("program", "tool", ""),
    "make: cargo: No such file or directory": ("program", "cargo", ""),
    "/usr/bin/env: 'node': No such file or directory": ("program", "node", ""),
    'exec: "gcc": executable file not found in $PATH': ("program", "gcc", ""),
    "Error: spawn git ENOENT": ("program", "git", ""),
    "error: linker `cc` not found": ("program", "cc", ""),
    "ImportError: libGL.so.1: cannot open shared object file: No such file": (
        "library",
        "libGL.so.1",
        "",
    ),
    "a.c:1:10: fatal error: zlib.h: No such file or directory": ("library", "zlib.h", ""),
    "/usr/bin/ld: cannot find -lssl: No such file or directory": ("library", "libssl.so", ""),
    "Error: pg_config executable not found.": ("library", "pg_config", ""),
}
VERSIONS = {
    "ERROR: Package 'a' requires a different Python: 3.11.2 not in '>=3.12'": Missing(
        "interpreter", "python", "python", ">=3.12", "3.11.2"
    ),
    'error a@1: The engine "node" is incompatible with this module. Expected version ">=22".'
    ' Got "20.1.0"': Missing("interpreter", "node", "node", ">=22", "20.1.0"),
    "npm warn EBADENGINE   required: { node: '>=22' },": Missing(
        "interpreter", "node", "node", ">=22"
    ),
    "go: go.mod requires go >= 1.25 (running go 1.21.3; GOTOOLCHAIN=local)": Missing(
        "interpreter", "go", "go", ">= 1.25", "1.21.3"
    ),
    "error: package `a v1` cannot be built because it requires rustc 1.85 or newer": Missing(
        "interpreter", "rust", "rust", "1.85"
    ),
    "more recent version of the Java Runtime (class file version 65.0), this version of the Java"
    " Runtime only recognizes class file versions up to 61.0": Missing(
        "interpreter", "java", "java", "21", "17"
    ),
}


@pytest.mark.parametrize("line", LACKS)
def test_what_is_missing_is_named_with_its_kind_and_the_line_that_says_so(line):
    (missing,) = missing_in(f"before\n{line}\nafter\n")
    assert (missing.kind, missing.name, missing.language) == LACKS[line]
    assert missing.evidence == " ".join(line.split())


@pytest.mark.parametrize("line", VERSIONS)
def test_a_wrong_version_is_told_with_what_is_wanted(line):
    (missing,) = missing_in(line)
    expected = VERSIONS[line]
    assert (missing.kind, missing.name, missing.wanted, missing.found) == (
        "interpreter",
        expected.name,
        expected.wanted,
        expected.found,
    )


def test_a_program_that_python_could_not_start_is_no_file_that_it_could_not_open():
    started = (
        '  File "/usr/lib/python3.11/subprocess.py", line 1955, in _execute_child\n'
        "    raise child_exception_type(errno_num, err_msg, err_filename)\n"
        "FileNotFoundError: [Errno 2] No such file or directory: 'git'\n"
    )
    assert [(one.kind, one.name) for one in missing_in(started)] == [("program", "git")]
    assert missing_in("FileNotFoundError: [Errno 2] No such file or directory: 'git'\n") == ()


def test_a_module_of_the_tree_is_a_fault_of_the_code():
    output = "ModuleNotFoundError: No module named 'till.cart'\n"
    assert missing_in(output, own=["till/__init__.py"]) == ()
    assert missing_in(output, own=["src/till/__init__.py"]) == ()
    assert missing_in(output, own=["till.py"]) == ()
    assert [one.name for one in missing_in(output, own=["shop.py"])] == ["till"]
    assert missing_in("Error: Cannot find module './cart'\n") == ()
    assert missing_in("Error: Cannot find module '/work/cart.js'\n") == ()


@pytest.mark.parametrize("name", ["pytest_quiet.txt", "go.txt", "cargo.txt", "maven.txt"])
def test_tests_that_only_fail_lack_nothing(name):
    assert missing_in(recorded(name)) == ()


def test_each_is_told_once_and_ten_at_most():
    lines = "".join(f"ModuleNotFoundError: No module named 'm{n % 30}'\n" for n in range(90))
    assert [missing.name for missing in missing_in(lines)] == [f"m{n}" for n in range(10)]


def test_it_says_itself_in_words():
    assert Missing("module", "yaml", "python").words == "the Python module yaml"
    assert Missing("program", "git").words == "the program git"
    assert Missing("library", "libGL.so.1").words == "the library libGL.so.1"
    version = Missing("interpreter", "node", "node", ">=22", "20.1")
    assert version.words == "Node.js >=22 (there is 20.1)"


SIGNS = st.sampled_from([*LACKS, *VERSIONS, "No module named '", "sh: 1: ", "ENOENT", "in '"])


@given(st.lists(SIGNS | st.text(max_size=30), max_size=20).map("\n".join))
@settings(max_examples=200)
def test_any_text_is_read_and_what_it_names_is_plain(text):
    for missing in missing_in(text):
        assert missing.name.isprintable()
        assert not set(missing.name) & set(" '\"`;&|$<>\\\n")
        assert "\n" not in missing.evidence
        assert len(missing.evidence) <= 300


@pytest.mark.parametrize(
    "piece", ["sh: 1: a", "No module named '", "python", "requires Python ", "in _execute_child\n",
              "a.b:c ", "class file version 65.0 ", ": 1: ", "\n", "/"],
)  # fmt: skip
def test_hostile_output_takes_linear_time(piece):
    started = time.process_time()
    missing_in(piece * (2_000_000 // len(piece)))
    assert time.process_time() - started < 10
