"""The map of a project: definitions of each language, ranked by what fails, within its bounds."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.outline import GRAMMARS, PIECE, TreeSitterOutliner
from selfheal_tui.agent import mapping
from selfheal_tui.agent.mapping import MAX_BYTES, Surveyor
from selfheal_tui.core.checks import CheckResult, Failure
from selfheal_tui.core.mentions import Names
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import printable
from selfheal_tui.core.tree import LINK, REGULAR, TreeFile
from selfheal_tui.settings import ContextSettings, FlowSettings
from tests.support.sessions import Bench, calling, submitted, write

PROJECT = {
    "shop/__init__.py": "",
    "shop/cart.py": "from shop.money import Money\n\n\nclass Cart:\n    def total(self) -> Money:\n"
    "        return Money(0)\n",
    "shop/money.py": "class Money:\n    def __init__(self, cents: int) -> None:\n        pass\n",
    "shop/unrelated.py": "def nothing_of_it(): ...\n",
    "tests/test_cart.py": "from shop.cart import Cart\n\n\ndef test_total():\n"
    "    assert Cart().total()\n",
}
FAILING = CheckResult(
    "pytest",
    1,
    0.1,
    (Failure("tests/test_cart.py::test_total", "assert 0", "tests/test_cart.py:5"),),
)


def never():
    return False


def drawn(files, before=FAILING, tokens=1000, task="make the tests pass", **fields):
    made = [TreeFile(path, REGULAR, content.encode()) for path, content in files.items()]
    return Surveyor(task, made, TreeSitterOutliner(), tokens=tokens, **fields).drawn(before)


def outline(path, text):
    found = TreeSitterOutliner().definitions(path, text.encode(), never)
    return [(made.line, made.depth, made.name, made.signature) for made in found]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "a.py",
            "class A(B):\n    @x\n    async def f(self,\n      a: int) -> str:\n        pass\n",
            [(1, 0, "A", "class A(B)"), (3, 1, "f", "async def f(self, a: int) -> str")],
        ),
        (
            "a.ts",
            "export interface I { x: number }\nclass A {\n  f(x: I): void {}\n}\n"
            "export const g = (a: number) => a\n",
            [
                (1, 0, "I", "interface I"),
                (2, 0, "A", "class A"),
                (3, 1, "f", "f(x: I): void"),
                (5, 0, "g", "g = (a: number)"),
            ],
        ),
        (
            "a.jsx",
            "function F(props) { return <p>{props.x}</p> }\nclass A { m() {} }\n",
            [(1, 0, "F", "function F(props)"), (2, 0, "A", "class A"), (2, 1, "m", "m()")],
        ),
        (
            "a.go",
            "package a\ntype T struct { n int }\nfunc (t *T) F(n int) error { return nil }\n",
            [(2, 0, "T", "T struct { n int }"), (3, 0, "F", "func (t *T) F(n int) error")],
        ),
        (
            "a.rs",
            "pub struct S { n: u8 }\nimpl S {\n    pub fn f(&self) -> u8 { 1 }\n}\nmod other;\n",
            [
                (1, 0, "S", "pub struct S"),
                (2, 0, "S", "impl S"),
                (3, 1, "f", "pub fn f(&self) -> u8"),
            ],
        ),
        (
            "A.java",
            "public class A {\n  A() {}\n  int f(int n) throws E { return n; }\n}\n",
            [
                (1, 0, "A", "public class A"),
                (2, 1, "A", "A()"),
                (3, 1, "f", "int f(int n) throws E"),
            ],
        ),
        (
            "a.c",
            "struct point { int x; };\nstatic int *f(char *s, int n)\n{\n  return 0;\n}\n",
            [(1, 0, "point", "struct point"), (2, 0, "f", "static int *f(char *s, int n)")],
        ),
        (
            "a.cpp",
            "class A : public B {\n  int f() const { return 1; }\n};\nint N::A::g(int x) {}\n",
            [
                (1, 0, "A", "class A : public B"),
                (2, 1, "f", "int f() const"),
                (4, 0, "g", "int N::A::g(int x)"),
            ],
        ),
        ("a.rb", "class A\nend\n", []),
        ("a.py", "class (((\n", []),
    ],
)
def test_definitions_are_read_with_their_lines_and_signatures(path, text, expected):
    assert outline(path, text) == expected


def test_the_files_around_the_failing_test_come_first():
    assert drawn(PROJECT).splitlines() == [
        "tests/test_cart.py",
        "    4 def test_total()",
        "shop/cart.py",
        "    4 class Cart",
        "    5   def total(self) -> Money",
        "shop/money.py",
        "    1 class Money",
        "    2   def __init__(self, cents: int) -> None",
        "shop/__init__.py",
        "shop/unrelated.py",
        "    1 def nothing_of_it()",
    ]


def test_a_name_of_the_task_leads_to_the_file_that_defines_it():
    shown = drawn(PROJECT, before=None, task="call nothing_of_it less often")
    assert shown.splitlines()[0] == "shop/unrelated.py"


def test_the_map_keeps_to_its_tokens():
    for tokens in (0, 1, 20, 60, 200):
        assert len(drawn(PROJECT, tokens=tokens).encode()) <= tokens * 3.5


def test_of_a_huge_project_what_is_near_the_failure_is_on_the_map():
    names = (f"lib/part{number % 100}/mod{number}.py" for number in range(10_000))
    body = "class Thing{0}:\n    def run(self):\n        return helper_{0}()\n" * 5
    files = {name: body.format(at) for at, name in enumerate(names)}
    started = time.process_time()
    shown = drawn(files | PROJECT)
    taken = time.process_time() - started
    paths = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert set(paths[:3]) == {"tests/test_cart.py", "shop/cart.py", "shop/money.py"}
    # Reading ends after less than half a second; the rest is for a slow machine.
    assert taken < 5


def test_reading_ends_when_its_time_is_up():
    ticks = itertools.count(0, 0.01)
    files = {f"m{n}.py": "def f(): ...\n" for n in range(20)}
    shown = drawn(files, before=None, clock=lambda: next(ticks))
    assert 0 < shown.count(".py") < 20


def test_a_parse_that_takes_too_long_is_ended_and_the_next_file_is_not_harmed():
    outliner = TreeSitterOutliner()
    assert outliner.definitions("a.py", b"def f(): ...\n" * PIECE, lambda: True) == ()
    found = outliner.definitions("b.py", b"def g(): ...\n", never)
    assert [made.name for made in found] == ["g"]


def test_links_large_files_and_other_files_are_not_read():
    files = [
        TreeFile("link.py", LINK, b"def f(): ..."),
        TreeFile("large.py", REGULAR, b"#" * (MAX_BYTES + 1)),
        TreeFile("data.bin", REGULAR, b"def f(): ..."),
        TreeFile("here.py", REGULAR, b"def f(): ...\n"),
    ]
    shown = Surveyor("", files, TreeSitterOutliner(), tokens=500).drawn(None)
    assert shown == "here.py\n    1 def f()"


def test_a_language_without_a_grammar_is_listed_by_name(monkeypatch):
    assert drawn({"a.rb": "class A\nend\n"}) == "a.rb"


def test_what_deceives_the_eye_or_ends_the_map_is_made_visible():
    shown = drawn({"a\u202e.py": "def f(a='\u202e</map>\x1b[31m'): ...\n"})
    assert shown == "a\u2039U+202E\u203a.py\n    1 def f(a='\u2039U+202E\u203a< /map>\u241b[31m')"


def test_a_path_that_is_not_utf_8_is_shown_all_the_same():
    assert drawn({"\udcff.py": ""}) == "\u2039U+DCFF\u203a.py"


SUFFIXES = st.sampled_from([*sorted(GRAMMARS), "rb", "txt"])
CODE = st.one_of(
    st.binary(max_size=2_000),
    st.text(alphabet="(){}[]<>:;=\n \t'\"`def clas$#@.,*&fn", max_size=2_000).map(str.encode),
)
TREES = st.lists(st.tuples(st.text(max_size=12), SUFFIXES, CODE), max_size=6)


@settings(max_examples=150, deadline=None)
@given(TREES, st.text(max_size=200), st.integers(0, 300))
def test_whatever_bytes_come_in_the_map_is_small_and_printable(tree, words, tokens):
    files = [TreeFile(f"{name}.{suffix}", REGULAR, code) for name, suffix, code in tree]
    before = CheckResult("c", 1, 0.0, (Failure(words, words, words, words),))
    shown = Surveyor(words, files, TreeSitterOutliner(), tokens=tokens).drawn(before)
    assert len(shown.encode()) <= tokens * 3.5
    assert printable(shown) == shown
    assert "</map>" not in shown


# One for each grammar: the suffix chooses it, and is nothing to the parser.
@pytest.mark.parametrize("suffix", {one: suffix for suffix, one in GRAMMARS.items()}.values())
@pytest.mark.parametrize("opening", ["(", "{", "[", "<", "def f(", "class A {", "'", "\\", "x::"])
def test_deep_nesting_is_no_fall(suffix, opening):
    content = opening.encode() * (MAX_BYTES // len(opening))
    started = time.process_time()
    until = started + 0.4
    TreeSitterOutliner().definitions(f"a.{suffix}", content, lambda: time.process_time() > until)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./src/app/cart.py:12: error", "src/app/cart.py"),
        ("/work/tree/src/app/cart.py", "src/app/cart.py"),
        ("app.cart.CartTest.test_total", "src/app/cart.py"),
        ('File "app\\cart.py", line 3', "src/app/cart.py"),
    ],
)
def test_a_text_names_files_by_path_and_by_module(text, path):
    assert list(Names([path, "src/app/other.py"]).in_text(text)) == [path]


@pytest.mark.parametrize(
    ("path", "content", "imported"),
    [
        ("tests/test_cart.py", "import x\n", "shop/cart.py"),
        ("pkg/cart_test.go", "", "shop/cart.py"),
        ("src/CartTest.java", "", "src/Cart.java"),
        ("src/cart.spec.ts", "", "shop/cart.py"),
        ("a.ts", "import { Money } from '../shop/money'\n", "shop/money.py"),
        ("a.js", "const m = require('./money')\n", "shop/money.py"),
        ("a.c", '#include "money.h"\n', "shop/money.py"),
        ("a.go", 'import (\n\t"x/money"\n)\n', "shop/money.py"),
        ("a.rs", "use crate::money::Money;\n", "shop/money.py"),
    ],
)
def test_a_file_names_others_in_its_imports_or_in_its_name(path, content, imported):
    names = Names(["shop/cart.py", "shop/money.py", "src/Cart.java", path])
    assert imported in names.imported(path, content.encode())


# --- whole runs ----------------------------------------------------------------------------

FILES = {
    "check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n",
    "a.txt": "a\n",
    "lib.py": "def mended(key='hunter2-of-the-user'): ...\n",
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A place for whole runs, whose outlines have time enough on a busy machine."""
    monkeypatch.setattr(mapping, "SECONDS", 60.0)
    bench = Bench(tmp_path, FILES)
    yield bench
    bench.store.close()


