"""Finding the check from what a project says of itself; files that cannot be read say nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.core.detect import Check, detect_check, detect_checks

PYTEST = "python -m pytest -q"
UNITTESTS = "import unittest\n\nclass T(unittest.TestCase):\n    def test_a(self): ...\n"
DJANGO_TESTS = "from django.test import TestCase\n\nclass T(TestCase):\n    def test_a(self): ...\n"
NODE_TESTS = "import test from 'node:test';\n"


def detected(files):
    content = {path: text.encode() for path, text in files.items()}
    return detect_check(content, content.__getitem__)


def package(**fields):
    return json.dumps({"name": "p", **fields})


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({"pytest.ini": ""}, Check(PYTEST, "pytest.ini")),
        (
            {"pyproject.toml": "[tool.pytest.ini_options]\n"},
            Check(PYTEST, "pyproject.toml: [tool.pytest]"),
        ),
        (
            {"pyproject.toml": "\ufeff[tool.pytest]\r\n"},
            Check(PYTEST, "pyproject.toml: [tool.pytest]"),
        ),
        ({"setup.cfg": "[metadata]\n[tool:pytest]\n"}, Check(PYTEST, "setup.cfg: [tool:pytest]")),
        ({"tox.ini": "[tox]\n[pytest]\n"}, Check(PYTEST, "tox.ini: [pytest]")),
        ({"tests/conftest.py": ""}, Check(PYTEST, "tests/conftest.py")),
        ({"a_test.py": "import pytest\n"}, Check(PYTEST, "a_test.py: written for pytest")),
        ({"test_a.py": "def test_a(): ...\n"}, Check(PYTEST, "test_a.py: written for pytest")),
        (
            {"tests/test_a.py": "class TestA:\n    def test_a(self): ...\n"},
            Check(PYTEST, "tests/test_a.py: written for pytest"),
        ),
        (
            {"tests/test_a.py": UNITTESTS, "requirements-dev.txt": "black\npytest>=8\n"},
            Check(PYTEST, "requirements-dev.txt: needs pytest"),
        ),
        (
            {"tests/test_a.py": UNITTESTS, "pyproject.toml": 'test = ["pytest"]\n'},
            Check(PYTEST, "pyproject.toml: needs pytest"),
        ),
        ({"tox.ini": "[tox]\n", "test_a.py": UNITTESTS}, Check("tox", "tox.ini")),
        ({"pyproject.toml": "[tool.tox]\n"}, Check("tox", "pyproject.toml: [tool.tox]")),
        ({"noxfile.py": ""}, Check("nox", "noxfile.py")),
        (
            {"manage.py": "import django\n", "app/tests.py": DJANGO_TESTS},
            Check("python manage.py test", "manage.py"),
        ),
        ({"test_a.py": UNITTESTS}, Check("python -m unittest", "test_a.py: uses unittest")),
        (
            {"tests/__init__.py": "", "tests/test_a.py": UNITTESTS},
            Check("python -m unittest", "tests/test_a.py: uses unittest"),
        ),
        (
            {"tests/test_a.py": UNITTESTS},
            Check("python -m unittest discover -s tests", "tests/test_a.py: uses unittest"),
        ),
        # unittest finds neither such names nor folders that are no packages; pytest does.
        ({"a_test.py": UNITTESTS}, Check(PYTEST, "a_test.py")),
        ({"a/test_a.py": UNITTESTS, "b/test_b.py": UNITTESTS}, Check(PYTEST, "a/test_a.py")),
    ],
)
def test_a_python_project_is_known_by_its_configuration_and_its_tests(files, check):
    assert detected(files) == check


@pytest.mark.parametrize(
    ("files", "check"),
    [
        (
            {"package.json": package(scripts={"test": "jest  --ci"})},
            Check("npm test", "package.json: scripts.test is `jest --ci`"),
        ),
        (
            {"package.json": package(scripts={"test": "vitest"}), "pnpm-lock.yaml": ""},
            Check("pnpm test", "package.json: scripts.test is `vitest`"),
        ),
        (
            {"package.json": package(scripts={"test": "jest"}), "yarn.lock": ""},
            Check("yarn test", "package.json: scripts.test is `jest`"),
        ),
        (
            {"package.json": package(scripts={"test": "x"}, packageManager="pnpm@9.1.0")},
            Check("pnpm test", "package.json: scripts.test is `x`"),
        ),
        (
            {"package.json": package(scripts={"test": "react-scripts test"})},
            Check("CI=true npm test", "package.json: scripts.test is `react-scripts test`"),
        ),
        (
            {
                "package.json": package(
                    scripts={"test": 'echo "Error: no test specified" && exit 1'}
                ),
                "src/a.test.js": "",
            },
            Check("node --test", "src/a.test.js"),
        ),
        ({"package.json": package(), "test/a.js": NODE_TESTS}, Check("node --test", "test/a.js")),
        ({"a.test.mjs": NODE_TESTS}, Check("node --test", "a.test.mjs")),
        (
            {"package.json": package(devDependencies={"jest": "29"}), "a.test.js": ""},
            Check("npx jest", "package.json: needs jest"),
        ),
        (
            {"package.json": package(devDependencies={"jest": "29"}), "src/a.spec.tsx": ""},
            Check("npx jest", "package.json: needs jest"),
        ),
        (
            {"package.json": package(devDependencies={"mocha": "11"}), "a.test.js": ""},
            Check("npx mocha", "package.json: needs mocha"),
        ),
        (
            {"package.json": package(devDependencies={"vitest": "3"}), "a.test.js": ""},
            Check("npx vitest run", "package.json: needs vitest"),
        ),
    ],
)
def test_a_node_project_is_known_by_its_script_or_its_tests(files, check):
    assert detected(files) == check


@pytest.mark.parametrize(
    ("files", "check"),
    [
        (
            {"Makefile": "all:\n\tcc\ntest: all\n\t./a\n"},
            Check("make test", "Makefile: target test"),
        ),
        (
            {"Makefile": ".PHONY: test check\nlint check:\n"},
            Check("make check", "Makefile: target check"),
        ),
        ({"Makefile": "test::\n\t./a\n"}, Check("make test", "Makefile: target test")),
        ({"Cargo.toml": "[package]\n"}, Check("cargo test --no-fail-fast", "Cargo.toml")),
        (
            {"Cargo.toml": "[workspace]\n"},
            Check("cargo test --workspace --no-fail-fast", "Cargo.toml"),
        ),
        ({"go.mod": ""}, Check("go test ./...", "go.mod")),
        ({"pom.xml": "", "mvnw": ""}, Check("./mvnw -B -q test", "mvnw")),
        ({"pom.xml": ""}, Check("mvn -B -q test", "pom.xml")),
        ({"build.gradle": "", "gradlew": ""}, Check("./gradlew --console=plain test", "gradlew")),
        ({"settings.gradle": ""}, Check("gradle --console=plain test", "settings.gradle")),
        ({"build.gradle.kts": ""}, Check("gradle --console=plain test", "build.gradle.kts")),
        (
            {"justfile": "x := '1'\ntest arg='a': build\n  ./a\n"},
            Check("just test", "justfile: recipe test"),
        ),
        (
            {"CMakeLists.txt": "project(a)\nenable_testing()\n"},
            Check(
                "cmake -S . -B build && cmake --build build"
                " && cd build && ctest --output-on-failure",
                "CMakeLists.txt: enables tests",
            ),
        ),
    ],
)
def test_other_projects_are_known_by_their_build_files(files, check):
    assert detected(files) == check


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.md": "test: x\n"},
        {"tests/data.txt": ""},
        {"sub/pytest.ini": "", "sub/go.mod": "", "sub/Cargo.toml": ""},
        {"package.json": package(scripts={"test": 'echo "Error: no test specified" && exit 1'})},
        {"package.json": "{", "Makefile": "all:\n\techo test: x\n"},
        {"Makefile": "test := 1\ntest:=2\n# test: x\n"},
        {"CMakeLists.txt": "project(a)\n"},
        {"node_modules/a/a.test.js": "", "package.json": package()},
        {"docs/a.test.js": "not a test of node\n"},
    ],
)
def test_where_nothing_speaks_for_a_check_there_is_none(files):
    assert detected(files) is None


SCRIPT = package(scripts={"test": "x"})


@pytest.mark.parametrize(
    ("first", "second", "command"),
    [
        ({"pytest.ini": ""}, {"tox.ini": "[tox]", "Makefile": "test:\n"}, PYTEST),
        ({"noxfile.py": ""}, {"test_a.py": UNITTESTS}, "nox"),
        ({"test_a.py": UNITTESTS}, {"package.json": SCRIPT}, "python -m unittest"),
        ({"package.json": SCRIPT}, {"Makefile": "test:\n"}, "npm test"),
        ({"Makefile": "test:\n"}, {"Cargo.toml": "", "go.mod": ""}, "make test"),
        ({"go.mod": ""}, {"justfile": "test:\n"}, "go test ./..."),
    ],
)  # fmt: skip
def test_the_first_in_order_counts(first, second, command):
    check = detected({**second, **first})
    assert check is not None
    assert check.command == command


NAMES = st.sampled_from(
    [
        "pyproject.toml", "setup.cfg", "tox.ini", "package.json", "Makefile", "Cargo.toml",
        "go.mod", "justfile", "CMakeLists.txt", "test_a.py", "tests/test_b.py", "a.test.js",
        "manage.py",
        "requirements.txt",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: st.dictionaries(
        st.sampled_from(["scripts", "test", "dependencies", "packageManager"]), inner, max_size=3
    ),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())


@given(st.dictionaries(NAMES, st.binary(max_size=200) | JSON, max_size=6))
def test_malformed_files_never_raise_and_name_a_command_or_nothing(content):
    check = detect_check(content, content.__getitem__)
    assert check is None or (check.command and check.source)


def test_a_package_nested_without_end_says_nothing():
    content = {"package.json": b"[" * 200_000}
    assert detect_check(content, content.__getitem__) is None


def commands(files):
    content = {path: text.encode() for path, text in files.items()}
    return [check.command for check in detect_checks(content, content.__getitem__)]


LINTED = package(
    scripts={"lint": "eslint .", "typecheck": "tsc --noEmit", "test": "jest"},
    devDependencies={"eslint": "9", "typescript": "5"},
)
RUFF = {"ruff.toml": "", "pytest.ini": "", "Makefile": "lint:\n\truff check .\ntest:\n\tpytest\n"}


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (
            {"package.json": LINTED, "eslint.config.js": "", "tsconfig.json": "{}"},
            ["npm run lint", "npm run typecheck", "npm test"],
        ),
        ({"package.json": LINTED, "tsconfig.json": "{}"}, ["npm run typecheck", "npm test"]),
        (RUFF, ["make lint", PYTEST]),
        (
            {"pyproject.toml": "[tool.pytest]\n[tool.mypy]\n[tool.poe.tasks]\ntypes = 'mypy .'\n"},
            ["poe types", PYTEST],
        ),
        (
            {".golangci.yml": "", "justfile": "lint:\n  golangci-lint run\n", "go.mod": ""},
            ["just lint", "go test ./..."],
        ),
    ],
)
def test_what_is_configured_and_has_a_script_guards_the_tests_and_comes_first(files, chosen):
    assert commands(files) == chosen


@pytest.mark.parametrize(
    "files",
    [
        {**RUFF, "ruff.toml.bak": "", "Makefile": "lint:\n\truff check --fix .\n"},
        {**RUFF, "Makefile": "lint:\n\techo no\n"},
        {**RUFF, "Makefile": "fast:\n\truff check .\n"},
        {"pytest.ini": "", "Makefile": RUFF["Makefile"]},
        {"ruff.toml": "", "pytest.ini": "", "pyproject.toml": "= broken"},
    ],
)
def test_a_linter_that_is_not_configured_or_mends_or_has_no_script_guards_nothing(files):
    assert commands(files) == [PYTEST]


def test_a_linter_that_is_not_installed_or_part_of_the_tests_guards_nothing():
    tools = {"eslint.config.js": "", "tsconfig.json": "{}"}
    missing = package(scripts={"lint": "eslint .", "test": "jest"}, devDependencies={"jest": "1"})
    assert commands({**tools, "package.json": missing}) == ["npm test"]
    part = package(
        scripts={"lint": "eslint .", "test": "npm run lint && jest"},
        devDependencies={"eslint": "9"},
    )
    assert commands({**tools, "package.json": part}) == ["npm test"]


def test_a_guard_says_what_it_is_and_alone_is_no_check():
    content = {path: text.encode() for path, text in RUFF.items()}
    guard, _ = detect_checks(content, content.__getitem__)
    assert guard == Check("make lint", "Makefile: target lint, which calls ruff", guard=True)
    assert commands({"ruff.toml": "", "Makefile": "lint:\n\truff check .\n"}) == []


@given(st.dictionaries(NAMES, st.binary(max_size=200) | JSON, max_size=6))
def test_malformed_files_guard_nothing_and_never_raise(content):
    checks = detect_checks(content, content.__getitem__)
    assert len(checks) <= 3
    assert [check.guard for check in checks[-1:]] in ([], [False])
