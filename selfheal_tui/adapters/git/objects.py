"""Git's own notations: object ids, tree listings, raw differences, quoted paths.

Pure but for `read_blobs` and the two listings, which ask the shadow repository.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfheal_tui.adapters.git.runner import Runner
from selfheal_tui.errors import RepositoryRefused

GITLINK = 0o160000
FOLDER = 0o040000


@dataclass(frozen=True)
class Entry:
    """A path's mode and object id in a tree or an index."""

    mode: int
    id: str


@dataclass(frozen=True)
class Difference:
    """One path that differs between two trees; None for the side that does not have it."""

    path: str
    old: Entry | None
    new: Entry | None


def zeros(object_format: str) -> str:
    """The id that means "no object"."""
    return "0" * (64 if object_format == "sha256" else 40)


def is_zeros(object_id: str) -> bool:
    return not object_id.strip("0")


def object_id(kind: str, content: bytes, object_format: str) -> str:
    """The id that git gives to `content` as an object of `kind`."""
    digest = hashlib.new(object_format, f"{kind} {len(content)}\0".encode(), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def empty_tree(object_format: str) -> str:
    return object_id("tree", b"", object_format)


def quoted(path: str) -> bytes:
    """A path in git's C-style quotes, safe for any byte but NUL."""
    escaped = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + escaped.replace(b"\n", b"\\n") + b'"'


def list_tree(shadow: Runner, tree: str) -> dict[str, Entry]:
    """Every file of `tree`, gitlinks too, by path."""
    listing = shadow.call("ls-tree", "-r", "-z", "--full-tree", tree)
    entries = {}
    for record in listing.split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        mode, _, name = head.split(b" ")
        entries[os.fsdecode(path)] = Entry(int(mode, 8), name.decode())
    return entries


def list_differences(shadow: Runner, old: str, new: str, *options: str) -> Iterator[Difference]:
    """The paths that differ from tree `old` to tree `new`; with `-t` the folders too."""
    listing = shadow.call(
        "diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", *options, old, new
    )
    fields = iter(listing.split(b"\0")[:-1])
    for head in fields:
        old_mode, new_mode, old_id, new_id, _ = head.lstrip(b":").decode().split(" ")
        yield Difference(
            os.fsdecode(next(fields)), _entry(old_mode, old_id), _entry(new_mode, new_id)
        )


def _entry(mode: str, name: str) -> Entry | None:
    return None if is_zeros(name) else Entry(int(mode, 8), name)


def read_blobs(shadow: Runner, ids: Iterable[str]) -> dict[str, bytes]:
    """The content of blobs by id. Raises RepositoryRefused when one is missing."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    answer = shadow.call(
        "cat-file", "--batch", "--buffer", feed=b"".join(f"{i}\n".encode() for i in wanted)
    )
    contents, at = {}, 0
    for name in wanted:
        end = answer.index(b"\n", at)
        head = answer[at:end].split(b" ")
        if len(head) != 3 or head[1] != b"blob":
            raise RepositoryRefused(
                f"the repository lacks the object {name}; `git fsck` tells what is damaged"
            )
        start, size = end + 1, int(head[2])
        contents[name] = answer[start : start + size]
        at = start + size + 1
    return contents
