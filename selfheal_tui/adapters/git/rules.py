"""Ignore rules and attributes of a tree, asked of git in a private folder of plain files.

The folder holds the tree's `.gitignore` and `.gitattributes` files and nothing else, so that
nothing the user has on disk, and no repository setting but the named ones, is in play.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfheal_tui.adapters.git.beneath import parts_of
from selfheal_tui.adapters.git.runner import Runner

_ASKED = ("filter", "working-tree-encoding")
_NONE = {"unspecified", "unset", ""}


class Rules:
    """Answers for one set of rule files at a time; files are rewritten when the set changes."""

    def __init__(self, git: Runner, worktree: Path) -> None:
        self._git = git
        self._worktree = worktree
        self._written: Mapping[str, bytes] | None = None
        self._lock = threading.Lock()

    def ignored(self, files: Mapping[str, bytes], paths: Sequence[str]) -> frozenset[str]:
        """Which of `paths` (of files, relative) are ignored by `files` and the user's own rules."""
        asked = _plain(paths)
        if not asked:
            return frozenset()
        with self._lock:
            self._lay_out(files)
            answer = self._git.call(
                "check-ignore",
                "-z",
                "--stdin",
                "--no-index",
                feed=_joined(asked, b"./"),
                accept=(0, 1),
            )
        return frozenset(os.fsdecode(path.removeprefix(b"./")) for path in answer.split(b"\0")[:-1])

    def filtered(self, files: Mapping[str, bytes], paths: Sequence[str]) -> dict[str, str]:
        """Which of `paths` have a filter or an encoding by attribute, and its name."""
        asked = _plain(paths)
        if not asked:
            return {}
        with self._lock:
            self._lay_out(files)
            answer = self._git.call("check-attr", "-z", "--stdin", *_ASKED, feed=_joined(asked))
        fields = [os.fsdecode(part) for part in answer.split(b"\0")[:-1]]
        triples = zip(fields[::3], fields[1::3], fields[2::3], strict=True)
        return {path: f"{name}={value}" for path, name, value in triples if value not in _NONE}

    def _lay_out(self, files: Mapping[str, bytes]) -> None:
        if files == self._written:
            return
        self._written = None
        shutil.rmtree(self._worktree, ignore_errors=True)
        self._worktree.mkdir(mode=0o700, parents=True)
        for path, content in files.items():
            if not _is_plain(path):
                continue
            target = self._worktree.joinpath(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self._written = dict(files)


def open_rules(
    git: Runner,
    worktree: Path,
    *,
    exclude: bytes,
    attributes: bytes,
    artifacts: Sequence[str],
) -> Rules:
    """Rules in the runner's folder. `exclude` and `attributes` are the user's `info/` files.

    `artifacts` are ignore patterns of what the sandbox's tools leave behind.
    """
    folder = git.folder
    if not (folder / "HEAD").exists():
        git.call("init", "--quiet", "--bare", "--template=")
    (folder / "info").mkdir(exist_ok=True)
    patterns = "".join(f"{pattern}\n" for pattern in artifacts).encode()
    (folder / "info" / "exclude").write_bytes(exclude + b"\n" + patterns)
    (folder / "info" / "attributes").write_bytes(attributes)
    worktree.mkdir(mode=0o700, parents=True, exist_ok=True)
    inside = git.adding(GIT_DIR=str(folder), GIT_WORK_TREE=str(worktree))
    return Rules(inside, worktree)


def _plain(paths: Sequence[str]) -> list[str]:
    """Without names that git would not take; they are nobody's to ignore."""
    return [path for path in paths if _is_plain(path)]


def _is_plain(path: str) -> bool:
    try:
        parts_of(path)
    except ValueError:
        return False
    return "\0" not in path


def _joined(paths: Sequence[str], before: bytes = b"") -> bytes:
    """Paths as git reads them with `-z`; `./` before them keeps a leading `:` from being magic."""
    return b"".join(before + os.fsencode(path) + b"\0" for path in paths)
