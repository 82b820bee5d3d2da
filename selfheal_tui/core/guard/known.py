"""Names that decide a verdict by themselves, whatever a profile says: nobody can lose them.

More come from the sandbox profiles and from the user's settings.
"""

from __future__ import annotations

RUNNERS = frozenset(
    (
        "pytest",
        "_pytest",
        "pluggy",
        "iniconfig",
        "unittest",
        "unittest2",
        "doctest",
        "nose",
        "nose2",
        "tox",
        "nox",
        "coverage",
        "hypothesis",
        "xdist",
        "jest",
        "jest-cli",
        "vitest",
        "mocha",
        "chai",
        "ava",
        "tap",
        "karma",
        "jasmine",
        "cypress",
        "playwright",
        "nyc",
        "c8",
        "ts-jest",
        "testify",
        "ginkgo",
        "gomega",
        "junit",
        "testng",
        "assertj",
        "mockito",
        "rspec",
        "minitest",
        "phpunit",
    )
)
"""What runs tests or says whether they pass, by the names of packages."""

DATA = (
    "fixtures/",
    "__fixtures__/",
    "golden/",
    "goldens/",
    "test-data/",
    "test_data/",
    "cassettes/",
    "*.golden",
    "*.approved.*",
)
"""What tests compare with, where a folder's name does not say test already."""

SNAPSHOTS = ("__snapshots__/", "snapshots/", "*.snap", "*.ambr", "*.golden", "*.approved.*")
"""What was once recorded, and is expected since then."""

TESTS = ("tests.rs", "test.rs", "tests.py", "test.py", "__mocks__/", "e2e/")
"""Tests by names that `core.pathkinds` does not know."""

CONFIGURATION = (
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "tox.ini",
    "tox.toml",
    "noxfile.py",
    ".coveragerc",
    "unittest.cfg",
    "jest.config.*",
    "jest.setup.*",
    "vitest.config.*",
    "vitest.setup.*",
    "vitest.workspace.*",
    ".mocharc",
    ".mocharc.*",
    "mocha.opts",
    "ava.config.*",
    ".taprc",
    "karma.conf.*",
    "playwright.config.*",
    "cypress.config.*",
    "setupTests.*",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "go.work",
    ".cargo/config",
    ".cargo/config.toml",
    ".config/nextest.toml",
    "testng.xml",
    "junit-platform.properties",
    "gradlew",
    "mvnw",
    "gradle/wrapper/",
    ".mvn/",
    ".rspec",
    "phpunit.xml",
    "phpunit.xml.dist",
    "CTestCustom.cmake",
)
"""What a runner reads or is started by, as whole files."""

BY_TOOL = {
    "make": ("/GNUmakefile", "/makefile", "/Makefile", "*.mk"),
    "gmake": ("/GNUmakefile", "/makefile", "/Makefile", "*.mk"),
    "just": ("/justfile", "/Justfile", "/.justfile"),
    "task": ("/Taskfile.yml", "/Taskfile.yaml"),
    "rake": ("/Rakefile",),
    "inv": ("/tasks.py",),
    "invoke": ("/tasks.py",),
    "turbo": ("turbo.json",),
    "nx": ("nx.json", "project.json"),
    "vitest": ("vite.config.*",),
    "deno": ("deno.json", "deno.jsonc"),
    "ruff": ("ruff.toml", ".ruff.toml"),
    "mypy": ("mypy.ini", ".mypy.ini"),
    "pyright": ("pyrightconfig.json",),
    "flake8": (".flake8",),
    "pylint": (".pylintrc", "pylintrc"),
    "eslint": (".eslintrc", ".eslintrc.*", "eslint.config.*", ".eslintignore"),
    "tsc": ("tsconfig*.json",),
    "biome": ("biome.json", "biome.jsonc"),
    "prettier": (".prettierrc", ".prettierrc.*", ".prettierignore"),
    "golangci-lint": (".golangci.*",),
    "pre-commit": (".pre-commit-config.yaml",),
}
"""What else decides where the check runs a tool of this name."""

START_FILES = frozenset(("sitecustomize", "usercustomize"))
"""Modules that Python loads before anything else."""

IMPORT_ROOTS = frozenset(("", "src", "lib", "test", "tests", "python"))
"""Folders that usually are on Python's import path."""

CODE = frozenset(
    (
        *("py", "pyi", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"),
        *("go", "rs", "java", "kt", "kts", "groovy", "scala", "rb", "php", "c", "h", "cc", "cpp"),
        *("hpp", "cs", "swift", "sh", "bash", "ex", "exs", "clj", "lua", "pl", "t", "bats", "dart"),
    )
)
"""Endings of files that are code, and no data of tests."""
