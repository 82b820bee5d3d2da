"""The session's private bare repository: every tree of the session, and their differences.

It borrows the user's objects (alternates) and has none of the user's settings: no filter, no
driver, no hook and no ignore file of anybody is looked at here.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.adapters.git.names import check_change
from selfheal_tui.adapters.git.objects import (
    FOLDER,
    GITLINK,
    Difference,
    Entry,
    empty_tree,
    list_differences,
    list_tree,
    object_id,
    quoted,
    read_blobs,
)
from selfheal_tui.adapters.git.rules import Rules
from selfheal_tui.adapters.git.runner import Conversation, Runner
from selfheal_tui.adapters.git.threads import in_thread
from selfheal_tui.core.tree import TreeChange, TreeFile
from selfheal_tui.errors import RepositoryRefused

ATTRIBUTES = "* -filter !diff !merge -ident -text -working-tree-encoding\n"
"""Highest in git's order: whatever a tree's `.gitattributes` says has no effect in the shadow."""

CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = true
\tfilemode = true
\tlogAllRefUpdates = false
\tprotectHFS = true
\tprotectNTFS = true
\tcompression = 1
\tlooseCompression = 1
[pack]
\tcompression = 1
[gc]
\tauto = 0
"""


@dataclass(frozen=True)
class Put:
    """Make `path` an object that the repositories hold already."""

    path: str
    entry: Entry


@dataclass(frozen=True)
class Write:
    """Make `path` a file with these bytes."""

    file: TreeFile


@dataclass(frozen=True)
class Drop:
    """Take `path` out; nothing happens when it is not there."""

    path: str


Piece = Put | Write | Drop


class ShadowRepository:
    """Fits `agent.ports.Shadow`. The methods without `async` block; threads may share it."""

    def __init__(self, git: Runner, object_format: str, rules: Rules) -> None:
        self.git = git
        self.object_format = object_format
        self.empty_tree = empty_tree(object_format)
        self._rules = rules
        self._writing = threading.Lock()
        self._remembering = threading.Lock()
        self._known: dict[str, dict[str, Entry]] = {}
        self._last_rules: tuple[dict[str, str], dict[str, bytes]] = ({}, {})

    # --- agent.ports.Shadow

    async def apply(self, tree: str, change: TreeChange) -> str:
        """The tree that `change` makes of `tree`. Raises TreeRejected on a bad name."""
        return await in_thread(self.applied, tree, change)

    async def change(self, old: str, new: str) -> TreeChange:
        """What leads from `old` to `new`, with content. Submodules are not part of it."""
        return await in_thread(self.changes, old, new)

    async def files(self, tree: str) -> tuple[TreeFile, ...]:
        """All files of `tree`, without submodules."""
        return await in_thread(self.all_files, tree)

    async def patch(self, old: str, new: str) -> str:
        """A unified diff in git's format; binary files are only named, bad UTF-8 is replaced."""
        return await in_thread(self.unified, old, new)

    async def ignored(self, tree: str, paths: Sequence[str], *, held: str = "") -> frozenset[str]:
        """Which of `paths` the ignore rules of `tree` (and the user's own) leave out."""
        return await in_thread(self.left_out, tree, paths, held or tree)

    async def close(self) -> None:
        """Forget what is cached. The repository stays, for `--resume`."""
        with self._remembering:
            self._known.clear()

    # --- the same, blocking

    def applied(self, tree: str, change: TreeChange) -> str:
        before = self.entries(tree)
        check_change(before.keys(), change)
        drops = (Drop(path) for path in change.deleted)
        writes = (Write(file) for file in change.written)
        made = self.store(tree, itertools.chain(drops, writes))
        self._remember(made, self._after(before, change))
        return made

    def changes(self, old: str, new: str) -> TreeChange:
        differences = [d for d in self.differences(old, new) if not _is_gitlink(d)]
        after = {d.path: d.new for d in differences if d.new}
        return TreeChange(
            written=self._with_content(after),
            deleted=tuple(d.path for d in differences if not d.new),
        )

    def all_files(self, tree: str) -> tuple[TreeFile, ...]:
        entries = self.entries(tree)
        return self._with_content({p: e for p, e in entries.items() if e.mode != GITLINK})

    def unified(self, old: str, new: str) -> str:
        return self.git.call(
            "diff-tree",
            "-r",
            "-p",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-renames",
            "--full-index",
            "--ignore-submodules=all",
            old,
            new,
        ).decode("utf-8", "replace")

    def left_out(self, tree: str, paths: Sequence[str], held: str) -> frozenset[str]:
        there = self.entries(held)
        asked = [path for path in paths if path not in there]
        return self._rules.ignored(self._rule_files(self.entries(tree)), asked)

    # --- for this package

    def filtered(self, tree: str, paths: Sequence[str]) -> dict[str, str]:
        """Which of `paths` have a filter or an encoding by attribute in `tree`, and which one."""
        return self._rules.filtered(self._rule_files(self.entries(tree)), paths)

    def entries(self, tree: str) -> dict[str, Entry]:
        """Every path of `tree`; not to be changed. The last few are remembered."""
        known = self._known.get(tree)
        return self._remember(tree, list_tree(self.git, tree)) if known is None else known

    def differences(self, old: str, new: str, *options: str) -> list[Difference]:
        return list(list_differences(self.git, old, new, *options))

    def blobs(self, ids: Iterable[str]) -> dict[str, bytes]:
        return read_blobs(self.git, ids)

    def store(self, base: str, pieces: Iterable[Piece]) -> str:
        """The tree that `pieces`, in their order, make of `base`. Nothing runs for no piece."""
        pieces = iter(pieces)
        first = next(pieces, None)
        if first is None:
            return base
        with (
            self._writing,
            self.git.talk("fast-import", "--quiet", "--force", "--done", "--depth=0") as importer,
        ):
            importer.say(
                b"commit refs/selfheal/tree\ncommitter selfheal <> 0 +0000\ndata 0\n\n"
                + f'M {FOLDER:06o} {base} ""\n'.encode()
            )
            for piece in itertools.chain((first,), pieces):
                _feed(importer, piece)
            importer.say(b'ls ""\n')
            answer = importer.hear().split()
            importer.say(b"done\n")
        if len(answer) < 3:
            raise RepositoryRefused("git fast-import gave no tree; the state folder may be damaged")
        return answer[2].decode()

    def _with_content(self, entries: dict[str, Entry]) -> tuple[TreeFile, ...]:
        blobs = self.blobs(entry.id for entry in entries.values())
        return tuple(TreeFile(path, entry.mode, blobs[entry.id]) for path, entry in entries.items())

    def _after(self, before: dict[str, Entry], change: TreeChange) -> dict[str, Entry]:
        """The entries that `change` leaves, without asking git."""
        gone = set(change.deleted)
        after = {path: entry for path, entry in before.items() if path not in gone}
        for file in change.written:
            name = object_id("blob", file.content, self.object_format)
            after[file.path] = Entry(file.mode, name)
        return after

    def _remember(self, tree: str, entries: dict[str, Entry]) -> dict[str, Entry]:
        with self._remembering:
            self._known[tree] = entries
            while len(self._known) > 6:
                self._known.pop(next(iter(self._known)))
        return entries

    def _rule_files(self, entries: dict[str, Entry]) -> dict[str, bytes]:
        wanted = {
            path: entry.id
            for path, entry in entries.items()
            if path.endswith((".gitignore", ".gitattributes"))
            and path.rpartition("/")[2] in {".gitignore", ".gitattributes"}
            and entry.mode & 0o170000 == 0o100000
        }
        known, files = self._last_rules
        if wanted != known:
            blobs = self.blobs(wanted.values())
            files = {path: blobs[name] for path, name in wanted.items()}
            self._last_rules = wanted, files
        return files


