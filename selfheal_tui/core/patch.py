"""A unified diff in git's format as values: files, hunks, lines.

Hunks are read by unidiff; the headers of a file are read here, because names may hold anything.
Refuses (ValueError) what is not such a diff; whatever a repository can hold gives values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

_SECTION = re.compile(r"^diff --git ", re.MULTILINE)
_ESCAPE = re.compile(r'\\([abtnvfr"\\]|[0-7]{3})')
_ESCAPES = dict(zip("abtnvfr", "\a\b\t\n\v\f\r", strict=True))
_LINK = "120000"


@dataclass(frozen=True)
class Line:
    """One line of a hunk. `sign` is ` `, `+` or `-`; numbers count from 1, None on the other side.

    `text` has no newline at its end; `newline` is false for a last line without one.
    """

    sign: str
    text: str
    old: int | None
    new: int | None
    newline: bool = True


@dataclass(frozen=True)
class Hunk:
    """Lines that changed together. `header` is the `@@` line."""

    header: str
    old_start: int
    new_start: int
    lines: tuple[Line, ...]

    @property
    def added(self) -> int:
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.sign == "-" for line in self.lines)


@dataclass(frozen=True)
class FileDiff:
    """One file of a patch. `kind` is added, deleted, modified, mode (nothing but the permissions),
    binary (content that is not shown) or link (a changed link).

    `binary` and `link` hold for added and deleted files, too. `old_path` is the path before;
    it differs from `path` for a rename only. Paths are decoded as `os.fsdecode` does.
    `old_mode` and `new_mode` are git's, octal, empty where there is none.
    """

    path: str
    old_path: str
    kind: str
    added: int
    removed: int
    hunks: tuple[Hunk, ...] = ()
    old_mode: str = ""
    new_mode: str = ""
    binary: bool = False
    link: bool = False


def read_patch(text: str) -> tuple[FileDiff, ...]:
    """The files of a patch as `git diff-tree -p` writes it. Raises ValueError on anything else."""
    return tuple(_file(section) for section in _sections(text))


def file_counts(text: str) -> tuple[tuple[str, int, int], ...]:
    """Path, lines added and lines removed of each file, as `read_patch` has them but quicker."""
    counts = []
    for section in _sections(text):
        lines, body = _split(section)
        header = _read_header(lines)
        counts.append((header.old_path if header.deleted else header.new_path, *_counts(body)))
    return tuple(counts)


def _sections(text: str) -> Iterator[str]:
    starts = [match.start() for match in _SECTION.finditer(text)]
    before = text[: starts[0]] if starts else text
    if before.strip():
        raise ValueError("not a patch in git's format")
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        yield text[start:end]


@dataclass
class _Header:
    """What the lines before the first hunk say. A side without a file has the other's name."""

    old_path: str = ""
    new_path: str = ""
    old_mode: str = ""
    new_mode: str = ""
    added: bool = False
    deleted: bool = False
    binary: bool = False


def _split(section: str) -> tuple[list[str], str]:
    """The header lines of a file's section, and its hunks as text."""
    at = section.find("\n@@ -")
    head, body = (section, "") if at < 0 else (section[:at], section[at + 1 :])
    return head.split("\n"), body


def _file(section: str) -> FileDiff:
    lines, body = _split(section)
    header = _read_header(lines)
    hunks = tuple(_hunk(hunk) for hunk in _patched(body)) if body else ()
    link = _LINK in {header.old_mode, header.new_mode}
    return FileDiff(
        path=header.old_path if header.deleted else header.new_path,
        old_path=header.new_path if header.added else header.old_path,
        kind=_kind(header, link=link, has_hunks=bool(hunks)),
        added=sum(hunk.added for hunk in hunks),
        removed=sum(hunk.removed for hunk in hunks),
        hunks=hunks,
        old_mode=header.old_mode,
        new_mode=header.new_mode,
        binary=header.binary,
        link=link,
    )


