"""Definitions read in a process of its own: what ends it harms nobody."""

from __future__ import annotations

import sys
import time

import pytest

from selfheal_tui.adapters.outline import TreeSitterOutliner
from selfheal_tui.adapters.outline_process import LOST, OutlineProcess
from selfheal_tui.core.codemap import Definition

CODE = b"class A:\n    def f(self, x): ...\n"


def never():
    return False


def program(code):
    return OutlineProcess([sys.executable, "-c", code])


@pytest.fixture
def outliner():
    made = OutlineProcess()
    yield made
    made.close()


def test_it_says_what_the_grammar_says(outliner):
    assert outliner.definitions("a.py", CODE, never) == TreeSitterOutliner().definitions(
        "a.py", CODE, never
    )
    assert [made.name for made in outliner.definitions("b.go", b"func g() {}\n", never)] == ["g"]


def test_a_closed_one_reads_on_with_a_process_anew(outliner):
    outliner.definitions("a.py", CODE, never)
    outliner.close()
    outliner.close()
    assert [made.name for made in outliner.definitions("a.py", CODE, never)] == ["A", "f"]


def test_other_files_start_no_process():
    outliner = program("raise SystemExit(open('no such file'))")
    assert outliner.definitions("a.txt", b"", never) == ()
    assert outliner.definitions("a.rb", b"", never) == ()


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.abort()",
        "input(); print('no json')",
        "input(); print('[[1, 2]]')",
        "input(); print('{\"a\": 1}')",
        "input(); print('x' * 3_000_000)",
        "input(); print('[' * 500_000)",
        'input(); print(\'[["a", Infinity, 0, "b"]]\')',
    ],
    ids=["crash", "text", "short row", "object", "flood", "too deep", "endless"],
)
def test_what_crashes_or_talks_nonsense_gives_nothing(code):
    outliner = program(code)
    for _ in range(LOST + 1):
        assert outliner.definitions("a.py", CODE, never) == ()
    outliner.close()


def test_half_a_character_in_an_answer_is_told_as_something_that_can_be_written():
    outliner = program('input(); print(\'[["a", 1, 0, "\\\\ud800"]]\', flush=True); input()')
    assert outliner.definitions("a.py", b"", never) == (Definition("a", 1, 0, "?"),)
    outliner.close()


def test_no_process_to_be_had_means_no_definitions():
    outliner = OutlineProcess(("/no/such/program",))
    assert [outliner.definitions("a.py", CODE, never) for _ in range(LOST + 1)] == [()] * (LOST + 1)


@pytest.mark.parametrize("content", [CODE, CODE * 20_000], ids=["small", "large"])
def test_what_hangs_is_ended_when_it_is_late_and_does_not_count_as_lost(content):
    outliner = program("import time; time.sleep(1000)")
    for _ in range(LOST + 1):
        until = time.monotonic() + 0.05
        assert outliner.definitions("a.py", content, lambda end=until: time.monotonic() > end) == ()
    assert outliner._process is None