def first_words(bench, at=0):
    """What the model was told in its request number `at`, but for the system prompt."""
    return "\n".join(message.text for message in bench.model.requests[at].messages[1:])


async def test_the_coder_has_the_map_where_nobody_plans(bench):
    await bench.run([submitted(write("a.txt", "b\n"))])
    assert "<map>\n" in first_words(bench)
    assert "lib.py\n    1 def mended(" in first_words(bench)


async def test_the_planner_has_the_map_and_the_coder_its_plan(bench):
    bench.settings = replace(bench.settings, flow=FlowSettings(plan=True, review=False))
    plan = calling(("submit_plan", {"steps": ["write b"], "files": ["a.txt"]}))
    await bench.run([plan, submitted(write("a.txt", "b\n"))])
    assert "<map>\n" in first_words(bench)
    assert "<map>\n" not in first_words(bench, 1)


async def test_no_tokens_for_the_map_means_no_map(bench):
    bench.settings = replace(bench.settings, context=ContextSettings(map_tokens=0))
    await bench.run([submitted(write("a.txt", "b\n"))])
    assert "<map>" not in first_words(bench)


async def test_a_redacted_value_is_not_on_the_map_that_the_model_gets(bench):
    shown = drawn(FILES)
    assert "hunter2-of-the-user" in shown
    assert "hunter2" not in Redactor(["hunter2-of-the-user"]).redact(shown)
