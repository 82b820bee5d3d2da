"""From what a check's environment lacks to the set-up command that brings it.

Pure. A name that neither the project's own files nor our list knows is guessed only where somebody
looks at the command before it runs: whoever registers a name runs their code in the set-up. What
the project itself defines is never looked for outside of it.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from selfheal_tui.core.environment import INTERPRETER, LIBRARY, MODULE, Missing
from selfheal_tui.core.named_requirements import canonical, named_requirements
from selfheal_tui.core.recipe import find_recipe
from selfheal_tui.core.recipe_node import node_part
from selfheal_tui.core.recipe_parts import Folder, Malformed, table
from selfheal_tui.core.setup_names import (
    DISTRIBUTIONS,
    LIBRARIES,
    NODE_TOOLS,
    PROGRAMS,
    SAME,
    TOOLS,
)

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?")
_NODE_NAME = re.compile(r"(?:@[a-z0-9][\w.-]{0,60}/)?[a-z0-9][\w.-]{0,60}", re.ASCII)
_NODE_VERSIONS = re.compile(r"[\w.^~<>=| *-]{0,60}", re.ASCII)
"""Versions of the registry; whatever has a colon or a slash comes from elsewhere."""
_NODE_NEEDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_AS_NAMED = ("{}", "python-{}", "{}-python", "py{}", "django-{}", "flask-{}")
"""How a distribution that the project's files name may be called after its module."""

_LEFT_PYTHON = frozenset(
    ("asynchat", "asyncore", "binhex", "cgi", "cgitb", "crypt", "formatter", "imghdr", "imp",
     "lib2to3", "nntplib", "parser", "pipes", "smtpd", "sndhdr", "symbol", "telnetlib", "tkinter")
)  # fmt: skip
"""Modules that were part of Python once, or that some builds of it lack."""


