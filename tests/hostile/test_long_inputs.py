"""Text from a repository, a command or a model that is made to keep its reader busy: time may grow
with its length, not with its square. Measured on the processor: other programs do not matter."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import pytest

import selfheal_tui
from selfheal_tui.agent.edits import edit
from selfheal_tui.agent.ports import ToolSpec
from selfheal_tui.agent.textcalls.reader import read_calls, read_stray_calls
from selfheal_tui.core.arguments import read_json
from selfheal_tui.core.detect import detect_checks
from selfheal_tui.core.environment import missing_in
from selfheal_tui.core.failures import (
    cargo,
    ctest,
    generic,
    go,
    gradle,
    jest,
    junit,
    lint,
    maven,
    mocha,
    node,
    tap,
    unittest,
    vitest,
)
from selfheal_tui.core.failures import (
    pytest as py,
)
from selfheal_tui.core.guard.python import python_facts
from selfheal_tui.core.guard.words import squeezed, without_comments, without_strings
from selfheal_tui.core.patch import read_patch
from selfheal_tui.core.recipe import find_recipe
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.signature import normalised
from selfheal_tui.core.suspects import holds_secret
from selfheal_tui.core.text import fold_terminal, printable
from selfheal_tui.ui.widgets.ansi import Pen, read_line
from selfheal_tui.ui.widgets.markdown import render
from selfheal_tui.ui.widgets.syntax import MOST_SECONDS, highlighted

LENGTH = 15_000
LITTLE = 0.25
"""Seconds below which growth is not looked at."""

TOOLS = [ToolSpec("bash", "", {"type": "object", "properties": {"command": {"type": "string"}}})]
REDACTOR = Redactor(["s3cr3t/Va+lue=1"])
TESTS = (cargo, ctest, go, gradle, jest, junit, lint, maven, mocha, node, py, tap, unittest, vitest)
PROJECT = (
    "requirements.txt",
    "package.json",
    "pyproject.toml",
    "go.mod",
    "Cargo.toml",
    "setup.cfg",
    "setup.py",
    "test_a.py",
    "CMakeLists.txt",
    "Makefile",
    "justfile",
    "tox.ini",
)

UNITS = (
    "\n",
    " \n",
    "    \n",
    "a",
    "a\n",
    " ",
    "\r",
    "\b",
    "\t",
    "\x1b[31m",
    "\x1b]8;;",
    "`",
    "```\n",
    "```bash\n",
    "#",
    "* a\n",
    "1) a\n",
    "> ",
    "|a",
    "[",
    "](",
    "<",
    "<tool_call>",
    "<function=bash>",
    "{",
    '{"a":',
    "[TOOL_CALLS]",
    '"',
    "'",
    "\\",
    "(",
    ":",
    "a:",
    "://a:",
    "a@",
    "=",
    "-----BEGIN ",
    "sk-",
    "eyJa.",
    "authorization: ",
    "/a",
    "../",
    "a.",
    "    at a (",
    '  File "a", line 1\n',
    "E   ",
    "FAILED a::b - ",
    "_",
    "= ",
    "--- FAIL: ",
    "not ok ",
    "<testcase>",
    "<![CDATA[",
    "<!--",
    "error: ",
    "FAIL ",
    "[ERROR] ",
    "  \u25cf ",
    "  1) ",
    "No module named '",
    "a: not found\n",
    "+",
    "-a\n",
    "@@ -1 +1 @@\n",
    "\u202e",
    "\u6f22",
    "0",
    "1.",
    "%",
    "${",
    "&&",
    "**",
    "__a",
    "key=",
)


def read_project(text):
    for name in PROJECT:
        find_recipe([name], lambda _: text.encode())
        detect_checks([name], lambda _: text.encode())


READERS = {
    **{f"tests as {m.__name__.rpartition('.')[2]} tells them": m.read for m in TESTS},
    "the last words of a command": lambda s, root: generic.last_words(s, "x", 1, root),
    "what an environment lacks": lambda s, _: missing_in(s),
    "secrets": lambda s, _: (REDACTOR.redact(s), REDACTOR.unfinished(s)),
    "a line for a terminal": lambda s, _: (printable(s), fold_terminal(s)),
    "colours of a terminal": lambda s, _: read_line(s.replace("\n", ""), Pen()),
    "calls in a text": lambda s, _: (read_calls(s, TOOLS), read_stray_calls(s, TOOLS)),
    "arguments": lambda s, _: read_json(s),
    "a difference": lambda s, _: read_patch(f"diff --git a/a b/a\n{s}"),
    "a place to edit": lambda s, _: edit(s, s[: len(s) // 2] + "zz", "y"),
    "a message": lambda s, _: normalised(s),
    "what looks like a secret": lambda s, _: holds_secret(s, path="a.py", plain=False),
    "Python": lambda s, _: python_facts(s),
    "comments": lambda s, _: (without_comments(s, "#"), without_strings(s), squeezed(s)),
    "files of a project": lambda s, _: read_project(s),
    "Markdown": lambda s, _: render(s, 80),
}


def seconds(read, text):
    began = time.thread_time()
    with contextlib.suppress(ValueError):
        read(text, "/work")
    return time.thread_time() - began


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_length_and_not_with_its_square(name):
    read, slow = READERS[name], {}
    for unit in UNITS:
        once = seconds(read, unit * (LENGTH // len(unit)))
        if once > LITTLE:
            twice = seconds(read, unit * (2 * LENGTH // len(unit)))
            if twice > 3.2 * once or twice > 5:
                slow[unit] = once, twice
    assert slow == {}


@pytest.mark.parametrize(("path", "unit"), [("a.md", "\n"), ("a.html", "<![CDATA[\u25cf a\n")])
def test_code_that_a_lexer_does_not_get_on_with_is_shown_whole_and_soon(path, unit):
    code = unit * (59_000 // len(unit))
    began = time.thread_time()
    lines = highlighted(code, path=path)
    assert time.thread_time() - began < MOST_SECONDS + 2
    assert "\n".join(line.plain for line in lines) == code


def test_no_pattern_goes_over_a_run_of_blank_lines_from_each_of_them():
    """`^\\s*` matches at every line of such a run and reads to its end; `^[ \\t]*` does not."""
    for file in sorted(Path(selfheal_tui.__file__).parent.rglob("*.py")):
        assert re.findall(r"(?<!\[)\^\\s[*+].*", file.read_text()) == [], file
