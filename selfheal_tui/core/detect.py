"""Finds the check command from what the project itself says. Malformed files say nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Check:
    """The command whose exit code is the verdict, and the sentence that says where it is from."""

    command: str
    source: str


def detect_check(files: Collection[str], read: Read) -> Check | None:
    """The project's check; None where nothing speaks for one. `files` are all paths of the tree."""
    for finder in (_python, _node, _make, _by_name):
        if found := finder(files, read):
            return found
    return None


_PYTEST = "python -m pytest -q"
_PYTEST_MARKS = (
    ("pytest.ini", r""),
    ("pyproject.toml", r"^\[tool\.pytest"),
    ("setup.cfg", r"^\[tool:pytest\]"),
    ("tox.ini", r"^\[pytest\]"),
    ("conftest.py", r""),
)
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")


def _python(files: Collection[str], read: Read) -> Check | None:
    for name, mark in _PYTEST_MARKS:
        if name in files and re.search(mark, _text(name, read), re.MULTILINE):
            return Check(_PYTEST, f"{name} sets up pytest" if mark else f"there is {name}")
    tests = sorted(path for path in files if _TEST_FILE.search(path))
    if tests:
        texts = [_text(path, read) for path in tests[:50]]
        if any(re.search(r"^\s*(?:import|from) pytest\b", text, re.MULTILINE) for text in texts):
            return Check(_PYTEST, f"{tests[0]} and other tests use pytest")
        if all("unittest" in text for text in texts) and all("/" not in path for path in tests):
            return Check("python -m unittest", f"{tests[0]} uses unittest")
        return Check(_PYTEST, f"there are tests such as {tests[0]}")
    if "tox.ini" in files:
        return Check("tox", "there is tox.ini")
    if "noxfile.py" in files:
        return Check("nox", "there is noxfile.py")
    return None


_NODE_TEST = re.compile(r"(?:^|/)(?:[^/]+[.-]test|test-[^/]+|test)\.[cm]?[jt]s$")


def _node(files: Collection[str], read: Read) -> Check | None:
    if "package.json" not in files:
        return None
    script = _script(_text("package.json", read))
    if script and "no test specified" not in script:
        runner = "pnpm" if "pnpm-lock.yaml" in files else "yarn" if "yarn.lock" in files else "npm"
        return Check(f"{runner} test", f"package.json: scripts.test is `{script}`")
    tests = sorted(path for path in files if _NODE_TEST.search(path))
    return Check("node --test", f"there are tests such as {tests[0]}") if tests else None


def _script(text: str) -> str:
    try:
        script = json.loads(text)["scripts"]["test"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return script if isinstance(script, str) else ""


def _make(files: Collection[str], read: Read) -> Check | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        for target in ("test", "check"):
            if name in files and re.search(rf"^{target}\s*:(?!=)", _text(name, read), re.MULTILINE):
                return Check(f"make {target}", f"{name} has a target `{target}`")
    return None


_BY_NAME = (
    ("Cargo.toml", "cargo test"),
    ("go.mod", "go test ./..."),
    ("mvnw", "./mvnw -q test"),
    ("pom.xml", "mvn -q test"),
    ("gradlew", "./gradlew test"),
    ("build.gradle", "gradle test"),
    ("build.gradle.kts", "gradle test"),
)


def _by_name(files: Collection[str], read: Read) -> Check | None:
    roots = {PurePosixPath(path).name for path in files if "/" not in path}
    for name, command in _BY_NAME:
        if name in roots:
            return Check(command, f"there is {name}")
    return None


def _text(path: str, read: Read) -> str:
    return read(path).decode("utf-8", "replace")
