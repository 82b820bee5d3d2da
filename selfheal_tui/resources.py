"""Where the data folders are: beside the package in a checkout, inside it in a wheel.

Refuses to look anywhere else: never in the worktree, never in the current folder.
"""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.errors import SelfhealError


def sandboxes_folder(package: Path | None = None) -> Path:
    """The folder of the built-in sandbox profiles. Raises SelfhealError when it is not there."""
    return _folder("sandboxes", package)


def themes_folder(package: Path | None = None) -> Path:
    """The folder of the built-in themes. Raises SelfhealError when it is not there."""
    return _folder("themes", package)


def _folder(name: str, package: Path | None) -> Path:
    # An installed package knows its own place; a caller names another one in tests only.
    package = package or Path(__file__).resolve().parent
    candidates = [package / "data" / name]
    if (package.parent / "pyproject.toml").is_file():
        # Only in a checkout: beside an installed package the same name is someone else's.
        candidates.append(package.parent / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise SelfhealError(f"the folder `{name}` is missing beside {package}; install selfheal again")
