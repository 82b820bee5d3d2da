"""The Python distributions that a project's own files name, with the version they ask for.

Reads requirements, constraints, pyproject.toml, setup.cfg, setup.py, Pipfile, environment.yml and
lock files. Refuses what is not a plain name with versions (an address, a path, an option), and what
comes from elsewhere than the public index. A file that cannot be understood names nothing.
"""

from __future__ import annotations

import ast
import configparser
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

import tomli

from selfheal_tui.core.named_indexes import (
    from_elsewhere,
    lock_from_elsewhere,
    table_names_index,
    text_names_index,
)
from selfheal_tui.core.recipe_parts import strings, table
from selfheal_tui.core.setup_names import DISTRIBUTIONS, SAME, TOOLS

Reader = Callable[[str], Iterator[str]]
"""Gives what a file's text asks for. Raises ValueError where it cannot be understood."""

MAX_BYTES = 2 * 1024 * 1024
_MOST_FILES = 60

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?) ?(?P<extras>\[[\w, .-]{1,100}\])?"
    r" ?\(?(?P<versions>(?:(?:[<>=!~]=|[<>]|===) ?[\w.*+!-]{1,40} ?,? ?){0,6})\)?",
    re.ASCII,
)
_TEXT = re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in|lock)|.*\.pip")
_IN_FOLDER = re.compile(r"(?:.*/)?requirements/[^/]+\.(?:txt|in)")
_CONDA = re.compile(r"\s*-\s*['\"]?([A-Za-z0-9][\w.-]*?)\s*={1,2}\s*([\w.]+)(?:=[^\s]*)?['\"]?\s*")
_CONDA_FILES = ("environment.yml", "environment.yaml")
_SECTIONS = ("options", "options.extras_require")
_SETUP_KEYWORDS = ("install_requires", "tests_require", "extras_require", "setup_requires")


def canonical(name: str) -> str:
    """A distribution's name as the index compares it: `ruamel_Yaml` is `ruamel-yaml`."""
    return re.sub(r"[-_.]+", "-", name).lower()


KNOWN = frozenset(
    canonical(re.split("[<>=]", name)[0])
    for name in (*DISTRIBUTIONS.values(), *SAME, *TOOLS.values())
)
"""Canonical names whose owner in the public index is known."""


def named_requirements(files: Mapping[str, bytes]) -> dict[str, str]:
    """The requirement (`PyYAML==6.0.1`) for each canonical name; an exact version comes first.

    `files` are the paths and bytes of a tree; nothing outside of it is read. Where one of them
    names another index, only names whose owner in the public one is known are given.
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
    if any(_names_index(path, files[path]) for path in paths):
        return {name: requirement for name, requirement in found.items() if name in KNOWN}
    return found


def _names_index(path: str, content: bytes) -> bool:
    if len(content) > MAX_BYTES:
        return True
    try:
        text = content.decode("utf-8-sig")
        if posixpath.basename(path) in ("pyproject.toml", "Pipfile"):
            return table_names_index(tomli.loads(text))
        return _reader(path) is _lines and text_names_index(text)
    except (ValueError, RecursionError):
        # It cannot be understood: it names nothing at all.
        return False


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
    sources = table(table(table(data.get("tool")).get("uv")).get("sources"))
    own = {canonical(name) for name in sources}
    for wanted in _standard(data):
        if canonical(re.split(r"[\[<>=!~; @]", wanted.strip())[0]) not in own:
            yield wanted
    poetry = table(table(data.get("tool")).get("poetry"))
    groups = [table(group).get("dependencies") for group in table(poetry.get("group")).values()]
    for names in (poetry.get("dependencies"), poetry.get("dev-dependencies"), *groups):
        yield from _by_version(table(names))


def _standard(data: Mapping[str, object]) -> Iterator[str]:
    """What a pyproject.toml asks for where every tool looks."""
    project = table(data.get("project"))
    yield from strings(project.get("dependencies"))
    for group in (
        *table(project.get("optional-dependencies")).values(),
        *table(data.get("dependency-groups")).values(),
    ):
        yield from strings(group)


def _pipfile(text: str) -> Iterator[str]:
    data = tomli.loads(text)
    for group in ("packages", "dev-packages"):
        yield from _by_version(table(data.get(group)))


def _by_version(names: Mapping[str, object]) -> Iterator[str]:
    """Requirements of a table of names and versions. A caret's meaning is not pip's: it is left
    to the index to give the newest."""
    for name, version in names.items():
        if from_elsewhere(version):
            continue
        wanted = table(version).get("version", version)
        exact = isinstance(wanted, str) and re.match(r"[<>=!~]=|[<>]", wanted)
        yield f"{name}{wanted}" if exact else name


def _toml_lock(text: str) -> Iterator[str]:
    packages = tomli.loads(text).get("package")
    for package in packages if isinstance(packages, list) else ():
        entry = table(package)
        if lock_from_elsewhere(table(entry.get("source"))):
            continue
        yield f"{entry.get('name')}=={entry.get('version')}"


def _pipfile_lock(text: str) -> Iterator[str]:
    data = table(json.loads(text))
    for group in ("default", "develop"):
        for name, entry in table(data.get(group)).items():
            if not from_elsewhere(entry):
                yield f"{name}{table(entry).get('version', '')}"


def _setup_cfg(text: str) -> Iterator[str]:
    read = configparser.RawConfigParser(strict=False)
    try:
        read.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    asked = {name: dict(read.items(name)) if read.has_section(name) else {} for name in _SECTIONS}
    options, extras = asked.values()
    for wanted in (*(options.get(name, "") for name in _SETUP_KEYWORDS), *extras.values()):
        yield from _lines(wanted or "")


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
    """What is known to be called so in pip's index too: conda has names of its own."""
    for line in text.splitlines():
        pinned = _CONDA.fullmatch(line)
        plain = re.fullmatch(r"\s*-\s*([A-Za-z0-9][\w.-]*)\s*", line)
        found = pinned or plain
        if found and canonical(found[1]) in KNOWN:
            yield f"{found[1]}=={pinned[2]}" if pinned else found[1]


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
