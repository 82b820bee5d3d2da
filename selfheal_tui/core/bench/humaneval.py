"""HumanEval's format, one problem a line, as cases: a module with a stub, and a file of tests.

Refuses a line that is not a problem, with its number; the reference solution goes nowhere.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator

from selfheal_tui.core.bench.case import BenchCase, content_of, refuse_doubles
from selfheal_tui.core.tree import REGULAR, TreeFile
from selfheal_tui.errors import UsageError

MODULE = "solution.py"
TESTS = "test_solution.py"
CHECK = f"python3 {TESTS}"

_FIELDS = ("task_id", "prompt", "entry_point", "test")
"""What a problem must have, all of it text."""

_CHECK = re.compile(r"^(?:async )?def check\b", re.MULTILINE)
_INDENT = "    "

PROVEN = """\
import os as _os
import subprocess as _subprocess
import sys as _sys


def _main():
    # An exit code of 0 is no proof: a solution can end the program with it at any moment. So the
    # tests run in a process of their own, and have to hand back a word when they are at their end.
    word = _os.urandom(16)
    (asked, given), (told, heard) = _os.pipe(), _os.pipe()
    _os.write(given, word)
    command = [_sys.executable, __file__, str(asked), str(heard)]
    code = _subprocess.run(command, pass_fds=(asked, heard)).returncode
    # What the solution may have left running holds the pipe open, and is not waited for.
    _os.set_blocking(told, False)
    try:
        proven = _os.read(told, 16) == word
    except BlockingIOError:
        proven = False
    if code == 0 and not proven:
        print("the tests did not get to their end: the solution ended them", file=_sys.stderr)
    _sys.exit(0 if code == 0 and proven else 1)


def _prove():
    asked, heard = map(int, _sys.argv[1:])
    _os.write(heard, _os.read(asked, 16))


if __name__ == "__main__" and not _sys.argv[1:]:
    _main()

"""
"""The head of each file of tests; no `import *` replaces names with `_`."""


def read_humaneval(content: bytes, source: str) -> tuple[BenchCase, ...]:
    """The problems of a file, in its order. `source` names it in messages.

    Raises UsageError for a line that is no problem, for an id that is there twice, and for a file
    without any.
    """
    cases = refuse_doubles(_cases(content.split(b"\n"), source))
    if not cases:
        raise UsageError(f"{source} holds no problem")
    return cases


def _cases(lines: Iterable[bytes], source: str) -> Iterator[BenchCase]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _case(line, f"{source}, line {number}")


def _case(line: bytes, where: str) -> BenchCase:
    problem = _problem(line, where)
    entry, prompt, test = (problem[name] for name in ("entry_point", "prompt", "test"))
    if not entry.isidentifier():
        raise UsageError(f"{where}: `entry_point` is not a name of Python: {entry!r}")
    if not _CHECK.search(test):
        raise UsageError(f"{where}: `test` defines no function `check`")
    files = (
        TreeFile(MODULE, REGULAR, _stub(prompt, entry, where).encode()),
        TreeFile(TESTS, REGULAR, _tests(test, entry).encode()),
    )
    task = _task(entry, prompt)
    return BenchCase(problem["task_id"], task, CHECK, where, content_of(files), files)


def _problem(line: bytes, where: str) -> dict[str, str]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{where}: not a JSON object")
    for name in _FIELDS:
        value = data.get(name)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{where}: `{name}` is missing, empty or not text")
        if not _is_text(value):
            raise UsageError(f"{where}: `{name}` holds what is not text (NUL, or half a character)")
    return data


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _stub(prompt: str, entry: str, where: str) -> str:
    """The prompt as a module that can be imported, with a body that does nothing yet."""
    given = prompt.rstrip()
    last = given.rpartition("\n")[2]
    own = last[: len(last) - len(last.lstrip())]
    for indent in dict.fromkeys((own or _INDENT, _INDENT)):
        module = f"{given}\n{indent}raise NotImplementedError\n"
        if entry in _functions(module):
            return module
    raise UsageError(f"{where}: `prompt` is not the beginning of a function `{entry}`")


def _functions(module: str) -> set[str]:
    """Names of a module's functions; none where it is not Python."""
    try:
        with warnings.catch_warnings():
            # Docstrings hold backslashes of their own.
            warnings.simplefilter("ignore")
            body = ast.parse(module).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in body if isinstance(node, kinds)}


def _tests(test: str, entry: str) -> str:
    module = MODULE.removesuffix(".py")
    return (
        f"{PROVEN}"
        # Tests call what stands beside the function in the prompt, and modules that it imports.
        f"from {module} import *\nfrom {module} import {entry}\n\n"
        f"{test.strip()}\n\n\n"
        f'if __name__ == "__main__":\n{_INDENT}check({entry})\n{_INDENT}_prove()\n'
    )


def _task(entry: str, prompt: str) -> str:
    return (
        f"Write the body of `{entry}` in {MODULE}, so that it does what its docstring says and"
        f" `{CHECK}` passes. Do not change the tests.\n\n{prompt.strip()}\n"
    )
