"""Finds the check of a Node project: its test script, its runner, or Node's own."""

from __future__ import annotations

import json
import re

from selfheal_tui.core.detected import Check, Project

_TEST_FILE = re.compile(r"(?:^|/)(?:[^/]+[._-]test|test-[^/]+|test)\.[cm]?js$")
_RUNNERS_TEST = re.compile(
    r"^(?!.*node_modules/).*(?:[._-](?:test|spec)|/__tests__/.*)\.[cm]?[jt]sx?$"
)
_IN_TEST_FOLDER = re.compile(r"(?:^|/)test/.*\.[cm]?js$")
_NODE_TEST = re.compile(r"""['"]node:test['"]""")
_LOCKS = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun run"),
    ("bun.lockb", "bun run"),
)
_MANAGERS = {"npm": "npm", "pnpm": "pnpm", "yarn": "yarn", "bun": "bun run"}
_RUNNERS = (("vitest", "npx vitest run"), ("jest", "npx jest"), ("mocha", "npx mocha"))


def detect_node(project: Project) -> Check | None:
    """The test script of package.json, a runner among its dependencies, or `node --test`."""
    package = package_of(project)
    script = words(part_of(package, "scripts").get("test"))
    if script and "no test specified" not in script:
        # Some runners wait for keys, unless they are told that nobody is there.
        prefix = "CI=true " if "react-scripts" in script or "--watch" in script else ""
        command = f"{prefix}{manager_of(project, package)} test"
        return Check(command, f"package.json: scripts.test is `{script[:80]}`")
    needed = {**part_of(package, "dependencies"), **part_of(package, "devDependencies")}
    tests = sorted(path for path in project.files if _is_test(project, path))
    for name, command in _RUNNERS:
        if name in needed and (tests or _has_runners_tests(project)):
            return Check(command, f"package.json: needs {name}")
    return Check("node --test", tests[0]) if tests else None


def package_scripts(content: bytes) -> dict[str, str]:
    """The scripts of a package.json; empty where it cannot be read."""
    project = Project(("package.json",), lambda _: content)
    scripts = part_of(package_of(project), "scripts")
    return {name: words(script) for name, script in scripts.items()}


def package_of(project: Project) -> dict[str, object]:
    """package.json; empty where it cannot be read."""
    try:
        package = json.loads(project.text("package.json"))
    except (ValueError, RecursionError):
        return {}
    return package if isinstance(package, dict) else {}


def part_of(package: dict[str, object], name: str) -> dict[str, object]:
    """An object within package.json; empty where there is none."""
    part = package.get(name)
    return part if isinstance(part, dict) else {}


def words(value: object) -> str:
    """A string with single blanks; empty for anything else."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def manager_of(project: Project, package: dict[str, object]) -> str:
    """The package manager that the project names, or whose lock file it holds."""
    named = words(package.get("packageManager")).partition("@")[0]
    if named in _MANAGERS:
        return _MANAGERS[named]
    return next((manager for lock, manager in _LOCKS if lock in project.files), "npm")


def _has_runners_tests(project: Project) -> bool:
    """Whether there are tests that a runner of its own finds, also such as Node cannot load."""
    own = (path for path in project.files if "node_modules/" not in path)
    return any(_RUNNERS_TEST.search(path) for path in own)


def _is_test(project: Project, path: str) -> bool:
    """Whether `node --test` takes the file for a test, and it is meant to be one."""
    if "node_modules/" in path:
        return False
    if "package.json" in project.files and _TEST_FILE.search(path):
        return True
    named = _TEST_FILE.search(path) or _IN_TEST_FOLDER.search(path)
    return named is not None and _NODE_TEST.search(project.text(path)) is not None
