"""The part of a set-up recipe that a Node project asks for: npm, pnpm or yarn, by its lock."""

from __future__ import annotations

import json
import re

from selfheal_tui.core.recipe_parts import Folder, Malformed, Part, table

_NEEDS = ("dependencies", "devDependencies", "optionalDependencies")
_CONFIGURATION = (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml")
_MANAGER = re.compile(r"(npm|pnpm|yarn)@([0-9]+\.[0-9]+\.[0-9]+)(?:[-+].*)?")
_MAX_MEMBERS = 500


def node_part(folder: Folder) -> Part | None:
    """Installs what package.json names; None without dependencies, and where they are vendored."""
    if not folder.has("package.json") or any(
        name.startswith("node_modules/") for name in folder.below()
    ):
        return None
    package = _package(folder)
    several = bool(package.get("workspaces")) or folder.has("pnpm-workspace.yaml")
    if not several and not any(table(package.get(key)) for key in _NEEDS):
        return None
    name, lock, command = _install(folder, _manager(package))
    members = _members(folder) if several else []
    files = folder.present("package.json", *([lock] if lock else []), *_CONFIGURATION, *members)
    return Part(name, command, files)


def _package(folder: Folder) -> dict[str, object]:
    try:
        package = json.loads(folder.text("package.json"))
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{folder.full('package.json')} is not valid JSON: {error}") from error
    if not isinstance(package, dict):
        raise Malformed(f"{folder.full('package.json')} is not a JSON object")
    return package


def _manager(package: dict[str, object]) -> tuple[str, str]:
    """The package manager that the project names, and its version; empty where it names none."""
    given = _MANAGER.fullmatch(str(package.get("packageManager", "")))
    return (given[1], given[2]) if given else ("", "")


def _install(folder: Folder, manager: tuple[str, str]) -> tuple[str, str, str]:
    """The recipe's name, its lock file (may be empty) and its command."""
    for lock in ("npm-shrinkwrap.json", "package-lock.json"):
        if folder.has(lock):
            return "npm", lock, "npm ci"
    name, version = manager
    if folder.has("pnpm-lock.yaml"):
        tool = f"pnpm@{version}" if name == "pnpm" else "pnpm"
        return "pnpm", "pnpm-lock.yaml", f"{_global(tool)} && pnpm install --frozen-lockfile"
    if folder.has("yarn.lock"):
        return "yarn", "yarn.lock", _yarn(folder, version if name == "yarn" else "")
    # A lock that only the set-up makes would look like a change of the user's tree.
    return "npm", "", "npm install --no-package-lock"


def _yarn(folder: Folder, version: str) -> str:
    if version.startswith("1.") or not (version or folder.has(".yarnrc.yml")):
        return f"{_global(f'yarn@{version or 1}')} && yarn install --frozen-lockfile"
    tool = f"@yarnpkg/cli-dist@{version}" if version else "@yarnpkg/cli-dist"
    return f"{_global(tool)} && YARN_NODE_LINKER=node-modules yarn install --immutable"


def _global(tool: str) -> str:
    return f"npm install -g {tool}"


def _members(folder: Folder) -> list[str]:
    return [name for name in folder.below() if name.endswith("/package.json")][:_MAX_MEMBERS]
