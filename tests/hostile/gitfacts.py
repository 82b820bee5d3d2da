"""Facts of repositories that nobody trusts: their refs, their objects and their index, read without
their configuration. Refuses to start git in any of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NONE = "0" * 40


def refs_of(git_dir: Path) -> dict[str, str]:
    """Every ref with its value, `HEAD` too; a symbolic one as `ref: name`."""
    found: dict[str, str] = {}
    packed = git_dir / "packed-refs"
    lines = packed.read_text().splitlines() if packed.exists() else []
    for line in lines:
        if line and line[0] not in "#^":
            value, name = line.split(" ", 1)
            found[name] = value
    for file in sorted((git_dir / "refs").rglob("*")):
        if file.is_file() and not file.name.endswith(".lock"):
            found[str(file.relative_to(git_dir))] = file.read_text().strip()
    head = git_dir / "HEAD"
    if head.is_file():
        found["HEAD"] = head.read_text().strip()
    return found


@dataclass(frozen=True)
class Commit:
    """A commit as its object has it. `parent` is the first one, empty for none."""

    tree: str
    parent: str
    message: str


class Objects:
    """Reads the objects of `git_dir` through an empty repository in `scratch`."""

    def __init__(self, git_dir: Path, scratch: Path) -> None:
        self._empty = scratch / "empty.git"
        self._objects = git_dir / "objects"
        if not self._empty.exists():
            self._git("init", "-q", "--bare", str(self._empty), bare=False)

    def commit(self, name: str) -> Commit | None:
        """The commit of this id; None where there is none."""
        raw = self._git("cat-file", "commit", name)
        if raw is None:
            return None
        head, _, message = raw.decode("utf-8", "surrogateescape").partition("\n\n")
        fields = [line.split(" ", 1) for line in head.splitlines() if " " in line]
        parents = [value for name, value in fields if name == "parent"]
        tree = next(value for name, value in fields if name == "tree")
        return Commit(tree, parents[0] if parents else "", message)

    def has(self, name: str) -> bool:
        return self._git("cat-file", "-e", f"{name}^{{tree}}") is not None

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self._git("merge-base", "--is-ancestor", older, newer) is not None

    def changed(self, older: str, newer: str) -> set[str]:
        """Paths that differ between two trees (empty id: no tree)."""
        if not older:
            raw = self._git("ls-tree", "-r", "-z", "--name-only", newer)
        else:
            raw = self._git("diff-tree", "-r", "-z", "--name-only", "--no-renames", older, newer)
        assert raw is not None, f"no trees {older} and {newer}"
        return {os.fsdecode(name) for name in raw.split(b"\0") if name}

    def everything(self) -> bytes:
        """The content of every object, one after the other."""
        shape = "--batch-all-objects"
        raw = self._git("cat-file", shape, "--batch", "--unordered", "--buffer")
        return raw or b""

    def index(self, file: Path) -> dict[str, str]:
        """The entries of a copy of an index: `mode id stage` by path; empty for no file."""
        if not file.exists():
            return {}
        copy = self._empty / "index-looked-at"
        shutil.copyfile(file, copy)
        raw = self._git("ls-files", "-s", "-z", GIT_INDEX_FILE=str(copy))
        assert raw is not None, f"{file} is no index"
        entries = [os.fsdecode(entry).split("\t", 1) for entry in raw.split(b"\0") if entry]
        return {path: facts for facts, path in entries}

    def _git(self, *arguments: str, bare: bool = True, **environment: str) -> bytes | None:
        """What git prints with nothing of anybody's configuration; None where it fails."""
        own = {"GIT_DIR": str(self._empty), "GIT_OBJECT_DIRECTORY": str(self._objects)}
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=self._empty if bare else self._empty.parent,
            env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
            | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_NO_REPLACE_OBJECTS": "1"}
            | (own if bare else {})
            | environment,
            capture_output=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None
