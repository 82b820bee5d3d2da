"""Finds the linter and the type checker that go with a project's tests.

Only what is configured and also has a script of its own counts; a script that mends files does
not. Malformed files say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tomli

from selfheal_tui.core.detect_node import manager_of, package_of, part_of, words
from selfheal_tui.core.detected import Check, Project, just_recipes, make_rules


@dataclass(frozen=True)
class _Tool:
    """A linter (`lint`) or a type checker (`types`), and what in the tree configures it: files,
    and sections of files, each as a regular expression."""

    name: str
    kind: str
    files: str
    sections: tuple[tuple[str, str], ...] = ()


_TOOLS = (
    _Tool("ruff", "lint", r"\.?ruff\.toml", (("pyproject.toml", r"^\[tool\.ruff\b"),)),
    _Tool("flake8", "lint", r"\.flake8", (("setup.cfg", r"^\[flake8\]"),)),
    _Tool("pylint", "lint", r"\.?pylintrc", (("pyproject.toml", r"^\[tool\.pylint\b"),)),
    _Tool(
        "mypy",
        "types",
        r"\.?mypy\.ini",
        (("pyproject.toml", r"^\[tool\.mypy\b"), ("setup.cfg", r"^\[mypy\]")),
    ),
    _Tool("pyright", "types", r"pyrightconfig\.json", (("pyproject.toml", r"^\[tool\.pyright\b"),)),
    _Tool(
        "eslint",
        "lint",
        r"eslint\.config\.[cm]?[jt]s|\.eslintrc(?:\.\w+)?",
        (("package.json", r'"eslintConfig"'),),
    ),
    _Tool("biome", "lint", r"biome\.jsonc?"),
    _Tool("tsc", "types", r"tsconfig\.json"),
    _Tool("vue-tsc", "types", r"tsconfig\.json"),
    _Tool("golangci-lint", "lint", r"\.golangci\.(?:ya?ml|toml|json)"),
    _Tool("clippy", "lint", r"\.?clippy\.toml", (("Cargo.toml", r"^\[(?:workspace\.)?lints\b"),)),
)  # fmt: skip

_PACKAGES = {"tsc": "typescript", "biome": "@biomejs/biome"}
"""What a tool of Node is called among a project's dependencies, where that is not its name."""

_SCRIPTS = {
    "lint": ("lint",),
    "types": ("typecheck", "type-check", "types", "check-types", "check:types", "mypy", "tsc"),
}
_MENDS = re.compile(
    r"--fix\b|--write\b|--watch\b|(?:^|\s)-w\b"
    r"|\b(?:black|isort|ruff format|prettier)\b(?!.*--check)"
)
_LONGEST = 2000
"""Characters of a script that are looked at."""

_NODE = ("npm ", "pnpm ", "yarn ", "bun ", "CI=true ", "npx ", "node ")
_TASKS = (("poe", "poe", "tasks"), ("pdm", "pdm run", "scripts"), ("taskipy", "task", "tasks"))
"""Runners of scripts in pyproject.toml: their section, their command, their table."""


def detect_guards(project: Project, main: Check) -> tuple[Check, ...]:
    """The linter, then the type checker, that go with the check `main`; each at most once."""
    found: dict[str, Check] = {}
    is_node = main.command.startswith(_NODE)
    for name, command, body, source in _node(project) if is_node else _others(project):
        for tool in _TOOLS:
            if tool.kind in found or name not in _SCRIPTS[tool.kind]:
                continue
            if _calls(tool, body) and _is_configured(tool, project) and command not in main.source:
                found[tool.kind] = Check(command, f"{source}, which calls {tool.name}", guard=True)
    return tuple(found[kind] for kind in ("lint", "types") if kind in found)


_Script = tuple[str, str, str, str]
"""A script's name, the command that runs it, what it does, and where it stands."""


def _calls(tool: _Tool, body: str) -> bool:
    body = body[:_LONGEST]
    called = re.search(rf"(?:^|[\s@/]){re.escape(tool.name)}(?:\s|$)", body)
    return called is not None and _MENDS.search(body) is None


def _is_configured(tool: _Tool, project: Project) -> bool:
    file = re.compile(tool.files)
    if any(file.fullmatch(path) for path in project.files):
        return True
    return any(
        re.search(section, project.text(path), re.MULTILINE) for path, section in tool.sections
    )


def _node(project: Project) -> Iterator[_Script]:
    """Scripts of package.json whose tool is installed with the project."""
    package = package_of(project)
    manager = manager_of(project, package)
    runs = manager if manager.endswith(" run") else f"{manager} run"
    scripts, needed = part_of(package, "scripts"), part_of(package, "devDependencies")
    tests = words(scripts.get("test"))
    for name, value in scripts.items():
        body = words(value)
        tool = body.split(" ", 1)[0]
        if _PACKAGES.get(tool, tool) in needed and f"run {name}" not in tests:
            yield name, f"{runs} {name}", body, f"package.json: scripts.{name}"


def _others(project: Project) -> Iterator[_Script]:
    """Rules of a Makefile and recipes of a justfile, then the tasks of pyproject.toml."""
    makefile, rules = make_rules(project)
    for name, body in rules.items():
        yield name, f"make {name}", body, f"{makefile}: target {name}"
    justfile, recipes = just_recipes(project)
    for name, body in recipes.items():
        yield name, f"just {name}", body, f"{justfile}: recipe {name}"
    for section, command, table in _TASKS:
        for name, body in _tasks(project, section, table).items():
            yield name, f"{command} {name}", body, f"pyproject.toml: [tool.{section}.{table}]"


def _tasks(project: Project, section: str, table: str) -> dict[str, str]:
    try:
        value: object = tomli.loads(project.text("pyproject.toml"))
    except (tomli.TOMLDecodeError, RecursionError):
        return {}
    for key in ("tool", section, table):
        value = value.get(key) if isinstance(value, dict) else None
    tasks = value if isinstance(value, dict) else {}
    return {name: body for name, body in tasks.items() if isinstance(body, str)}
