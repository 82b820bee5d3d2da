"""Whether a project takes distributions from another place than the public index.

Where it does, a name of its files says nothing on who owns that name in the public index, so it
vouches for nothing there. Pure; what cannot be read names no place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from selfheal_tui.core.recipe_parts import strings, table

PUBLIC = re.compile(r"https://pypi\.(?:org|python\.org)/(?:simple|pypi)/?")

_ELSEWHERE = frozenset(
    ("git", "hg", "svn", "path", "file", "url", "editable", "virtual", "directory", "workspace",
     "source")
)  # fmt: skip
_OPTION = re.compile(
    r"^[ \t]*(?:-i|-f|--(?:extra-)?index-url|--find-links)[ \t]*=?[ \t]*(\S+)", re.MULTILINE
)


def from_elsewhere(entry: object) -> bool:
    """Whether a table of Poetry, Pipenv or uv for one distribution names a place of its own."""
    told = table(entry)
    index = told.get("index", "pypi")
    return bool(_ELSEWHERE & told.keys()) or index != "pypi"


def lock_from_elsewhere(source: Mapping[str, object]) -> bool:
    """The same for the `source` of a package in a lock file."""
    registry = source.get("registry")
    if isinstance(registry, str) and not PUBLIC.fullmatch(registry):
        return True
    return bool(source.get("type") or _ELSEWHERE & source.keys())


def text_names_index(text: str) -> bool:
    """Whether an option of a requirements file names another index, or a folder of files."""
    return any(not PUBLIC.fullmatch(found[1]) for found in _OPTION.finditer(text))


def table_names_index(data: Mapping[str, object]) -> bool:
    """The same for a pyproject.toml or a Pipfile."""
    return any(url and not PUBLIC.fullmatch(url) for url in _urls(data))


def _urls(data: Mapping[str, object]) -> Iterator[str]:
    tool = table(data.get("tool"))
    uv, poetry, pdm = (table(tool.get(name)) for name in ("uv", "poetry", "pdm"))
    for places in (data.get("source"), uv.get("index"), poetry.get("source"), pdm.get("source")):
        for place in places if isinstance(places, list) else ():
            yield str(table(place).get("url") or "")
    yield str(uv.get("index-url") or "")
    for name in ("extra-index-url", "find-links"):
        yield from strings(uv.get(name))
