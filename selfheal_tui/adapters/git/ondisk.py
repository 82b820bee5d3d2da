"""Which files of the working tree are no longer what a tree says.

Asked again and again, so a file whose stamp has not moved is not read again. Starts no git for a
tree that is known.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from selfheal_tui.adapters.git.beneath import Beneath
from selfheal_tui.adapters.git.discovery import Facts
from selfheal_tui.adapters.git.objects import FOLDER, Entry, object_id
from selfheal_tui.adapters.git.shadow import ShadowRepository
from selfheal_tui.adapters.git.snapshot import SETTLED, mode_on_disk, stamp_of

_SOMETHING_ELSE = Entry(0, "")


class OnDisk:
    """The files below `root`, beside the trees of `shadow`."""

    def __init__(self, root: Path, facts: Facts, shadow: ShadowRepository) -> None:
        self._root = root
        self._facts = facts
        self._shadow = shadow
        self._seen: dict[str, tuple[tuple[int, ...], str]] = {}

    def changed(self, tree: str, paths: Iterable[str]) -> list[str]:
        """Those of `paths` whose bytes, mode or kind are not as `tree` has them, sorted.

        A file that is gone, or cannot be read, is one of them. Raises OSError only when there is
        no working tree at all.
        """
        entries = self._shadow.entries(tree)
        with Beneath(self._root) as root:
            return [
                path
                for path in sorted(paths)
                if not _fits(entries, path, self._entry(root, path, entries.get(path)))
            ]

    def _entry(self, root: Beneath, path: str, expected: Entry | None) -> Entry | None:
        try:
            status = root.status(path)
            if stat.S_ISDIR(status.st_mode):
                return Entry(FOLDER, "")
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                return _SOMETHING_ELSE
            mode = mode_on_disk(status, expected, self._facts)
            seen = self._seen.get(path)
            if seen and seen[0] == stamp_of(status):
                return Entry(mode, seen[1])
            link = stat.S_ISLNK(status.st_mode)
            content = root.link(path) if link else root.content(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError):
            return _SOMETHING_ELSE
        name = object_id("blob", content, self._facts.object_format)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED:
            self._seen[path] = stamp_of(status), name
        return Entry(mode, name)


def named(paths: Sequence[str]) -> str:
    """At most ten of the paths, for a sentence."""
    names = ", ".join(repr(path)[1:-1] for path in paths[:10])
    return names + (f" and {len(paths) - 10} more" if len(paths) > 10 else "")


def _fits(entries: dict[str, Entry], path: str, found: Entry | None) -> bool:
    expected = entries.get(path)
    if found is not None and found.mode == FOLDER:
        # A path that is to be a file may be a folder of the tree until then.
        return expected is None and any(name.startswith(f"{path}/") for name in entries)
    return found == expected
