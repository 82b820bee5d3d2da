"""The set-up recipe: how a project's own files say that its dependencies come into an image.

Pure: reads only what it is handed. Refuses to guess a package name, and never fails on a file
that cannot be understood: that file is named in a warning and does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from selfheal_tui.core.recipe_native import cargo_part, go_part
from selfheal_tui.core.recipe_node import node_part
from selfheal_tui.core.recipe_parts import Folder, Malformed, Part
from selfheal_tui.core.recipe_python import python_part

PLACE = "sh /opt/selfheal/place"
"""Puts what a set-up wrote into the tree (node_modules, generated files) back into it."""

_MAX_FOLDERS = 4
_EXAMPLES = frozenset({"benchmarks", "demo", "demos", "example", "examples", "samples"})
_TESTS = frozenset({"fixtures", "test", "testdata", "tests"})
_NOT_PROJECTS = (
    _EXAMPLES
    | _TESTS
    | frozenset({"doc", "docs", "node_modules", "templates", "third_party", "vendor"})
)
"""Folders below the root whose manifests are not the project's own."""


@dataclass(frozen=True)
class Recipe:
    """One set-up. `command` runs once, with network, in the tree's root at /work.

    `place` runs at the start of each session, in the tree, as the session's user. `files` are
    the paths whose bytes decide whether a kept layer still fits.
    """

    name: str
    command: str
    place: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class FoundRecipe:
    """The recipe, if there is one, and a sentence for each file that could not be understood."""

    recipe: Recipe | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Language:
    """How one language's part is found; `tool` is what its command needs in the image.

    `optional` parts are left out with a line of output where the image has no such tool.
    """

    read: Callable[[Folder], Part | None]
    manifests: tuple[str, ...]
    tool: str
    optional: bool = False


_LANGUAGES = (
    _Language(
        python_part,
        ("pyproject.toml", "setup.py", "requirements.txt", "uv.lock", "poetry.lock"),
        "pip",
    ),
    _Language(node_part, ("package.json",), "npm"),
    _Language(go_part, ("go.mod",), "go", optional=True),
    _Language(cargo_part, ("Cargo.toml",), "cargo", optional=True),
)


def detect_recipe(files: Collection[str], read: Callable[[str], bytes]) -> Recipe | None:
    """The set-up recipe of a tree; None where its files ask for none."""
    return find_recipe(files, read).recipe


def find_recipe(files: Collection[str], read: Callable[[str], bytes]) -> FoundRecipe:
    """As `detect_recipe`, with a warning for each file that could not be understood.

    `files` are all paths of the tree; `read` gives the bytes of one of them. Never raises for
    what they hold.
    """
    tree = frozenset(files)
    found: list[tuple[_Language, Part]] = []
    warnings: list[str] = []
    for language in _LANGUAGES:
        for path in _folders(tree, language.manifests):
            try:
                part = language.read(Folder(tree, read, path))
            except Malformed as error:
                warnings.append(str(error))
                continue
            if part is not None:
                found.append((language, part.inside(path)))
    return FoundRecipe(_combined(found), tuple(warnings))


def _folders(tree: frozenset[str], manifests: tuple[str, ...]) -> list[str]:
    """The root when it holds a manifest, else the folders right below it that do."""
    if any(name in tree for name in manifests):
        return [""]
    if "requirements.txt" in manifests and any(name.startswith("requirements") for name in tree):
        return [""]
    parts = (path.split("/") for path in tree)
    below = {part[0] for part in parts if len(part) == 2 and part[1] in manifests}
    wanted = (name for name in below - _NOT_PROJECTS if not name.startswith((".", "-")))
    return sorted(wanted)[:_MAX_FOLDERS]


def _combined(found: list[tuple[_Language, Part]]) -> Recipe | None:
    if not found:
        return None
    several = len({id(language) for language, _ in found}) > 1
    commands = [
        _guarded(part.command, language.tool) if several or language.optional else part.command
        for language, part in found
    ]
    return Recipe(
        name=" + ".join(_unique(part.name for _, part in found)),
        command=" &&\n".join(commands),
        place=" && ".join([PLACE, *_unique(part.place for _, part in found if part.place)]),
        files=tuple(sorted({path for _, part in found for path in part.files})),
    )


def _guarded(command: str, tool: str) -> str:
    missing = f"{tool} is not in this image: its dependencies are not installed"
    return f"if command -v {tool} >/dev/null; then {command}; else echo '{missing}'; fi"


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
