"""The environments that git runs in, each built from scratch out of a few of the host's variables.

Refuses a git program, or a folder of PATH, that lies in the worktree.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from selfheal_tui.errors import RepositoryRefused

_NETWORK_VARIABLES = (
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "USER",
    "LOGNAME",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def find_git(environment: Mapping[str, str], worktree: Path) -> str:
    """The git program on the user's PATH, never one inside `worktree`."""
    found = shutil.which("git", path=safe_path(environment, worktree))
    if found is None:
        raise RepositoryRefused("git is not installed, or not on your PATH")
    return found


def safe_path(environment: Mapping[str, str], worktree: Path) -> str:
    """PATH without relative folders and without folders of `worktree`."""
    inside = os.path.realpath(worktree)
    kept = [
        part
        for part in environment.get("PATH", os.defpath).split(os.pathsep)
        if Path(part).is_absolute() and not is_within(os.path.realpath(part), inside)
    ]
    return os.pathsep.join(kept)


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it. Both are absolute and without links."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def local_environment(host: Mapping[str, str], worktree: Path) -> dict[str, str]:
    """The environment for commands that read the user's own settings and no network."""
    environment = {"PATH": safe_path(host, worktree), **_fixed_variables()}
    for name in ("HOME", "XDG_CONFIG_HOME"):
        if host.get(name):
            environment[name] = host[name]
    return environment


def private_environment(host: Mapping[str, str], worktree: Path, home: Path) -> dict[str, str]:
    """The environment for the shadow: nobody's settings but those of this package."""
    return {
        "PATH": safe_path(host, worktree),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **_fixed_variables(),
    }


def network_environment(host: Mapping[str, str], worktree: Path) -> dict[str, str]:
    """The environment for a push: the user's own settings, key agent and proxies."""
    environment = local_environment(host, worktree)
    environment["GIT_ALLOW_PROTOCOL"] = "https:http:ssh:file"
    names = (*_NETWORK_VARIABLES, *_PROXIES, *(name.upper() for name in _PROXIES))
    return environment | {name: host[name] for name in names if host.get(name)}


def _fixed_variables() -> dict[str, str]:
    return {
        "LANG": "C",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
    }
