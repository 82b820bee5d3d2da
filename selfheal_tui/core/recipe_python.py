"""The part of a set-up recipe that a Python project asks for: uv, poetry or pip.

Lock files come first. Refuses to run or to import anything of the project.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import tomli

from selfheal_tui.core.recipe_parts import Folder, Malformed, Part, strings, table
from selfheal_tui.core.recipe_requirements import Requirements, read_requirements

_TEST_NAMES = ("test", "tests", "testing")
_DEV_NAMES = ("dev",)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_KEYED = ("pyproject.toml", "setup.py", "setup.cfg")

_NO_GIT = {
    "setuptools_scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "setuptools-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "pbr": "PBR_VERSION",
}
"""What takes a version from git, which is not in the build, and the variable that stands in."""


@dataclass(frozen=True)
class _Project:
    """What pyproject.toml, setup.cfg and setup.py say, as far as it matters here."""

    installable: bool = False
    poetry: bool = False
    dependencies: tuple[str, ...] = ()
    extras: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, object] = field(default_factory=dict)
    version_variables: tuple[str, ...] = ()

    @property
    def versions(self) -> str:
        """Assignments before a command that builds the project; empty or ending in a blank."""
        return "".join(f"{name}=0.0.0 " for name in self.version_variables)

    @property
    def target(self) -> str:
        """The project itself for pip, with the extras that its tests need."""
        extras = _wanted(self.extras)
        return f"-e {shlex.quote('.[' + ','.join(extras) + ']')}" if extras else "-e ."


def python_part(folder: Folder) -> Part | None:
    """Installs the project's dependencies and, where it is a package, the project itself."""
    project = _read_project(folder)
    keyed = folder.present(*_KEYED)
    if folder.has("uv.lock") and folder.has("pyproject.toml"):
        return Part("uv", _uv(project), (*keyed, *folder.present("uv.lock")))
    if project.poetry:
        return Part("poetry", _poetry(folder, project), (*keyed, *folder.present("poetry.lock")))
    requirements = read_requirements(folder)
    if requirements:
        files = tuple(folder.full(name) for name in requirements.files)
        installs = project.installable and not requirements.installs_project
        command = _pip_with(requirements, project) if installs else _pip(requirements.arguments)
        return Part("pip", command, (*files, *keyed) if project.installable else files)
    if project.installable:
        arguments = [project.target, *map(shlex.quote, _group_requirements(project))]
        return Part("pip", project.versions + _pip(arguments), keyed)
    needed = _plain_requirements(project)
    return Part("pip", _pip([shlex.quote(need) for need in needed]), keyed) if needed else None


def _uv(project: _Project) -> str:
    # The group `dev` is installed without being asked for.
    extras = "".join(f" --extra {name}" for name in _wanted(project.extras))
    groups = "".join(f" --group {name}" for name in _wanted(project.groups, _TEST_NAMES))
    sync = f"uv sync --frozen --inexact{extras}{groups}"
    return f"pip install uv && {project.versions}{sync}"


def _poetry(folder: Folder, project: _Project) -> str:
    # In an environment of its own: its dependencies are not the project's.
    start = "python3 -m venv /opt/poetry && /opt/poetry/bin/pip install poetry"
    extras = "".join(f" -E {name}" for name in _wanted(project.extras))
    if not folder.has("poetry.lock"):
        install = f"/opt/poetry/bin/poetry install --no-interaction{extras}"
        return f"{start} && {project.versions}{install}"
    # pip takes the user's own index and proxy, which poetry does not know of.
    groups = [name for name in project.groups if name.lower() in (*_TEST_NAMES, *_DEV_NAMES)]
    named = f" --with {','.join(groups)}" if groups else ""
    # pip cannot check the hash of what does not come from an index.
    plain = re.search(
        r'^type = "(?:git|directory|file|url)"', folder.text("poetry.lock"), re.MULTILINE
    )
    hashes = " --without-hashes" if plain else ""
    export = f"/opt/poetry/bin/poetry export{named}{extras}{hashes} -o /tmp/requirements.txt"
    itself = f" && {project.versions}{_pip(['--no-deps', '-e .'])}" if project.installable else ""
    return (
        f"{start} poetry-plugin-export && {export} && {_pip(['-r /tmp/requirements.txt'])}{itself}"
    )


def _pip_with(requirements: Requirements, project: _Project) -> str:
    if requirements.hashed:
        # pip takes nothing without a hash beside requirements that have one.
        first = _pip(requirements.arguments)
        return f"{first} && {project.versions}{_pip(['--no-deps', '-e .'])}"
    return project.versions + _pip([*requirements.arguments, project.target])


def _pip(arguments: Sequence[str]) -> str:
    return " ".join(["pip install", *arguments])


def _plain_requirements(project: _Project) -> tuple[str, ...]:
    """What a project that is not a package needs, all of it spelled out."""
    extras = [need for name in _wanted(project.extras) for need in project.extras[name]]
    needed = (*project.dependencies, *_group_requirements(project))
    return tuple(dict.fromkeys(_requirements([*needed, *extras])))


