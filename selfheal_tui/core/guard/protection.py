"""What part each file of a tree has in the verdict of its check: by its name, and by what the check
runs. Refuses to look at what a change does to it: that is `look`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from functools import cached_property

from selfheal_tui.core.detected import Project, Read
from selfheal_tui.core.guard.globs import matcher
from selfheal_tui.core.guard.known import (
    BY_TOOL,
    CODE,
    CONFIGURATION,
    DATA,
    IMPORT_ROOTS,
    RUNNERS,
    SNAPSHOTS,
    START_FILES,
    TESTS,
)
from selfheal_tui.core.guard.parts import is_lock, part_of
from selfheal_tui.core.guard.scripts import Run, run_by
from selfheal_tui.core.pathkinds import CI, TEST, classify

NONE = ""
TEST_CODE = "test"
TEST_DATA = "test data"
SNAPSHOT = "snapshot"
SETTINGS = "configuration"
PART = "a part of the file"
RUNNER_LOCK = "lock"
SCRIPT = "script"
PIPELINE = "continuous integration"
SHADOW = "shadow"

STEERING = frozenset((SETTINGS, PART, SCRIPT, SHADOW))
"""Roles in which a new file has a say in the verdict, whatever the tests are."""


class Protection:
    """Tells the role of paths in the verdict.

    `files` are the paths before any change and `read` gives their content; `commands` are the
    check's; `protect` and `ignore` are patterns of the profiles and of the user.
    """

    def __init__(
        self,
        files: Collection[str],
        read: Read,
        commands: Iterable[str] = (),
        *,
        protect: Iterable[str] = (),
        ignore: Iterable[str] = (),
    ) -> None:
        self._project = Project(files, read)
        self._commands = tuple(commands)
        self._protect = matcher(protect)
        self._ignore = matcher(ignore)
        self._tests = matcher(TESTS)
        self._data = matcher(DATA)
        self._snapshots = matcher(SNAPSHOTS)

    @property
    def tools(self) -> frozenset[str]:
        """The programs that the check runs, as far as its text tells."""
        return frozenset(self._run.tools)

    def role(self, path: str, *, new: bool = False) -> str:
        """What the file is for the verdict; empty where it is nothing for it. Only a `new` file can
        come in the way of the runner: one that was there before did not."""
        if self._ignore(path):
            return NONE
        if path in self._run.scripts:
            return SCRIPT
        if new and shadows(path):
            return SHADOW
        if self._settings(path):
            return SETTINGS
        return self._by_kind(path) or (SETTINGS if self._protect(path) else NONE)

    def _by_kind(self, path: str) -> str:
        kinds = classify(path)
        is_code = path.rpartition(".")[2].lower() in CODE
        if not is_code and self._snapshots(path):
            return SNAPSHOT
        if TEST in kinds or self._tests(path):
            return TEST_CODE if is_code else TEST_DATA
        if not is_code and self._data(path):
            return TEST_DATA
        if CI in kinds:
            return PIPELINE
        if self._protect(path):
            return SETTINGS
        if is_lock(path):
            return RUNNER_LOCK
        return PART if part_of(path) else NONE

    @cached_property
    def _run(self) -> Run:
        return run_by(self._commands, self._project)

    @cached_property
    def _settings(self) -> Callable[[str], bool]:
        by_tool = (pattern for tool in self._run.tools for pattern in BY_TOOL.get(tool, ()))
        return matcher((*CONFIGURATION, *by_tool))


def shadows(path: str) -> bool:
    """Whether Python or Node would find this file where they look for a runner, or for a module
    that comes with them."""
    *folders, name = path.split("/")
    if "node_modules" in folders:
        return True
    if name.endswith(".pth"):
        return True
    # Either a module, or anything within a package of the name.
    stem, dot, ending = name.partition(".")
    if (not folders or "/".join(folders) in IMPORT_ROOTS) and dot and ending in ("py", "so", "pyc"):
        return _is_taken(stem)
    top = next((at for at, folder in enumerate(folders) if _is_taken(folder)), None)
    return top is not None and "/".join(folders[:top]) in IMPORT_ROOTS and name.endswith(".py")


def _is_taken(module: str) -> bool:
    return module in RUNNERS or module in START_FILES or module in _STANDARD


_STANDARD = frozenset(sys.stdlib_module_names) - {"test", "this", "antigravity", "__main__"}
