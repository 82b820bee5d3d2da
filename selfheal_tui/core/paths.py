"""Which names may come out of a sandbox into a tree that git will check out somewhere.

A name is refused when any system could read it as leading out of the tree or into a `.git`:
Linux, macOS (which folds case and ignores some characters) and Windows (which cuts and shortens).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_DEPTH = 256
MAX_NAME = 255
MAX_PATH = 4096

_SHOWN = 200

_SIGNS = frozenset({"head", "objects", "refs", "commondir"})

_SHORT_NAME = re.compile(r"git~[0-9]+")

# What HFS+ leaves out when it compares names.
_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)


def named(path: str) -> str:
    """`path` for a sentence: in quotes, what cannot be printed escaped, a long one cut."""
    if len(path) > _SHOWN:
        path = f"{path[: _SHOWN // 2]}[...]{path[-_SHOWN // 2 :]}"
    return repr(path)


def fault_of(path: str) -> str | None:
    """Why `path` must not be a name in a tree, as the end of a sentence; None when it may."""
    if not path or "\0" in path:
        return "is not a name"
    if path.startswith("/"):
        return "is an absolute path"
    parts = path.split("/")
    if any(part in {"", "."} for part in parts):
        return "is not a plain path"
    if ".." in parts:
        return "leads out of the tree"
    if any(is_git_folder(part) for part in parts):
        return "is, or could be read as, a part of a .git folder"
    return _length_fault(path, parts)


def _length_fault(path: str, parts: list[str]) -> str | None:
    if len(parts) > MAX_DEPTH:
        return f"is more than {MAX_DEPTH} folders deep"
    if len(_bytes(path)) > MAX_PATH or any(len(_bytes(part)) > MAX_NAME for part in parts):
        return "is too long"
    return None


def is_git_folder(name: str) -> bool:
    """Whether some file system takes the one name `name` for `.git`."""
    # A backslash parts names on Windows.
    return any(_is_git(piece) for piece in name.split("\\"))


def _is_git(piece: str) -> bool:
    forms = {piece} if piece.isascii() else {piece, unicodedata.normalize("NFKC", piece)}
    for form in forms:
        plain = _plain(form)
        if plain == ".git" or _SHORT_NAME.fullmatch(plain):
            return True
    return False


def _plain(name: str) -> str:
    """The name as HFS+ and NTFS compare it."""
    # NTFS drops blanks and dots at the end, and what follows a colon is a stream of the file.
    return name.translate(_IGNORED).casefold().partition(":")[0].rstrip(" .")


def collision_in(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two of `paths`, or folders of theirs, that a case-folding file system takes for one."""
    seen: dict[str, str] = {}
    for path in paths:
        for name in _with_folders(path):
            first = seen.setdefault(folded(name), name)
            if first != name:
                return first, name
    return None


def folded(path: str) -> str:
    """The form under which file systems that fold case and accents compare names."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def bare_repository_in(paths: Iterable[str]) -> str | None:
    """A folder that git would take for a bare repository; `.` is the root of the tree."""
    signs: dict[str, set[str]] = {}
    for path in paths:
        for name in _with_folders(path):
            folder, _, last = name.rpartition("/")
            if sign := repository_sign(last):
                signs.setdefault(folder, set()).add(sign)
    found = sorted(folder for folder, names in signs.items() if _is_repository(names))
    return (found[0] or ".") if found else None


def repository_sign(name: str) -> str | None:
    """What of a repository some file system takes the one name `name` for; None for nothing."""
    form = name.casefold()
    if form not in _SIGNS and not (name.isascii() and name[-1:].isalnum() and ":" not in name):
        form = _plain(name)
    return form if form in _SIGNS else None


def _is_repository(signs: set[str]) -> bool:
    # A `commondir` names another folder for all but HEAD: one that shows no more than these.
    return "head" in signs and ("commondir" in signs or {"objects", "refs"} <= signs)


def _with_folders(path: str) -> Iterable[str]:
    """`a`, `a/b`, `a/b/c` for `a/b/c`."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
    yield path


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