def _group_requirements(project: _Project) -> tuple[str, ...]:
    """The dependency groups for tests, spelled out: older pips cannot name a group."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(_wanted(project.groups))
    while waiting:
        name = waiting.pop(0)
        group = project.groups.get(name)
        if name in seen or not isinstance(group, list):
            continue
        seen.add(name)
        found.update(dict.fromkeys(_requirements(strings(group))))
        waiting += [str(table(item).get("include-group", "")) for item in group]
    return tuple(found)


def _requirements(candidates: Iterable[str]) -> tuple[str, ...]:
    """Those that can be a requirement, and not an option of pip."""
    stripped = (candidate.strip() for candidate in candidates)
    return tuple(need for need in stripped if need[:1].isalnum() and need.isprintable())


def _wanted(
    offered: Iterable[str], names: tuple[str, ...] = (*_TEST_NAMES, *_DEV_NAMES)
) -> tuple[str, ...]:
    """The names for tests; where there are none, those for development."""
    known = [name for name in offered if _NAME.fullmatch(name) and name.lower() in names]
    tests = [name for name in known if name.lower() in _TEST_NAMES]
    return tuple(tests or known)


def _read_project(folder: Folder) -> _Project:
    data = _pyproject(folder)
    project, tool = table(data.get("project")), table(data.get("tool"))
    poetry = table(tool.get("poetry"))
    extras = {
        **dict.fromkeys(_setup_extras(folder), ()),
        **dict.fromkeys(table(poetry.get("extras")), ()),
        **{
            name: strings(needs)
            for name, needs in table(project.get("optional-dependencies")).items()
        },
    }
    return _Project(
        installable=_installable(folder, data),
        poetry=_is_poetry(folder, data),
        dependencies=strings(project.get("dependencies")),
        extras=extras,
        groups=_groups(data, poetry),
        version_variables=_version_variables(folder),
    )


def _groups(data: dict[str, object], poetry: dict[str, object]) -> dict[str, object]:
    """The dependency groups by name. Only those of the common notation have readable content."""
    older = {"dev": None} if poetry.get("dev-dependencies") else {}
    known = {**older, **dict.fromkeys(table(poetry.get("group")))}
    safe = {name: None for name in known if _NAME.fullmatch(name)}
    return {**safe, **table(data.get("dependency-groups"))}


def _pyproject(folder: Folder) -> dict[str, object]:
    if not folder.has("pyproject.toml"):
        return {}
    try:
        return tomli.loads(folder.text("pyproject.toml"))
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise Malformed(f"{folder.full('pyproject.toml')} is not valid TOML: {error}") from error


def _is_poetry(folder: Folder, data: dict[str, object]) -> bool:
    if folder.has("poetry.lock") and folder.has("pyproject.toml"):
        return True
    # Without a lock poetry is only needed for what pip cannot read: groups in its own notation.
    poetry = table(table(data.get("tool")).get("poetry"))
    return bool(poetry.get("dependencies")) and not data.get("project")


def _installable(folder: Folder, data: dict[str, object]) -> bool:
    """Whether the project is a package that pip can install."""
    if table(table(data.get("tool")).get("poetry")).get("package-mode") is False:
        return False
    if folder.has("setup.py") or data.get("build-system"):
        return True
    project = table(data.get("project"))
    if not project:
        return False
    # Without a build system a pyproject.toml is as often an application that is run in place.
    name = re.sub(r"[-.]+", "_", str(project.get("name", ""))).lower()
    package = f"{name}/__init__.py"
    return folder.has("setup.cfg") or any(
        path in (package, f"src/{package}") for path in folder.below()
    )


def _setup_extras(folder: Folder) -> tuple[str, ...]:
    """The extras that setup.cfg names, and those for tests that setup.py seems to."""
    names: list[str] = []
    if folder.has("setup.cfg"):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(folder.text("setup.cfg"))
        except configparser.Error as error:
            reason = str(error).splitlines()[0]
            raise Malformed(f"{folder.full('setup.cfg')} cannot be read: {reason}") from error
        if parser.has_section("options.extras_require"):
            names += parser.options("options.extras_require")
    if folder.has("setup.py"):
        _, _, rest = folder.text("setup.py").partition("extras_require")
        candidates = (*_TEST_NAMES, *_DEV_NAMES)
        names += [name for name in candidates if re.search(rf"['\"]{name}['\"]\s*:", rest)]
    return tuple(dict.fromkeys(names))


def _version_variables(folder: Folder) -> tuple[str, ...]:
    texts = [folder.text(name) for name in _KEYED if folder.has(name)]
    return tuple(
        dict.fromkeys(
            variable
            for marker, variable in _NO_GIT.items()
            if any(re.search(rf"\b{marker}\b", text) for text in texts)
        )
    )
