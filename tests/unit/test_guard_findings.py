"""Every kind of finding, in every language: what weakens a test is named, what does not is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.facts import loosened
from selfheal_tui.core.guard.finding import Finding
from selfheal_tui.core.guard.look import MOST_FINDINGS, Change, Look, look_at
from selfheal_tui.core.guard.protection import Protection
from selfheal_tui.core.tree import LINK, REGULAR, TreeChange, TreeFile


def file(path, text, mode=REGULAR):
    return None if text is None else TreeFile(path, mode, text.encode())


def looked(before, after, *commands, protect=(), ignore=()):
    """The look at the change from one tree (path to text) to another."""
    content = {path: text.encode() for path, text in before.items()}
    protection = Protection(content, content.__getitem__, commands, protect=protect, ignore=ignore)
    paths = sorted(before.keys() | after.keys())
    changes = [
        Change(path, file(path, before.get(path)), file(path, after.get(path)))
        for path in paths
        if before.get(path) != after.get(path)
    ]
    return look_at(changes, protection)


def kinds_in(path, before, after, *commands):
    old = {} if before is None else {path: before}
    new = {} if after is None else {path: after}
    return {found.kind for found in looked(old, new, *commands).findings}


PY = """\
import pytest


def test_a():
    assert f(1) == 2
    assert g() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("x", [1, 2, 3])
def test_b(x):
    assert x
    with pytest.raises(ValueError):
        h(x)


class TestC:
    def test_c(self):
        self.assertAlmostEqual(1.0, k(), places=7)
"""
JS = """\
describe('calc', () => {
  it('adds', () => {
    expect(add(1, 2)).toBe(3);
    expect(sum([1, 2]))
      .toBeCloseTo(3, 5);
  });

  test("takes away", async () => {
    assert.strictEqual(sub(3, 1), 2);
  });
});
"""
GO = """\
package calc

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Errorf("no")
	}
	assert.InDelta(t, 1.0, Half(2), 0.01)
}

func TestSub(t *testing.T) {
	require.Equal(t, 1, Sub(3, 2))
}
"""
RUST = """\
pub fn add(a: i32, b: i32) -> i32 { a + b }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        assert!((half(2.0) - 1.0).abs() < 0.001);
    }
}
"""
JAVA = """\
class CalcTest {
    @Test
    public void adds() {
        assertEquals(3, calc.add(1, 2));
        assertEquals(0.3, calc.add(0.1, 0.2), 0.0001);
    }

