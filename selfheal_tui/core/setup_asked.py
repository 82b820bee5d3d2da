"""A plain installing command of the model's, read as a set-up that can be asked for.

Pure. Reads only a single command with plain names: whatever a shell would do more with (a chain, a
variable, an address, a path, an option of ours) is none, and stays an ordinary command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from selfheal_tui.core.named_requirements import KNOWN, canonical, named_requirements
from selfheal_tui.core.setup_plan import install_packages, node_package_named

_PLAIN = re.compile(r"[\w@./:=<>!~\[\], '\"+-]+", re.ASCII)
_STARTS = (
    ("pip", ("pip", "install")),
    ("pip", ("pip3", "install")),
    ("pip", ("python", "-m", "pip", "install")),
    ("pip", ("python3", "-m", "pip", "install")),
    ("pip", ("uv", "pip", "install")),
    ("apt", ("apt-get", "install")),
    ("apt", ("apt", "install")),
    ("npm", ("npm", "install")),
    ("npm", ("npm", "i")),
    ("npm", ("npm", "add")),
)
_HARMLESS = frozenset(
    ("-q", "--quiet", "-U", "--upgrade", "--user", "--no-cache-dir", "-y", "--yes", "-D",
     "--no-install-recommends", "--save-dev", "--save", "-S", "--no-save", "--system")
)  # fmt: skip
_NAMES = {
    "pip": re.compile(
        r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,80}[A-Za-z0-9])?(?:\[[\w,.-]{1,80}\])?"
        r"(?:(?:[<>=!~]=|[<>])[\w.*+!-]{1,40},?){0,4}"
    ),
    # A minus at the end of a name would have apt remove the package.
    "apt": re.compile(r"[a-z0-9][a-z0-9.+-]{0,80}[a-z0-9+]"),
    "npm": re.compile(r"(?:@[a-z0-9][\w.-]{0,60}/)?[a-z0-9][\w.-]{0,60}(?:@[\w.^~-]{1,40})?"),
}


_FILES = (".whl", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".deb")
"""Ends of what an installer takes for a file of the tree, and not for a name."""


@dataclass(frozen=True)
class AskedSetup:
    """What was asked for: by `pip`, `apt` or `npm`, with names and versions."""

    by: str
    names: tuple[str, ...]

    @property
    def command(self) -> str:
        """The set-up command, in our own words."""
        if self.by == "apt":
            return install_packages(self.names)
        start = "pip install" if self.by == "pip" else "npm install --no-save --no-package-lock"
        return " ".join([start, *map(shlex.quote, self.names)])

    def unknown(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """The names that neither the user's tree of `files` nor our list knows, so that nobody
        can tell whose they are. A distribution's own packages of the system have one owner."""
        if self.by == "apt":
            return ()
        if self.by == "npm":
            return tuple(name for name in self.names if not node_package_named(_bare(name), files))
        known = KNOWN | named_requirements(files).keys()
        return tuple(
            name for name in self.names if canonical(re.split(r"[\[<>=!~]", name)[0]) not in known
        )


def asked_setup(command: str) -> AskedSetup | None:
    """The set-up that a command asks for; None for every other command."""
    if len(command) > 500 or not _PLAIN.fullmatch(command.strip()):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        # A quotation that does not end: the shell may say so.
        return None
    words = words[1:] if words[:1] == ["sudo"] else words
    # `apt-get -y install` says the same as `apt-get install -y`.
    plain = [word for word in words if word not in _HARMLESS]
    for by, start in _STARTS:
        names = plain[len(start) :]
        if tuple(plain[: len(start)]) == start and names:
            fits = all(_NAMES[by].fullmatch(one) and not one.endswith(_FILES) for one in names)
            return AskedSetup(by, tuple(names)) if fits else None
    return None


def _bare(name: str) -> str:
    """A package of npm without its version."""
    return name[0] + name[1:].split("@")[0]
