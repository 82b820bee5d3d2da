"""Takes the folders of a repository out of where modules and programs are looked for: a `rich.py`
or a `git` beside the user is none of ours.

Imports nothing but what Python has loaded before: all else, `__future__` too, would be looked for
there.
"""

import os
import sys

PATH_OF_COMMANDS = "_SELFHEAL_PATH"
"""The variable that tells the local sandbox which PATH the user has."""


def forget_folders_of_repository() -> None:
    """Forget the current folder, and what PYTHONPATH names of the repository around it.

    An empty or relative element of PYTHONPATH is such a folder. The one that holds this package
    stays.
    """
    here = os.path.realpath(os.curdir)
    root = _root_around(here)
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    ours = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))  # noqa: PTH118, PTH120
    forgotten = {path for path in map(os.path.realpath, ("", *named)) if _is_below(path, root)}
    sys.path[:] = [path for path in sys.path if os.path.realpath(path) not in forgotten - {ours}]


def forget_programs_of_repository() -> None:
    """Forget the elements of PATH that are relative, empty, or below the repository around here:
    libraries look for programs there that nobody asked for.

    Only the commands of the local sandbox, which has no isolation, still get the others: an
    activated virtual environment may lie in the repository.
    """
    root = _root_around(os.path.realpath(os.curdir))
    parts = os.environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = [part for part in parts if os.path.isabs(part)]  # noqa: PTH117
    trusted = [part for part in absolute if not _is_below(os.path.realpath(part), root)]
    os.environ[PATH_OF_COMMANDS] = os.pathsep.join(absolute) or os.defpath
    os.environ["PATH"] = os.pathsep.join(trusted) or os.defpath


def _root_around(folder: str) -> str:
    """The folder with a `.git` around `folder`; itself where there is none."""
    at = folder
    while not os.path.exists(f"{at}/.git"):  # noqa: PTH110
        above = os.path.dirname(at)  # noqa: PTH120
        if above == at:
            return folder
        at = above
    return at


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
