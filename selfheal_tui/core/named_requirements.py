"""The Python distributions that a project's own files name, with the version they ask for.

Reads requirements, constraints, pyproject.toml, setup.cfg, setup.py, Pipfile, environment.yml and
lock files. Refuses what is not a plain name with versions (an address, a path, an option), and
never fails on a file that cannot be understood: it names nothing.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

import tomli

from selfheal_tui.core.recipe_parts import strings, table

Reader = Callable[[str], Iterator[str]]
"""Gives what a file's text asks for. Raises ValueError where it cannot be understood."""

MAX_BYTES = 2 * 1024 * 1024
_MOST_FILES = 60

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?) ?(?P<extras>\[[\w, .-]{1,100}\])?"
    r" ?\(?(?P<versions>(?:(?:[<>=!~]=|[<>]|===) ?[\w.*+!-]{1,40} ?,? ?){0,6})\)?"
)
_TEXT = re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in|lock)|.*\.pip")
_IN_FOLDER = re.compile(r"(?:.*/)?requirements/[^/]+\.(?:txt|in)")
_CONDA = re.compile(r"\s*-\s*['\"]?([A-Za-z0-9][\w.-]*?)\s*={1,2}\s*([\w.]+)(?:=[^\s]*)?['\"]?\s*")
_CONDA_FILES = ("environment.yml", "environment.yaml")
_SETUP_KEYWORDS = ("install_requires", "tests_require", "extras_require", "setup_requires")


def canonical(name: str) -> str:
    """A distribution's name as the index compares it: `ruamel_Yaml` is `ruamel-yaml`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named_requirements(files: Mapping[str, bytes]) -> dict[str, str]:
    """The requirement (`PyYAML==6.0.1`) for each canonical name; an exact version comes first.

    `files` are the paths and bytes of a tree; nothing outside of it is read.
    """
    found: dict[str, str] = {}
    paths = [path for path in sorted(files, key=_nearness) if _reader(path) is not None]
    for path in paths[:_MOST_FILES]:
        for text in _requirements(path, files[path]):
            requirement = _plain(text)
            name = canonical(re.split(r"[\[<>=!~ ]", requirement)[0])
            if not requirement:
                continue
            if name not in found or ("==" in requirement and "==" not in found[name]):
                found[name] = requirement
    return found


def _nearness(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _plain(text: str) -> str:
    """The requirement without markers; empty where it is not a plain one."""
    wanted = text.split(";")[0].strip()
    match = _REQUIREMENT.fullmatch(wanted)
    if match is None:
        return ""
    versions = re.sub(r"\s", "", match["versions"] or "").strip(",")
    extras = re.sub(r"\s", "", match["extras"] or "")
    return f"{match['name']}{extras}{versions}"


def _requirements(path: str, content: bytes) -> Iterator[str]:
    reader = _reader(path)
    if reader is None or len(content) > MAX_BYTES:
        return
    try:
        yield from reader(content.decode("utf-8-sig"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        # Not what its name says: it names nothing.
        return


def _reader(path: str) -> Reader | None:
    name = posixpath.basename(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    return _lines if _TEXT.fullmatch(name) or _IN_FOLDER.fullmatch(path) else None


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        plain = re.sub(r"(?:^|\s)#.*$", "", line).strip().rstrip("\\").strip()
        if plain and not plain.startswith("-"):
            yield plain


def _pyproject(text: str) -> Iterator[str]:
    data = tomli.loads(text)
    project = table(data.get("project"))
    yield from strings(project.get("dependencies"))
    for group in (
        *table(project.get("optional-dependencies")).values(),
        *table(data.get("dependency-groups")).values(),
    ):
        yield from strings(group)
    poetry = table(table(data.get("tool")).get("poetry"))
    groups = [table(group).get("dependencies") for group in table(poetry.get("group")).values()]
    for names in (poetry.get("dependencies"), poetry.get("dev-dependencies"), *groups):
        yield from _by_version(table(names))


def _pipfile(text: str) -> Iterator[str]:
    data = tomli.loads(text)
    for group in ("packages", "dev-packages"):
        yield from _by_version(table(data.get(group)))


def _by_version(names: Mapping[str, object]) -> Iterator[str]:
    """Requirements of a table of names and versions. A caret's meaning is not pip's: it is left
    to the index to give the newest."""
    for name, version in names.items():
        wanted = table(version).get("version", version)
        exact = isinstance(wanted, str) and re.match(r"[<>=!~]=|[<>]", wanted)
        yield f"{name}{wanted}" if exact else name


def _toml_lock(text: str) -> Iterator[str]:
    packages = tomli.loads(text).get("package")
    for package in packages if isinstance(packages, list) else ():
        entry = table(package)
        # What comes from elsewhere than an index cannot be had by its name.
        source = table(entry.get("source"))
        if (
            source.get("type")
            or {"git", "path", "editable", "virtual", "directory"} & source.keys()
        ):
            continue
        yield f"{entry.get('name')}=={entry.get('version')}"


def _pipfile_lock(text: str) -> Iterator[str]:
    data = table(json.loads(text))
    for group in ("default", "develop"):
        for name, entry in table(data.get(group)).items():
            yield f"{name}{table(entry).get('version', '')}"


def _setup_cfg(text: str) -> Iterator[str]:
    for line in text.splitlines():
        plain = line.strip()
        # The items of a list are indented below their key.
        if line[:1].isspace() and re.match(r"[A-Za-z0-9][\w.-]*\s*(?:[\[<>=!~;]|$)", plain):
            yield plain


def _setup_py(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.keyword) and node.arg in _SETUP_KEYWORDS:
            yield from _string_items(node.value)


def _string_items(node: ast.expr) -> Iterator[str]:
    for item in ast.walk(node):
        if isinstance(item, (ast.List, ast.Tuple, ast.Set)):
            yield from (
                entry.value
                for entry in item.elts
                if isinstance(entry, ast.Constant) and isinstance(entry.value, str)
            )


def _conda(text: str) -> Iterator[str]:
    for line in text.splitlines():
        pinned = _CONDA.fullmatch(line)
        if pinned:
            yield f"{pinned[1]}=={pinned[2]}"
        elif re.fullmatch(r"\s*-\s*[A-Za-z0-9][\w.-]*\s*", line):
            yield line.strip(" -\t")


_BY_NAME: dict[str, Reader] = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "Pipfile.lock": _pipfile_lock,
    "poetry.lock": _toml_lock,
    "uv.lock": _toml_lock,
    "pylock.toml": _toml_lock,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    **dict.fromkeys(_CONDA_FILES, _conda),
}