def _read_header(lines: list[str]) -> _Header:
    header = _Header()
    for line in lines[1:]:
        if line.startswith(("--- ", "rename from ", "copy from ")):
            header.old_path = _name(line, "a/")
        elif line.startswith(("+++ ", "rename to ", "copy to ")):
            header.new_path = _name(line, "b/")
        elif line.startswith(("Binary files ", "GIT binary patch")):
            header.binary = True
        else:
            _read_mode(header, line)
    header.old_path = header.old_path or header.new_path or _only_path(lines[0])
    header.new_path = header.new_path or header.old_path
    return header


def _read_mode(header: _Header, line: str) -> None:
    words, _, mode = line.rpartition(" ")
    if words == "new file mode":
        header.added, header.new_mode = True, mode
    elif words == "deleted file mode":
        header.deleted, header.old_mode = True, mode
    elif words == "old mode":
        header.old_mode = mode
    elif words == "new mode":
        header.new_mode = mode
    elif words.startswith("index ") and not header.old_mode and not header.new_mode:
        header.old_mode = header.new_mode = mode


def _kind(header: _Header, *, link: bool, has_hunks: bool) -> str:
    if header.added or header.deleted:
        return "added" if header.added else "deleted"
    if header.binary:
        return "binary"
    if link:
        return "link"
    if not has_hunks and header.old_mode != header.new_mode:
        return "mode"
    return "modified"


def _only_path(line: str) -> str:
    """The path of a file that has no lines of names: both names are it, so the middle is known."""
    both = line.removeprefix("diff --git ")
    middle = len(both) // 2
    old_path, new_path = _side(both[:middle], "a/"), _side(both[middle + 1 :], "b/")
    if both[middle : middle + 1] != " " or not old_path or old_path != new_path:
        raise ValueError(f"not the first line of a file's difference: {line[:80]!r}")
    return old_path


def _name(line: str, prefix: str) -> str:
    """The name in a header line; empty for /dev/null. Git ends odd names with a tab."""
    if line.startswith(("rename ", "copy ")):
        return _unquoted(line.split(" ", 2)[2])
    name = line[4:].removesuffix("\t")
    return "" if name == "/dev/null" else _side(name, prefix)


def _side(name: str, prefix: str) -> str:
    return _unquoted(name).removeprefix(prefix)


def _unquoted(name: str) -> str:
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    data = bytearray()
    at = 0
    inner = name[1:-1]
    for match in _ESCAPE.finditer(inner):
        data += inner[at : match.start()].encode("utf-8", "surrogateescape")
        data += _unescaped(match.group(1))
        at = match.end()
    data += inner[at:].encode("utf-8", "surrogateescape")
    return data.decode("utf-8", "surrogateescape")


def _unescaped(code: str) -> bytes:
    if len(code) == 3:
        return bytes([int(code, 8) & 0xFF])
    return _ESCAPES.get(code, code).encode()


def _counts(body: str) -> tuple[int, int]:
    if not body:
        return 0, 0
    file = _patched(body, metadata_only=True)
    return sum(hunk.added for hunk in file), sum(hunk.removed for hunk in file)


def _patched(body: str, *, metadata_only: bool = False) -> Any:
    """A file's hunks as unidiff reads them."""
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        # The names do not matter here, so they are ones that cannot be misread.
        patch = PatchSet("--- a/file\n+++ b/file\n" + body, metadata_only=metadata_only)
    except (UnidiffParseError, ValueError) as error:
        raise ValueError(f"a hunk cannot be read: {error}") from error
    if len(patch) != 1:
        raise ValueError("a file's difference holds another one")
    return patch[0]


def _hunk(hunk: Any) -> Hunk:
    lines: list[Line] = []
    for line in hunk:
        if line.line_type == "\\" and lines:
            lines[-1] = replace(lines[-1], newline=False)
        elif line.line_type in {" ", "+", "-"}:
            text = line.value.removesuffix("\n")
            lines.append(Line(line.line_type, text, line.source_line_no, line.target_line_no))
    numbers = f"-{hunk.source_start},{hunk.source_length} +{hunk.target_start},{hunk.target_length}"
    header = f"@@ {numbers} @@ {hunk.section_header}".rstrip()
    return Hunk(header, hunk.source_start, hunk.target_start, tuple(lines))
