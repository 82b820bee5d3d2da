"""What of a change is to be looked at with care, for the warnings of the proof card: the kinds of
files, by their names only, and what `suspects` finds in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selfheal_tui.core import suspects
from selfheal_tui.core.patch import FileDiff

TEST = "test"
CI = "ci"
DEPENDENCY = "dependency"
LOCK = "lock file"
GENERATED = "generated"
CHECK_SETTINGS = "check settings"
SECRET = "secret"
SECURITY = "security"

_LOCKS = {
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "composer.lock",
    "gemfile.lock",
    "go.sum",
    "gradle.lockfile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
}
_DEPENDENCIES = {
    "build.gradle",
    "build.gradle.kts",
    "cargo.toml",
    "composer.json",
    "gemfile",
    "go.mod",
    "package.json",
    "pipfile",
    "pom.xml",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
}
_CHECK_SETTINGS = {
    ".coveragerc",
    "conftest.py",
    "makefile",
    "noxfile.py",
    "package.json",
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "tox.ini",
}
_CI_FILES = {
    ".gitlab-ci.yml",
    ".travis.yml",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "jenkinsfile",
}
_CI_FOLDERS = {".github", ".circleci", ".buildkite", ".ci", ".gitlab"}
_TEST_FOLDERS = {"test", "tests", "__tests__", "spec", "specs", "testdata", "__snapshots__"}
_GENERATED_FOLDERS = {"dist", "build", "node_modules", "vendor", "generated", "__generated__"}

_TEST_NAME = re.compile(r"^test_.*\.|.*_tests?\.\w+$|.*[.-](test|spec)\.\w+$|.*Tests?\.\w+$")
_CHECK_NAME = re.compile(r"^(jest|vitest|karma|playwright|cypress|mocha)\.config\.\w+$|^\.mocharc")
_GENERATED_NAME = re.compile(r"\.min\.(js|css)$|_pb2(_grpc)?\.pyi?$|\.pb\.go$|\.snap$")
_REQUIREMENTS = re.compile(r"^(requirements|constraints).*\.(txt|in)$")
_SECRET_NAME = re.compile(r"^\.env($|\.)|^id_(rsa|dsa|ecdsa|ed25519)$|\.(pem|key|p12|pfx|jks)$")
_SECURITY_WORDS = {
    "auth",
    "authentication",
    "authorization",
    "cipher",
    "credential",
    "credentials",
    "crypto",
    "encryption",
    "jwt",
    "login",
    "oauth",
    "passwd",
    "password",
    "passwords",
    "permission",
    "permissions",
    "security",
    "token",
    "tokens",
}

_WORDS = {
    TEST: "tests are changed",
    CHECK_SETTINGS: "the settings of the check are changed",
    CI: "continuous integration is changed",
    DEPENDENCY: "dependencies may be changed",
    LOCK: "a lock file is changed",
    GENERATED: "generated files are changed",
    SECRET: "a file that usually holds secrets is changed",
    SECURITY: "files that deal with security are changed",
}

_SUSPECTS = {
    suspects.BIDI: "characters that reorder the text (bidi) are added",
    suspects.INVISIBLE: "invisible or control characters are added",
    suspects.MIXED: "words that mix look-alike letters of several scripts are added",
    suspects.SECRET: "what looks like a secret is added",
    suspects.OUTSIDE: "links lead out of the tree",
}


def classify(path: str) -> frozenset[str]:
    """The kinds that the path's name speaks for; none for ordinary source code."""
    *folders, name = path.split("/")
    lower, above = name.lower(), {folder.lower() for folder in folders}
    kinds = {
        TEST: bool(above & _TEST_FOLDERS) or _TEST_NAME.match(name) is not None,
        CI: lower in _CI_FILES or bool(above & _CI_FOLDERS),
        DEPENDENCY: lower in _DEPENDENCIES or _REQUIREMENTS.match(lower) is not None,
        LOCK: lower in _LOCKS,
        GENERATED: bool(above & _GENERATED_FOLDERS) or _GENERATED_NAME.search(name) is not None,
        CHECK_SETTINGS: lower in _CHECK_SETTINGS or _CHECK_NAME.match(lower) is not None,
        SECRET: _SECRET_NAME.search(lower) is not None,
        SECURITY: bool(_SECURITY_WORDS & set(re.findall("[a-z]+", path.lower()))),
    }
    return frozenset(kind for kind, holds in kinds.items() if holds)


def warnings_for(files: Iterable[FileDiff]) -> tuple[str, ...]:
    """One sentence for each thing to be looked at, with the paths: first what is suspicious in the
    lines and names, then the kinds of files, in order. Never says a secret itself."""
    files = tuple(files)
    return (*_suspicious(files), *_touched(files))


def _suspicious(files: tuple[FileDiff, ...]) -> list[str]:
    places: dict[str, list[str]] = {kind: [] for kind in _SUSPECTS}
    for file in files:
        for found in suspects.suspects_of(file, plain=holds_data(file.path)):
            places[found.kind].append(_place(found))
    return [f"{_SUSPECTS[kind]}: {_several(named)}" for kind, named in places.items() if named]


def _place(found: suspects.Suspect) -> str:
    name = _shown(found.path)
    if found.line is not None:
        return f"{name} line {found.line}"
    return name if found.kind == suspects.OUTSIDE else f"{name} (its name)"


def _touched(files: tuple[FileDiff, ...]) -> list[str]:
    by_kind: dict[str, list[str]] = {kind: [] for kind in _WORDS}
    for file in files:
        for kind in classify(file.path) | classify(file.old_path):
            by_kind[kind].append(file.path)
    said = [f"{_WORDS[kind]}: {_named(paths)}" for kind, paths in by_kind.items() if paths]
    for words, chosen in (
        ("files are deleted", [file.path for file in files if file.kind == "deleted"]),
        ("symbolic links are changed", [file.path for file in files if file.link]),
        ("permissions are changed", [file.path for file in files if changes_mode(file)]),
    ):
        if chosen:
            said.append(f"{words}: {_named(chosen)}")
    return said


def changes_mode(file: FileDiff) -> bool:
    """Whether a file that was there before has other permissions, or is of another type."""
    both = bool(file.old_mode and file.new_mode)
    return file.kind == "mode" or (both and file.old_mode != file.new_mode)


def holds_data(path: str) -> bool:
    """Whether long values in a file are more likely hashes than secrets: lock files, tests and
    what was generated."""
    return bool(classify(path) & {LOCK, TEST, GENERATED})


def _named(paths: list[str]) -> str:
    return _several([_shown(path) for path in paths])


def _shown(path: str) -> str:
    return repr(path)[1:-1]


def _several(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