    @Test
    void subtracts() {
        assertThat(calc.sub(2, 1)).isEqualTo(1);
    }
}
"""
FILES = {
    "py": ("tests/test_a.py", PY),
    "js": ("src/calc.test.js", JS),
    "ts": ("src/calc.spec.ts", JS),
    "go": ("calc_test.go", GO),
    "rs": ("src/lib.rs", RUST),
    "java": ("src/test/java/CalcTest.java", JAVA),
}

WEAKENED = [
    # --- Python
    ("py", "def test_a", "def _test_a", kinds.RENAMED),
    ("py", PY[PY.index("def test_a") : PY.index("@pytest.mark")], "", kinds.DELETED),
    ("py", "    assert f(1) == 2\n", "", kinds.ASSERT),
    ("py", "    assert f(1) == 2\n", "    f(1)\n", kinds.ASSERT),
    ("py", "    assert f(1) == 2\n", "    # assert f(1) == 2\n", kinds.ASSERT),
    ("py", "f(1) == 2", "f(1) == 3", kinds.CHANGED),
    ("py", "assert f(1) == 2", "assert True", kinds.CHANGED),
    ("py", "assert f(1) == 2", "assert f(1) == 2 or True", kinds.CHANGED),
    ("py", "raises(ValueError)", "raises(Exception)", kinds.CHANGED),
    ("py", "rel=1e-6", "rel=0.5", kinds.TOLERANCE),
    ("py", "places=7", "places=1", kinds.TOLERANCE),
    ("py", "f(1) == 2", "f(1) == pytest.approx(2, abs=5)", kinds.TOLERANCE),
    ("py", "[1, 2, 3]", "[1]", kinds.CASES),
    ("py", "def test_a", "@pytest.mark.skip(reason='x')\ndef test_a", kinds.SKIP),
    ("py", "def test_a", "@pytest.mark.xfail\ndef test_a", kinds.SKIP),
    ("py", "def test_a", "@unittest.skipIf(True, '')\ndef test_a", kinds.SKIP),
    ("py", "class TestC:", "class TestC:\n    __test__ = False\n", kinds.SKIP),
    ("py", "import pytest\n", "import pytest\npytestmark = pytest.mark.skip\n", kinds.SKIP),
    ("py", "    assert x\n", "    pytest.skip('x')\n    assert x\n", kinds.SKIP),
    ("py", "    assert x\n", "    raise unittest.SkipTest\n    assert x\n", kinds.SKIP),
    ("py", "    assert x\n", "    return\n    assert x\n", kinds.RETURN),
    ("py", "    assert x\n", "    if x > 1:\n        return\n    assert x\n", kinds.RETURN),
    ("py", "    assert x\n", "    if DEBUG:\n        assert x\n", kinds.CONDITIONAL),
    (
        "py",
        "    assert x\n",
        "    try:\n        assert x\n    except:\n        pass\n",
        kinds.CAUGHT,
    ),
    (
        "py",
        "    assert x\n",
        "    with suppress(AssertionError):\n        assert x\n",
        kinds.CAUGHT,
    ),
    ("py", "    assert x\n", "    sys.exit(0)\n    assert x\n", kinds.EXIT),
    ("py", "    assert x\n", "    raise SystemExit\n    assert x\n", kinds.EXIT),
    ("py", "import pytest\n", "import os, pytest\nos._exit(0)\n", kinds.EXIT),
    ("py", "import pytest\n", "import pytest\nfrom os import _exit as e\ne(0)\n", kinds.EXIT),
    ("py", "import pytest\n", "import pytest\npytest.raises = print\n", kinds.RUNNER),
    ("py", "import pytest\n", "import pytest\nsetattr(pytest, 'x', 1)\n", kinds.RUNNER),
    ("py", "import pytest\n", "import pytest, sys\nsys.modules['pytest'] = 1\n", kinds.RUNNER),
    ("py", "import pytest\n", "import pytest\nimport builtins\nbuiltins.len = 1\n", kinds.RUNNER),
    # --- JavaScript and TypeScript
    ("js", "it('adds'", "it.skip('adds'", kinds.SKIP),
    ("js", "it('adds'", "xit('adds'", kinds.SKIP),
    ("js", "test(", "test.todo(", kinds.SKIP),
    ("ts", "describe(", "describe.only(", kinds.ONLY),
    ("ts", "it('adds'", "fit('adds'", kinds.ONLY),
    ("js", "    expect(add(1, 2)).toBe(3);\n", "", kinds.ASSERT),
    ("js", "    expect(add(1, 2)).toBe(3);\n", "    // expect(add(1, 2)).toBe(3);\n", kinds.ASSERT),
    ("js", "    expect(add(1, 2)).toBe(3);\n", "    /* expect(add(1, 2)); */\n", kinds.ASSERT),
    ("ts", "toBe(3)", "toBe(4)", kinds.CHANGED),
    ("ts", "toBe(3)", "toBeDefined()", kinds.CHANGED),
    ("js", "toBeCloseTo(3, 5)", "toBeCloseTo(3, 0)", kinds.TOLERANCE),
    ("js", JS[JS.index("  test(") : JS.index("});\n", 200)], "", kinds.DELETED),
    ("js", "    assert.strict", "    return;\n    assert.strict", kinds.RETURN),
    ("js", "    assert.strict", "    process.exit(0);\n    assert.strict", kinds.EXIT),
    ("ts", "describe(", "process.exitCode = 0;\ndescribe(", kinds.EXIT),
    ("js", "describe(", "globalThis.expect = () => ok;\ndescribe(", kinds.RUNNER),
    ("js", "describe(", "assert.strictEqual = () => {};\ndescribe(", kinds.RUNNER),
    # --- Go
    ("go", '\t\tt.Errorf("no")\n', '\t\tt.Log("no")\n', kinds.ASSERT),
    ("go", "\trequire.Equal(t, 1, Sub(3, 2))\n", "", kinds.ASSERT),
    ("go", "0.01", "10", kinds.TOLERANCE),
    ("go", "require.Equal(t, 1", "require.Equal(t, 7", kinds.CHANGED),
    ("go", "\trequire", '\tt.Skip("later")\n\trequire', kinds.SKIP),
    ("go", "\trequire", "\tif testing.Short() {\n\t}\n\trequire", kinds.SKIP),
    ("go", "\trequire", "\treturn\n\trequire", kinds.RETURN),
    ("go", "func TestSub", "func testSub", kinds.DELETED),
    ("go", "package calc\n", "//go:build never\n\npackage calc\n", kinds.SELECTION),
    ("go", "package calc\n", "package calc\n\nfunc TestMain(m *testing.M) {}\n", kinds.RUNNER),
    ("go", "\trequire", "\tos.Exit(0)\n\trequire", kinds.EXIT),
    # --- Rust
    ("rs", "    #[test]\n", "    #[test]\n    #[ignore]\n", kinds.SKIP),
    ("rs", "    #[test]\n", "    #[test]\n    #[should_panic]\n", kinds.SKIP),
    ("rs", "        assert_eq!(add(1, 2), 3);\n", "", kinds.ASSERT),
    ("rs", "add(1, 2), 3", "add(1, 2), 4", kinds.CHANGED),
    ("rs", "< 0.001", "< 100.0", kinds.TOLERANCE),
    ("rs", "        assert_eq!", "        return;\n        assert_eq!", kinds.RETURN),
    ("rs", "        assert_eq!", "        std::process::exit(0);\n        assert_eq!", kinds.EXIT),
    ("rs", RUST[RUST.index("    #[test]") : RUST.rindex("}")], "", kinds.DELETED),
    # --- Java
    ("java", "    @Test\n    void", "    @Disabled\n    @Test\n    void", kinds.SKIP),
    ("java", "    @Test\n    void", "    @Ignore\n    @Test\n    void", kinds.SKIP),
    ("java", "        assertThat", "        assumeTrue(false);\n        assertThat", kinds.SKIP),
    ("java", "        assertEquals(3, calc.add(1, 2));\n", "", kinds.ASSERT),
    ("java", "assertEquals(3,", "assertEquals(4,", kinds.CHANGED),
    ("java", "0.0001", "10.0", kinds.TOLERANCE),
    ("java", "        assertThat", "        return;\n        assertThat", kinds.RETURN),
    ("java", "        assertThat", "        System.exit(0);\n        assertThat", kinds.EXIT),
    ("java", JAVA[JAVA.index("    @Test\n    void") : JAVA.rindex("}")], "", kinds.DELETED),
    (
        "java",
        "        assertThat(calc.sub(2, 1)).isEqualTo(1);\n",
        "        try { assertThat(calc.sub(2, 1)).isEqualTo(1); } catch (AssertionError e) {}\n",
        kinds.CAUGHT,
    ),
]


@pytest.mark.parametrize(("language", "old", "new", "kind"), WEAKENED)
def test_what_weakens_a_test_is_named(language, old, new, kind):
    path, text = FILES[language]
    assert text.count(old) == 1
    assert kind in kinds_in(path, text, text.replace(old, new))


@pytest.mark.parametrize("language", FILES)
def test_a_file_of_tests_that_is_gone_is_named(language):
    path, text = FILES[language]
    assert kinds_in(path, text, None) == {kinds.DELETED}


@pytest.mark.parametrize("language", FILES)
def test_the_other_way_round_nothing_is_weakened(language):
    path, text = FILES[language]
    more = {"py": "\n\ndef test_new():\n    assert new()\n"}.get(language, "")
    look = looked({path: text}, {path: text + more + "\n"})
    assert look.findings == ()


def test_a_tighter_tolerance_and_more_asserts_are_no_findings():
    better = PY.replace("1e-6", "1e-9").replace("places=7", "places=9")
    better = better.replace("    assert x\n", "    assert x\n    assert x > 0\n")
    # The changed asserts are named as such, and as nothing else.
    assert kinds_in("tests/test_a.py", PY, better) == {kinds.CHANGED}


def test_tests_that_move_to_another_file_are_not_deleted():
    rest = PY[: PY.index("@pytest")]
    moved = "import pytest\n" + PY[PY.index("@pytest") :]
    look = looked({"tests/test_a.py": PY}, {"tests/test_a.py": rest, "tests/test_b.py": moved})
    assert look.findings == ()
    assert (look.changed, look.added) == (("tests/test_a.py",), ("tests/test_b.py",))


def test_a_file_that_moves_is_said_to_be_in_another_one():
    look = looked({"tests/test_a.py": PY}, {"tests/test_b.py": PY})
    text = "the file is gone; its tests are in another one now"
    assert look.findings == (Finding("tests/test_a.py", 0, kinds.RENAMED, text),)


def test_a_new_test_that_is_skipped_takes_nothing_away():
    new = "import pytest\n\n\n@pytest.mark.skip\ndef test_new():\n    assert False\n"
    assert looked({}, {"tests/test_new.py": new}) == Look(added=("tests/test_new.py",))


def test_ending_with_what_the_runner_came_to_is_no_finding():
    new = (
        "def test_a():\n    assert 1\n\n\nif __name__ == '__main__':\n    sys.exit(pytest.main())\n"
    )
    assert looked({}, {"tests/test_new.py": new}).findings == ()


NPM_LOCK = """\
{
  "packages": {
    "node_modules/jest": {
      "version": "1"
    },
    "node_modules/a": {
      "version": "1"
    },
    "node_modules/b": {
    }
  }
}
"""
STEERED = [
    ("check.sh", "pytest\n", "pytest || true\n", {kinds.SCRIPT, kinds.HIDDEN}),
    ("check.sh", "pytest\n", "pytest; exit 0\n", {kinds.SCRIPT, kinds.HIDDEN}),
    ("check.sh", "pytest\n", "set +e\npytest\ntrue\n", {kinds.SCRIPT, kinds.HIDDEN, kinds.EXIT}),
    ("check.sh", "pytest\n", "trap 'exit 0' EXIT\npytest\n", {kinds.SCRIPT, kinds.HIDDEN}),
    ("check.sh", "pytest\n", "pytest --deselect a.py::b\n", {kinds.SCRIPT, kinds.SELECTION}),
    ("Makefile", "test:\n\tpytest\n", "test:\n\t-pytest\n", {kinds.SCRIPT, kinds.HIDDEN}),
    ("Makefile", "test:\n\tpytest\n", ".IGNORE:\ntest:\n\tpytest\n", {kinds.SCRIPT, kinds.HIDDEN}),
    ("pytest.ini", "[pytest]\n", "[pytest]\naddopts = -k a\n", {kinds.CONFIG, kinds.SELECTION}),
    ("tox.ini", "[testenv]\n", "[testenv]\nignore_outcome = true\n", {kinds.CONFIG, kinds.HIDDEN}),
    (
        "setup.cfg",
        "[tool:pytest]\naddopts = -q\n",
        "[tool:pytest]\naddopts = -q\ntestpaths = a\n",
        {kinds.CONFIG, kinds.SELECTION},
    ),
    (
        "pyproject.toml",
        '[tool.pytest.ini_options]\naddopts = "-q"\n',
        '[tool.pytest.ini_options]\naddopts = "-q --ignore=tests"\n',
        {kinds.CONFIG, kinds.SELECTION},
    ),
    (
        "package.json",
        '{"scripts": {"test": "jest"}}',
        '{"scripts": {"test": "jest || true"}}',
        {kinds.CONFIG, kinds.HIDDEN},
    ),
    (
        "jest.config.js",
        "module.exports = {};\n",
        "module.exports = {\n  testPathIgnorePatterns: ['a'],\n};\n",
        {kinds.CONFIG, kinds.SELECTION},
    ),
    (
        "Cargo.toml",
        '[package]\nname = "a"\n',
        '[package]\nname = "a"\n[[test]]\nname = "b"\nharness = false\n',
        {kinds.CONFIG, kinds.SELECTION},
    ),
    (
        "pom.xml",
        "<project>\n</project>\n",
        "<project>\n<skipTests>true</skipTests>\n</project>\n",
        {kinds.CONFIG, kinds.SELECTION},
    ),
    (
        "build.gradle",
        "test {\n  useJUnitPlatform()\n}\n",
        "test {\n  useJUnitPlatform()\n  ignoreFailures = true\n}\n",
        {kinds.CONFIG, kinds.HIDDEN},
    ),
    (
        ".github/workflows/ci.yml",
        "run: pytest\n",
        "run: pytest\ncontinue-on-error: true\n",
        {kinds.CI, kinds.HIDDEN},
    ),
    ("web/__snapshots__/a.snap", "1\n", "2\n", {kinds.SNAPSHOT}),
    ("tests/data.json", "1\n", "2\n", {kinds.DATA}),
    ("app/fixtures/users.json", "1\n", "2\n", {kinds.DATA}),
    ("requirements-dev.txt", "pytest==8\nrich==1\n", "pytest==7\nrich==1\n", {kinds.CONFIG}),
    (
        "package-lock.json",
        NPM_LOCK,
        NPM_LOCK.replace('"1"', '"2"', 1),
        {kinds.LOCK},
    ),
]
COMMANDS = ("sh check.sh", "make test")


@pytest.mark.parametrize(("path", "before", "after", "expected"), STEERED)
def test_what_steers_the_check_is_named(path, before, after, expected):
    assert kinds_in(path, before, after, *COMMANDS) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("conftest.py", "", {kinds.CONFIG}),
        (
            "conftest.py",
            "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
            {kinds.CONFIG, kinds.EXIT},
        ),
        ("pytest.ini", "[pytest]\n", {kinds.CONFIG}),
        ("pytest.py", "", {kinds.SHADOW}),
        ("src/pytest/__init__.py", "", {kinds.SHADOW}),
        ("unittest.py", "", {kinds.SHADOW}),
        ("sitecustomize.py", "", {kinds.SHADOW}),
        ("evil.pth", "import os", {kinds.SHADOW}),
        ("tests/traceback.py", "", {kinds.SHADOW}),
        ("node_modules/.bin/jest", "#!/bin/sh\n", {kinds.SHADOW}),
        ("src/lib/pytest.py", "", set()),
        ("src/app/calendar.py", "", set()),
        ("a.py", "import os\nif 'pytest' in __import__('sys').modules: pass\n", set()),
        ("a.py", "import sys\nif 'pytest' in sys.modules: pass\n", {kinds.AWARE}),
        ("a.py", "import os\nos.getenv('PYTEST_CURRENT_TEST')\n", {kinds.AWARE}),
        ("a.py", "import os\nos._exit(0)\n", {kinds.EXIT}),
        ("a.py", "import os\nos._exit(1)\n", set()),
        ("a.py", "import sys\nsys.exit(0)\n", set()),
        ("a.js", "if (process.env.JEST_WORKER_ID) x = 1;\n", {kinds.AWARE}),
        ("a.py", "class A:\n    def __eq__(self, o):\n        return True\n", {kinds.RUNNER}),
    ],
)
def test_a_new_file_counts_where_it_has_a_say(path, text, expected):
    assert kinds_in(path, None, text) == expected


def test_a_test_that_became_a_link_is_named():
    path = "tests/test_a.py"
    before, after = file(path, PY), file(path, "../x.py", LINK)
    content = {path: PY.encode()}
    look = look_at([Change(path, before, after)], Protection(content, content.__getitem__))
    assert kinds.DATA in {found.kind for found in look.findings}
    assert look.back == TreeChange((before,))


def test_many_findings_are_cut_and_counted():
    many = "".join(f"def test_{n}():\n    assert {n}\n" for n in range(MOST_FINDINGS + 5))
    found = looked({"tests/test_a.py": many}, {"tests/test_a.py": "def test_x(): pass\n"}).findings
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1].text == "and 5 more findings that are not listed"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("assert a == approx(1, rel=1e-3)", "assert a == approx(1, rel=1e-2)", True),
        ("assert a == approx(1, rel=1e-3)", "assert a == approx(2, rel=1e-3)", False),
        ("assert abs(a - 1) < 0.1", "assert abs(a - 1) < 10", True),
        ("assert abs(a - 1) < 10", "assert abs(a - 1) < 0.1", False),
        ("self.assertAlmostEqual(a, b, delta=1)", "self.assertAlmostEqual(a, b, delta=2)", True),
        ("np.testing.assert_allclose(a, b, atol=0.1)", "assert_allclose(a, b, atol=0.1)", False),
        ("expect(a).to.be.closeTo(1, 0.1)", "expect(a).to.be.closeTo(1, 5)", True),
        ("isCloseTo(1.0, within(0.1))", "isCloseTo(1.0, within(3.0))", True),
        ("assert a == 1", "assert round(a) == 1", True),
        ("assert a == 1e999", "assert a == 1", False),
    ],
)
def test_a_looser_tolerance_is_told_from_another_number(old, new, expected):
    assert loosened(old, new) is expected


# --- whatever text comes in --------------------------------------------------------------------

ODD = ["\n", "{", "}", "(", ")", '"', "'", "`", "/*", "*/", "//", "#", "[tool.pytest]", "\x00", "�"]
WORDS = st.sampled_from(
    [word for text in (PY, JS, RUST, GO, JAVA, *ODD) for word in text.split(" ")]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=60).map(" ".join))
PATHS = st.sampled_from(
    [path for path, _ in FILES.values()]
    + [path for path, *_ in STEERED]
    + ["conftest.py", "a.py", "pytest.py", "x_test.rb", "x_test.cc", "uv.lock", "yarn.lock"]
)


@settings(max_examples=200, deadline=None)
@given(PATHS, st.none() | TEXTS, st.none() | TEXTS)
def test_no_text_of_any_file_is_too_strange_to_look_at(path, before, after):
    old, new = (
        None if text is None else TreeFile(path, REGULAR, text.encode("utf-8", "surrogatepass"))
        for text in (before, after)
    )
    content = {path: old.content} if old else {}
    protection = Protection(content, content.__getitem__, ("sh check.sh", "make test", "npm test"))
    look = look_at([Change(path, old, new)], protection)
    assert {*look.changed, *look.added} <= {path}
    assert all(found.path == path and found.line >= 0 and found.text for found in look.findings)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "ending", ["py", "js", "go", "rs", "java", "rb", "cc", "toml", "xml", "txt"]
)
@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "{",
        "/*",
        "'",
        '"',
        "`",
        "#[test]",
        "#[cfg(",
        "assert(",
        "it('",
        "[",
        "<plugin>surefire",
        "a = 1\n",
        "def test_a():\n assert 1\n",
        "\n",
        " ",
        "-",
        'r#"',
        "expect(a",
        "[tool.pytest]\n",
        "test {",
        '"scripts": {\n',
    ],
)
def test_a_flood_of_one_thing_is_read_in_linear_time(ending, unit):
    text = (unit * 200_000)[:200_000]
    names = {"toml": "pyproject.toml", "xml": "pom.xml", "txt": "requirements.txt"}
    path = names.get(ending, f"tests/test_a.{ending}")
    look = looked({path: text}, {path: text + "x"}, "sh check.sh")
    assert look.changed in ((path,), ())
