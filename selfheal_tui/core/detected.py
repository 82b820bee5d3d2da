"""A detected check, and the project that it is looked for in: its files, and what make and just
can be asked for there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

Read = Callable[[str], bytes]
"""The bytes of a file of the tree."""

MAX_READ = 256 * 1024
"""Bytes of a file that are looked at."""


@dataclass(frozen=True)
class Check:
    """A command whose exit code is the verdict, and in a few words where it is from.

    A `guard` (a linter, a type checker) was only found beside the tests: it is part of the verdict
    where it passes before any change, so that a change cannot break it.
    """

    command: str
    source: str
    guard: bool = False


@dataclass(frozen=True)
class Project:
    """The paths of a tree, and their content."""

    files: Collection[str]
    read: Read

    def text(self, path: str) -> str:
        """The file as text; empty where there is none. What is no text says nothing."""
        if path not in self.files:
            return ""
        text = self.read(path)[:MAX_READ].decode("utf-8", "replace")
        return text.removeprefix("\ufeff").replace("\r\n", "\n")


Rules = Mapping[str, str]
"""The commands of each target of a Makefile or recipe of a justfile."""

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_JUSTFILES = ("justfile", "Justfile", ".justfile")
_RECIPE = re.compile(r"@?([A-Za-z_][\w-]*)(?: [^:\n]*)?:(?!=)")


def make_rules(project: Project) -> tuple[str, Rules]:
    """The first Makefile with rules, and what stands below each of its targets."""
    for name in _MAKEFILES:
        if rules := _make_rules(project.text(name)):
            return name, rules
    return "", {}


def _make_rules(makefile: str) -> dict[str, str]:
    """What stands left of a rule's colon; assignments are no rules."""
    groups: list[tuple[list[str], list[str]]] = []
    for line in makefile.split("\n"):
        names, colon, rest = line.partition(":")
        if line.startswith("\t"):
            if groups:
                groups[-1][1].append(line)
        elif colon and line[:1] not in ("#", ".") and not rest.lstrip(":").startswith("="):
            groups.append((names.split(), []))
    return _bodies(groups)


def _bodies(groups: Iterable[tuple[list[str], list[str]]]) -> dict[str, str]:
    """The first recipe of each name; a rule without one only adds what it depends on."""
    bodies: dict[str, str] = {}
    for names, lines in groups:
        body = "\n".join(lines)
        for name in names:
            bodies[name] = bodies.get(name) or body
    return bodies


def just_recipes(project: Project) -> tuple[str, Rules]:
    """The first justfile with recipes, and what stands below each of them."""
    for name in _JUSTFILES:
        if recipes := _just_recipes(project.text(name)):
            return name, recipes
    return "", {}


def _just_recipes(justfile: str) -> dict[str, str]:
    groups: list[tuple[list[str], list[str]]] = []
    for line in justfile.split("\n"):
        if found := _RECIPE.match(line):
            groups.append(([found[1]], []))
        elif groups and line[:1] in (" ", "\t"):
            groups[-1][1].append(line)
    return _bodies(groups)
