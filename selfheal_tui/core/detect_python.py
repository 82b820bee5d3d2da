"""Finds the check of a Python project: pytest, tox, nox, Django's runner, unittest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from selfheal_tui.core.detected import Check, Project

_PYTEST = "python -m pytest -q"
_SECTIONS = (
    ("pytest.ini", "", "pytest.ini"),
    (".pytest.ini", "", ".pytest.ini"),
    ("pyproject.toml", r"^\[tool\.pytest\b", "[tool.pytest]"),
    ("setup.cfg", r"^\[tool:pytest\]", "[tool:pytest]"),
    ("tox.ini", r"^\[pytest\]", "[pytest]"),
)
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$")
_USES_PYTEST = re.compile(r"^[ \t]*(?:import|from)[ \t]+pytest\b", re.MULTILINE)
_TEST = re.compile(r"^[ \t]*(?:async )?def test_", re.MULTILINE)
_USES_UNITTEST = re.compile(r"\bunittest\b")
_USES_DJANGO = re.compile(r"^[ \t]*(?:import|from)[ \t]+django\b", re.MULTILINE)
_NEEDS_PYTEST = re.compile(r"(?:^|[\s\"',])pytest\b(?!-)", re.MULTILINE)
_NEEDS = ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "tox.ini", "environment.yml")
_PLAIN_NAME = re.compile(r"\w[\w-]*")
_MOST_READ = 100


def detect_pytest(project: Project) -> Check | None:
    """pytest, where the project sets it up, needs it, or has tests that only it runs."""
    for name, section, shown in _SECTIONS:
        if name in project.files and re.search(section, project.text(name), re.MULTILINE):
            return Check(_PYTEST, f"{name}: {shown}" if section else name)
    for path in sorted(project.files):
        if PurePosixPath(path).name == "conftest.py":
            return Check(_PYTEST, path)
    tests = _tests(project)
    for path in tests[:_MOST_READ]:
        if _only_pytest_runs(project.text(path)):
            return Check(_PYTEST, f"{path}: written for pytest")
    for name in (*_NEEDS, *_requirements(project)):
        if tests and _NEEDS_PYTEST.search(project.text(name)):
            return Check(_PYTEST, f"{name}: needs pytest")
    return None


def _only_pytest_runs(text: str) -> bool:
    if _USES_PYTEST.search(text):
        return True
    others = _USES_UNITTEST.search(text) or _USES_DJANGO.search(text)
    return not others and _TEST.search(text) is not None


def detect_tox(project: Project) -> Check | None:
    """tox or nox."""
    if "tox.ini" in project.files:
        return Check("tox", "tox.ini")
    if re.search(r"^\[tool\.tox\b", project.text("pyproject.toml"), re.MULTILINE):
        return Check("tox", "pyproject.toml: [tool.tox]")
    if "noxfile.py" in project.files:
        return Check("nox", "noxfile.py")
    return None


def detect_django_or_unittest(project: Project) -> Check | None:
    """The runners that come with Django and with Python; pytest for what is neither's."""
    tests = _tests(project)
    if not tests:
        return None
    if "django" in project.text("manage.py"):
        return Check("python manage.py test", "manage.py")
    unittests = [path for path in tests[:_MOST_READ] if _USES_UNITTEST.search(project.text(path))]
    if unittests and (command := _discovery(project, unittests)):
        return Check(command, f"{unittests[0]}: uses unittest")
    return Check(_PYTEST, tests[0])


def _discovery(project: Project, tests: Sequence[str]) -> str:
    """How unittest finds the tests by itself; empty where it cannot."""
    if not all(PurePosixPath(path).name.startswith("test") for path in tests):
        return ""
    folders = sorted({str(PurePosixPath(path).parent) for path in tests})
    if all(_is_package(project, folder) for folder in folders):
        return "python -m unittest"
    top = folders[0].split("/")[0]
    below = all(folder.split("/")[0] == top for folder in folders)
    deeper = all(_is_package(project, folder, top) for folder in folders)
    return (
        f"python -m unittest discover -s {top}"
        if below and deeper and _PLAIN_NAME.fullmatch(top)
        else ""
    )


def _is_package(project: Project, folder: str, top: str = ".") -> bool:
    """Whether every folder from `top` (left out) down to `folder` has an `__init__.py`."""
    while folder not in (".", top):
        if f"{folder}/__init__.py" not in project.files:
            return False
        folder = str(PurePosixPath(folder).parent)
    return True


def _tests(project: Project) -> list[str]:
    return sorted(path for path in project.files if _TEST_FILE.search(path))


def _requirements(project: Project) -> list[str]:
    found = re.compile(
        r"(?:requirements/)?[\w.-]*requirements[\w.-]*\.(?:txt|in)|requirements/[\w.-]+"
    )
    return sorted(path for path in project.files if found.fullmatch(path))