@dataclass(frozen=True)
class SetupPlan:
    """What to do about what is missing. `command` is empty where nothing can be done.

    `brings` are those things that the command is to bring; `reason` says why it is proposed;
    `left` are sentences on what cannot be brought.
    """

    command: str
    reason: str
    brings: tuple[Missing, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Step:
    """One thing and what brings it: by `apt`, `pip`, or a whole command of its own (`run`)."""

    missing: Missing
    by: str
    what: str
    why: str


def plan_setup(
    missing: Iterable[Missing], files: Mapping[str, bytes], own: Collection[str], *, guess: bool
) -> SetupPlan:
    """The set-up command for what is `missing`.

    `files` are the user's untouched tree, whose word on names and versions counts; `own` the
    paths of the tree as it is now. With `guess` a module's own name may stand for what brings it.
    """
    named = named_requirements(files)
    steps: list[_Step] = []
    left: list[str] = []
    for thing in missing:
        found = _step(thing, files, own, named, guess)
        if isinstance(found, str):
            left.append(f"{thing.words} is missing: {found}")
        else:
            steps.append(found)
    return SetupPlan(
        " &&\n".join(_commands(steps)),
        "; ".join(dict.fromkeys(f"{step.missing.words} is missing, {step.why}" for step in steps)),
        tuple(step.missing for step in steps),
        tuple(left),
    )


def _step(
    thing: Missing,
    files: Mapping[str, bytes],
    own: Collection[str],
    named: Mapping[str, str],
    guess: bool,
) -> _Step | str:
    """What brings one thing; or why nothing does, as the end of a sentence."""
    if thing.kind == INTERPRETER:
        return (
            "a set-up command cannot change the interpreter;"
            " name an image that has it with --image, or a sandbox with --sandbox"
        )
    if thing.kind == LIBRARY:
        return _library(thing)
    if thing.kind != MODULE:
        return _program(thing, files, named)
    if thing.language == "python":
        return _python(thing, own, named, guess)
    if thing.language == "node":
        return _node(thing, files, guess)
    return "no set-up command is known that brings it"


# --- Python --------------------------------------------------------------------------------


def _python(
    thing: Missing, own: Collection[str], named: Mapping[str, str], guess: bool
) -> _Step | str:
    name = thing.name
    if _defined(name, own):
        return "the project itself defines a module of this name"
    if name in sys.stdlib_module_names | _LEFT_PYTHON and name not in DISTRIBUTIONS:
        return (
            "it is part of Python itself, so no distribution brings it;"
            " name an image with another Python with --image"
        )
    known = DISTRIBUTIONS.get(name) or (name if name in SAME else "")
    for candidate in ([known] if known else []) + [form.format(name) for form in _AS_NAMED]:
        requirement = named.get(canonical(re.split("[<>=]", candidate)[0]))
        if requirement:
            return _Step(thing, "pip", requirement, "the project's own files name it")
    if known:
        return _Step(thing, "pip", known, f"{known} brings it")
    if not _DISTRIBUTION.fullmatch(name):
        return "its name is no name of a distribution"
    if not guess:
        return (
            "which distribution brings it is not known, and nobody is there to look at a guess;"
            " name it in the project's requirements, or keep the command with"
            " `selfheal config --add-setup 'pip install ...'`"
        )
    return _Step(thing, "pip", name, f"and that {name} brings it is a GUESS: look at the name")


def _defined(name: str, own: Collection[str]) -> bool:
    """Whether a file or a folder with Python files of the tree has this name."""
    for path in own:
        if path.endswith((".py", ".pyi", ".pyx", ".so")):
            *folders, last = path.split("/")
            if name in folders or last.split(".")[0] == name:
                return True
    return False


# --- Node ----------------------------------------------------------------------------------


def _node(thing: Missing, files: Mapping[str, bytes], guess: bool) -> _Step | str:
    name = thing.name
    if not is_node_name(name):
        return "its name is no name of a package"
    found = _node_named(name, files)
    if found is not None:
        return _Step(thing, "run", found, "the project's package.json names it")
    if not guess:
        return "the project's package.json does not name it"
    command = f"npm install --no-save --no-package-lock {shlex.quote(name)}"
    return _Step(thing, "run", command, "and that the package of its name is meant is a GUESS")


def is_node_name(name: str) -> bool:
    """Whether npm takes this for a package's name, and not for a file's."""
    return bool(_NODE_NAME.fullmatch(name)) and not name.endswith((".tgz", ".tar", ".tar.gz"))


def node_package_named(name: str, files: Mapping[str, bytes]) -> bool:
    """Whether a package.json of the tree names this package of the registry, and none another
    place for it."""
    found = [versions for _, versions in _node_asked(name, files)]
    return bool(found) and all(map(_NODE_VERSIONS.fullmatch, found))


def _node_named(name: str, files: Mapping[str, bytes]) -> str | None:
    """The command that installs what a package.json names so; None where none does."""
    for path, versions in _node_asked(name, files):
        return _node_command(name, versions, posixpath.dirname(path), files)
    return None


def _node_asked(name: str, files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Each package.json that asks for the package, the nearest first, with the versions."""
    paths = (path for path in files if posixpath.basename(path) == "package.json")
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        if "node_modules" in path.split("/"):
            continue
        versions = _node_versions(name, files[path])
        if versions is not None:
            yield path, versions


def _node_versions(name: str, content: bytes) -> str | None:
    try:
        package = table(json.loads(content))
    except (ValueError, RecursionError):
        # It names nothing that could be understood.
        return None
    for needs in _NODE_NEEDS:
        versions = table(package.get(needs)).get(name)
        if isinstance(versions, str):
            return versions
    return None


def _node_command(name: str, versions: str, folder: str, files: Mapping[str, bytes]) -> str | None:
    """Everything that the folder's files name; only the one, where that was done already. None
    for the one where it does not come from the registry: there its name may be somebody else's."""
    try:
        part = node_part(Folder(frozenset(files), files.__getitem__, folder))
    except Malformed:
        part = None
    done = find_recipe(files, files.__getitem__).recipe
    if part is not None and not (done and part.inside(folder).command in done.command):
        return part.inside(folder).command
    if not _NODE_VERSIONS.fullmatch(versions):
        return None
    version = f"@{versions}" if versions.strip() else ""
    command = f"npm install --no-save --no-package-lock {shlex.quote(name + version)}"
    return f"(cd {shlex.quote(folder)} && {command})" if folder else command


# --- programs and libraries ----------------------------------------------------------------


def _program(thing: Missing, files: Mapping[str, bytes], named: Mapping[str, str]) -> _Step | str:
    if thing.name in NODE_TOOLS:
        command = _node_named(NODE_TOOLS[thing.name], files)
        if command is not None:
            return _Step(thing, "run", command, "the project's package.json names it")
    if thing.name in TOOLS:
        tool = TOOLS[thing.name]
        return _Step(thing, "pip", named.get(canonical(tool), tool), f"{tool} brings it")
    if thing.name in PROGRAMS:
        package = PROGRAMS[thing.name]
        return _Step(thing, "apt", package, f"the system's package {package} brings it")
    return (
        "which package brings it is not known; keep the command that installs it with"
        " `selfheal config --add-setup 'apt-get ...'`, or name an image that has it with --image"
    )


def _library(thing: Missing) -> _Step | str:
    package = LIBRARIES.get(thing.name)
    if package is None:
        return "which package brings it is not known; name an image that has it with --image"
    return _Step(thing, "apt", package, f"the system's package {package} brings it")


def _commands(steps: Collection[_Step]) -> list[str]:
    """The commands in the order in which one may need the other: the system's packages first."""
    apt = list(dict.fromkeys(step.what for step in steps if step.by == "apt"))
    pip = list(dict.fromkeys(step.what for step in steps if step.by == "pip"))
    commands = []
    if apt:
        commands.append(install_packages(apt))
    if pip:
        commands.append(" ".join(["pip install", *map(shlex.quote, pip)]))
    return [*commands, *dict.fromkeys(step.what for step in steps if step.by == "run")]


def install_packages(packages: Iterable[str]) -> str:
    """The command that installs packages of the system and leaves none of its lists behind."""
    # apt's own user for downloads needs capabilities that a set-up's container does not have.
    return (
        "apt-get -o APT::Sandbox::User=root update && "
        "apt-get -o APT::Sandbox::User=root install -y --no-install-recommends "
        + " ".join(packages)
        + " && rm -rf /var/lib/apt/lists/*"
    )
