"""Finds the check from what the project itself says. Malformed files say nothing.

The files of Python are read in `detect_python`, those of Node in `detect_node`, linters and type
checkers in `detect_guards`; the rest is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from selfheal_tui.core.detect_guards import detect_guards
from selfheal_tui.core.detect_node import detect_node
from selfheal_tui.core.detect_python import detect_django_or_unittest, detect_pytest, detect_tox
from selfheal_tui.core.detected import Check, Project, Read, just_recipes, make_rules

__all__ = ["Check", "Read", "detect_check", "detect_checks"]


def detect_checks(files: Collection[str], read: Read) -> tuple[Check, ...]:
    """The project's checks, the cheapest first: linter, type checker, tests; empty where nothing
    speaks for one. See `detect_check` for the last; the others are guards."""
    main = detect_check(files, read)
    return (*detect_guards(Project(files, read), main), main) if main else ()


def detect_check(files: Collection[str], read: Read) -> Check | None:
    """The project's check; None where nothing speaks for one.

    `files` are the paths of the whole tree; `read` gives a file's bytes. The first that is found
    counts: pytest, tox, nox, unittest, a test script of package.json, `node --test`, a target
    of a Makefile, then Cargo, Go, Maven, Gradle, just, CMake.
    """
    project = Project(files, read)
    return next((found for finder in _FINDERS if (found := finder(project))), None)


_TARGETS = ("test", "check", "tests")


def _make(project: Project) -> Check | None:
    name, rules = make_rules(project)
    target = next((target for target in _TARGETS if target in rules), None)
    return Check(f"make {target}", f"{name}: target {target}") if target else None


def _just(project: Project) -> Check | None:
    name, recipes = just_recipes(project)
    target = next((target for target in _TARGETS if target in recipes), None)
    return Check(f"just {target}", f"{name}: recipe {target}") if target else None


def _cargo(project: Project) -> Check | None:
    if "Cargo.toml" not in project.files:
        return None
    workspace = re.search(r"^\[workspace\]", project.text("Cargo.toml"), re.MULTILINE)
    # Without --no-fail-fast a failing test binary hides the failures of all later ones.
    command = "cargo test --workspace --no-fail-fast" if workspace else "cargo test --no-fail-fast"
    return Check(command, "Cargo.toml")


_BY_NAME = (
    ("go.mod", "go test ./..."),
    ("mvnw", "./mvnw -B -q test"),
    ("pom.xml", "mvn -B -q test"),
    ("gradlew", "./gradlew --console=plain test"),
    ("build.gradle", "gradle --console=plain test"),
    ("build.gradle.kts", "gradle --console=plain test"),
    ("settings.gradle", "gradle --console=plain test"),
    ("settings.gradle.kts", "gradle --console=plain test"),
)


def _by_name(project: Project) -> Check | None:
    for name, command in _BY_NAME:
        if name in project.files:
            return Check(command, name)
    return None


_CMAKE_TESTS = re.compile(
    r"^[ \t]*(?:enable_testing[ \t]*\(|include[ \t]*\([ \t]*CTest\b)", re.MULTILINE | re.IGNORECASE
)
_CMAKE = "cmake -S . -B build && cmake --build build && cd build && ctest --output-on-failure"


def _cmake(project: Project) -> Check | None:
    if _CMAKE_TESTS.search(project.text("CMakeLists.txt")):
        return Check(_CMAKE, "CMakeLists.txt: enables tests")
    return None


_FINDERS: tuple[Callable[[Project], Check | None], ...] = (
    detect_pytest,
    detect_tox,
    detect_django_or_unittest,
    detect_node,
    _make,
    _cargo,
    _by_name,
    _just,
    _cmake,
)