def open_shadow(git: Runner, objects: Path, object_format: str, rules: Rules) -> ShadowRepository:
    """The shadow repository in the runner's folder, made when it is not there.

    `objects` is the object folder of the user's repository, which is only read.
    """
    folder = git.folder
    if not (folder / "HEAD").exists():
        git.call("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}")
    version = 1 if object_format == "sha256" else 0
    config = CONFIG.format(version=version)
    if version:
        config += f"[extensions]\n\tobjectFormat = {object_format}\n"
    (folder / "config").write_text(config, encoding="utf-8")
    (folder / "info").mkdir(exist_ok=True)
    (folder / "info" / "attributes").write_text(ATTRIBUTES, encoding="utf-8")
    (folder / "objects" / "info").mkdir(exist_ok=True)
    alternates = folder / "objects" / "info" / "alternates"
    alternates.write_bytes(_alternate(objects))
    return ShadowRepository(git, object_format, rules)


def _alternate(objects: Path) -> bytes:
    """A line of the alternates file; git unquotes it, so that a newline in a path is safe."""
    return quoted(str(objects)) + b"\n"


def _feed(importer: Conversation, piece: Piece) -> None:
    match piece:
        case Drop(path):
            importer.say(b"D " + quoted(path) + b"\n")
        case Put(path, entry):
            importer.say(f"M {entry.mode:06o} {entry.id} ".encode() + quoted(path) + b"\n")
        case Write(file):
            head = f"M {file.mode:06o} inline ".encode() + quoted(file.path)
            importer.say(head + f"\ndata {len(file.content)}\n".encode())
            importer.say(file.content)
            importer.say(b"\n")


def _is_gitlink(difference: Difference) -> bool:
    return any(e is not None and e.mode == GITLINK for e in (difference.old, difference.new))
