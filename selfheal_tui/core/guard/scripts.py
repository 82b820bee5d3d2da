"""Which files of a tree the check runs: the scripts that its commands name, those that they run in
turn, and the tools that are called.

A program that a script merely tries out is no part of the check, so that only scripts of shells,
and those named like a check, are followed below the command itself. Nor is a script whose output
goes to a program that compares it: in `sh count.sh x | grep -q 2`, `grep` decides.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from selfheal_tui.core.detect_node import package_scripts
from selfheal_tui.core.detected import Project, just_recipes, make_rules

DEPTH = 4
MOST_COMMANDS = 2000
_LONGEST = 2000

_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "source", "."))
_INTERPRETERS = re.compile(r"python[\d.]*|node|ruby|perl|php|deno|bun|tsx|ts-node|lua|Rscript")
_BEFORE = frozenset(
    (
        *("env", "time", "exec", "command", "nice", "sudo", "xvfb-run", "nohup", "run", "--"),
        *("uv", "poetry", "pipenv", "pdm", "hatch", "rye", "npx", "bunx", "bundle", "timeout"),
        *("if", "then", "else", "elif", "do", "while", "until", "!", "{", "("),
    )
)
"""Words before the program that is meant."""

_MANAGERS = frozenset(("npm", "pnpm", "yarn", "bun"))
_TAKES_FILE = frozenset(
    (
        *("-c", "-r", "-f", "-p", "--config", "--config-file", "--rcfile", "--require", "--file"),
        *("--import", "--conf", "--makefile", "--setupFiles", "--loader", "--settings"),
    )
)
_CHECKS = re.compile(r"(?:^|[^a-z])(?:checks?|tests?|specs?|lint|ci|verify|suite)(?:[^a-z]|$)")
_SHELL_SCRIPT = re.compile(r"\.(?:sh|bash|zsh|ksh)$")
_SEPARATOR = re.compile(r"(&&|\|\||[;&|\n()`]|\$\()")
_COMPARES = frozenset(
    ("grep", "egrep", "fgrep", "rg", "cmp", "diff", "comm", "awk", "jq", "test", "[", "[[")
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHEBANG = re.compile(r"#!.*\b(?:sh|bash|dash|zsh|ksh)\b")


@dataclass
class Run:
    """What the check runs: `scripts` are paths of the tree, `tools` the names of programs."""

    scripts: set[str] = field(default_factory=set)
    tools: set[str] = field(default_factory=set)


def run_by(commands: Iterable[str], project: Project) -> Run:
    """What these commands run, as far as their text and that of their scripts tells."""
    reading = _Reading(project)
    for command in commands:
        reading.read(command, "", 0)
    return reading.run


class _Reading:
    def __init__(self, project: Project) -> None:
        self._project = project
        self._left = MOST_COMMANDS
        self._seen: set[tuple[str, str]] = set()
        self._compared = False
        self.run = Run()

    def read(self, text: str, folder: str, depth: int) -> None:
        """Take in the commands of a script, or of the command line itself at depth 0."""
        for words, compared in _commands(text):
            self._left -= 1
            if self._left < 0:
                return
            if words[:1] == ["cd"]:
                folder = _joined(folder, words[1]) if len(words) > 1 else folder
            elif words:
                self._compared = compared
                self._command(words, folder, depth)

    def _command(self, words: Sequence[str], folder: str, depth: int) -> None:
        first, rest = words[0], words[1:]
        tool = posixpath.basename(first)
        self.run.tools.add(tool)
        if tool in ("make", "gmake", "just"):
            self._rules(tool, rest, depth)
        elif tool in _MANAGERS:
            self._package_script(rest, depth)
        elif tool in _SHELLS or _INTERPRETERS.fullmatch(tool):
            self._interpreted(tool, rest, folder, depth)
        elif "/" in first:
            self._script(_joined(folder, first), depth)
        self._named(rest, folder)

    def _interpreted(self, tool: str, rest: Sequence[str], folder: str, depth: int) -> None:
        if rest[:1] == ["-m"] and len(rest) > 1:
            self.run.tools.add(rest[1])
            module = rest[1].replace(".", "/")
            for path in (f"{module}.py", f"{module}/__main__.py"):
                self._script(_joined(folder, path), depth)
            return
        if tool in _SHELLS and rest[:1] == ["-c"] and len(rest) > 1:
            self.read(rest[1], folder, depth)
            return
        named = next((word for word in rest if not word.startswith("-")), "")
        self._script(_joined(folder, named), depth, shell=tool in _SHELLS)

    def _script(self, path: str, depth: int, *, shell: bool = False) -> None:
        if path not in self._project.files:
            return
        text = self._project.text(path)
        shell = shell or _SHELL_SCRIPT.search(path) is not None or bool(_SHEBANG.match(text[:200]))
        tried = self._compared or (depth and not shell)
        if tried and not _CHECKS.search(path.lower()):
            return
        self.run.scripts.add(path)
        if shell:
            self._below("script", path, text, depth)

    def _rules(self, tool: str, rest: Sequence[str], depth: int) -> None:
        name, rules = (just_recipes if tool == "just" else make_rules)(self._project)
        if name:
            self.run.scripts.add(name)
        targets = [word for word in rest if word in rules] or list(rules)[:1]
        for target in targets:
            self._below(tool, target, rules[target], depth)

    def _package_script(self, rest: Sequence[str], depth: int) -> None:
        there = "package.json" in self._project.files
        scripts = package_scripts(self._project.read("package.json") if there else b"")
        name = next((word for word in rest if word in scripts or word == "test"), "")
        for each in (f"pre{name}", name, f"post{name}"):
            self._below("package", each, scripts.get(each, ""), depth)

    def _below(self, kind: str, name: str, text: str, depth: int) -> None:
        if depth < DEPTH and text and (kind, name) not in self._seen:
            self._seen.add((kind, name))
            self.read(text, "", depth + 1)

    def _named(self, rest: Sequence[str], folder: str) -> None:
        """Files that options name. What a result is compared with is told by its name alone: in
        `cmp a b`, either may be what is to be healed."""
        before = ""
        for word in rest:
            option, equals, value = word.partition("=")
            path = ""
            if before in _TAKES_FILE:
                path = word
            elif equals and option in _TAKES_FILE:
                path = value
            if path and (found := _joined(folder, path)) in self._project.files:
                self.run.scripts.add(found)
            before = word


def _commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """Each command from its program on, and whether another one compares what it prints."""
    pieces = _SEPARATOR.split(text.replace("\\\n", " "))
    # What separates stands between the pieces.
    programs = [_program(_split(_stripped(piece))) for piece in pieces[::2]]
    between = ["", *pieces[1::2], ""]
    compared = [False] * (len(programs) + 1)
    for at in range(len(programs) - 1, -1, -1):
        taken_in = at > 0 and between[at] in ("$(", "`") and _compares(programs[at - 1])
        piped = between[at + 1] == "|" and (_compares(programs[at + 1]) or compared[at + 1])
        compared[at] = taken_in or piped
    return zip(programs, compared, strict=False)


def _compares(words: Sequence[str]) -> bool:
    return bool(words) and posixpath.basename(words[0]) in _COMPARES


def _stripped(piece: str) -> str:
    piece = piece.strip().lstrip("@-+")
    return "" if piece.startswith("#") else piece[:_LONGEST]


def _split(piece: str) -> list[str]:
    try:
        return shlex.split(piece, comments=True)
    except ValueError:
        return piece.split()


def _program(words: Sequence[str]) -> list[str]:
    """The words from the program on that is meant: without assignments and what only starts it."""
    for at, word in enumerate(words):
        if word in _BEFORE or _ASSIGNMENT.match(word) or word.startswith("-"):
            continue
        if at and words[at - 1] == "timeout":
            continue
        return list(words[at:])
    return []


def _joined(folder: str, path: str) -> str:
    """A path of the tree; empty for one that leaves it."""
    if not path or path.startswith(("/", "~", "$")):
        return ""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined.startswith("..") or joined == "." else joined
