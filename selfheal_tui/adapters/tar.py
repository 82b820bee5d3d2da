"""Tar streams of a tree: written without a trace of the host, and read without extracting.

The reader knows what GNU tar writes for files and links, and refuses everything else: it is
fed by a container that may be hostile.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from selfheal_tui.adapters.outgoing import Gate, wrong_kind
from selfheal_tui.core.paths import MAX_PATH, named
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from selfheal_tui.errors import TreeRejected

BLOCK = 512
RECORD = 20 * BLOCK
"""Tar reads and writes in records; the end is filled up to one."""

_PIECE = 256 * 1024
_LONG = b"././@LongLink"
_ZEROS = bytes(BLOCK)
_MODES = {REGULAR: 0o644, EXECUTABLE: 0o755, LINK: 0o777}
_KINDS = {
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a folder",
    b"6": "a FIFO",
}


# --- writing -------------------------------------------------------------------------------


def write_tar(files: Iterable[TreeFile]) -> Iterator[bytes]:
    """A tar of `files` in pieces: same files, same bytes. Times, ids and names are all zero."""
    pieces: list[bytes] = []
    total = pending = 0
    for file in files:
        for block in _entry(file):
            pieces.append(block)
            pending += len(block)
        if pending >= _PIECE:
            yield b"".join(pieces)
            total, pending, pieces = total + pending, 0, []
    pieces.append(bytes(_end(total + pending)))
    yield b"".join(pieces)


def tar_size(files: Iterable[TreeFile]) -> int:
    """How many bytes `write_tar` makes of `files`."""
    total = sum(_entry_size(file) for file in files)
    return total + _end(total)


def _end(total: int) -> int:
    """Two blocks of zeros, and more up to a whole record."""
    return 2 * BLOCK + -(total + 2 * BLOCK) % RECORD


def _entry(file: TreeFile) -> Iterator[bytes]:
    name = os.fsencode(file.path)
    target, content = (file.content, b"") if file.mode == LINK else (b"", file.content)
    if len(target) > 100:
        yield from _long(b"K", target)
    if len(name) > 100:
        yield from _long(b"L", name)
    kind = b"2" if file.mode == LINK else b"0"
    yield _header(name[:100], _MODES[file.mode], len(content), kind, target[:100])
    if content:
        yield content
        yield _ZEROS[: _padding(len(content))]


def _entry_size(file: TreeFile) -> int:
    name = len(os.fsencode(file.path))
    size = BLOCK + (_long_size(name) if name > 100 else 0)
    if file.mode == LINK:
        return size + (_long_size(len(file.content)) if len(file.content) > 100 else 0)
    return size + _padded(len(file.content))


def _long(kind: bytes, name: bytes) -> Iterator[bytes]:
    yield _header(_LONG, 0o644, len(name) + 1, kind, b"")
    yield name + _ZEROS[: _padding(len(name) + 1) + 1]


def _long_size(length: int) -> int:
    return BLOCK + _padded(length + 1)


def _header(name: bytes, mode: int, size: int, kind: bytes, target: bytes) -> bytes:
    head = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode, 0, 0, size, 0)
    tail = kind + target.ljust(100, b"\0") + b"ustar  \0"
    # The sum is taken with its own field as eight blanks.
    total = sum(head) + sum(tail) + 8 * ord(" ")
    return (head + b"%06o\0 " % total + tail).ljust(BLOCK, b"\0")


def _padding(size: int) -> int:
    return -size % BLOCK


def _padded(size: int) -> int:
    return size + _padding(size)


# --- reading -------------------------------------------------------------------------------


@dataclass
class TarReader:
    """Reads a tar as it comes: `feed` pieces, then `close` for the files.

    Both raise TreeRejected for what must not come out, as soon as it is seen.
    """

    gate: Gate = field(default_factory=Gate)
    _files: dict[str, TreeFile] = field(default_factory=dict)
    _buffer: bytearray = field(default_factory=bytearray)
    _header: _Header | None = None
    _long: dict[bytes, bytes] = field(default_factory=dict)
    _ended: bool = False
    _rest: int = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the stream."""
        self._buffer += piece
        start = 0
        while (end := start + self._wanted()) <= len(self._buffer) and not self._ended:
            self._take(bytes(memoryview(self._buffer)[start:end]))
            start = end
        del self._buffer[:start]
        if self._ended:
            self._see_rest()

    def close(self) -> tuple[TreeFile, ...]:
        """The files in their order. Raises TreeRejected when the stream was cut."""
        if not self._ended:
            raise TreeRejected("the sandbox's answer was cut short: its files cannot be read")
        return tuple(self._files.values())

    def _see_rest(self) -> None:
        """Zeros may fill up the last record; anything else is no end."""
        self._rest += len(self._buffer)
        if self._rest > RECORD or self._buffer.strip(b"\0"):
            raise TreeRejected("the sandbox's answer goes on after its end")
        self._buffer.clear()

    def _wanted(self) -> int:
        return _padded(self._header.size) if self._header else BLOCK

    def _take(self, block: bytes) -> None:
        if self._header is None:
            self._begin(block)
        else:
            header, self._header = self._header, None
            self._end(header, block[: header.size])

    def _begin(self, block: bytes) -> None:
        if not block.strip(b"\0"):
            self._ended = True
            return
        header = _parse(block)
        if header.kind in {b"L", b"K"}:
            if not 1 < header.size <= MAX_PATH + 1:
                raise TreeRejected("a name in the sandbox's answer is too long")
            if header.kind in self._long:
                raise TreeRejected("a file in the sandbox's answer has two names")
        else:
            header = self._named(header)
            self._check(header)
        if header.size:
            self._header = header
        else:
            self._end(header, b"")

    def _named(self, header: _Header) -> _Header:
        """The header with the long names that came before it."""
        long, self._long = self._long, {}
        name, target = long.get(b"L", header.name), long.get(b"K", header.target)
        return _Header(name, header.mode, header.size, header.kind, target)

    def _check(self, header: _Header) -> None:
        path = header.path
        if header.kind not in {b"0", b"\0", b"2"}:
            raise wrong_kind(path, _KINDS.get(header.kind, "neither a file nor a link"))
        is_link = header.kind == b"2"
        if is_link and (header.size or not header.target):
            raise TreeRejected(f"{named(path)} is a broken link entry")
        self.gate.check(path, mode=0 if is_link else header.mode, size=header.size)

    def _end(self, header: _Header, content: bytes) -> None:
        if header.kind in {b"L", b"K"}:
            self._long[header.kind] = content.partition(b"\0")[0]
            return
        if header.kind == b"2":
            file = TreeFile(header.path, LINK, header.target)
        else:
            mode = EXECUTABLE if header.mode & 0o100 else REGULAR
            file = TreeFile(header.path, mode, content)
        self._files[file.path] = file


@dataclass(frozen=True)
class _Header:
    name: bytes
    mode: int
    size: int
    kind: bytes
    target: bytes

    @property
    def path(self) -> str:
        return os.fsdecode(self.name)


def _parse(block: bytes) -> _Header:
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if _number(block[148:156]) != total or block[257:262] != b"ustar":
        raise TreeRejected("the sandbox's answer is not a tar stream that can be read")
    name, target = _text(block[:100]), _text(block[157:257])
    # GNU tar leaves the prefix empty; a POSIX one would be a second way to spell a name.
    if block[257:265] == b"ustar\x0000" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    return _Header(name, _number(block[100:108]), _number(block[124:136]), block[156:157], target)


def _text(fieldbytes: bytes) -> bytes:
    return fieldbytes.partition(b"\0")[0]


def _number(digits: bytes) -> int:
    """An octal field, or GNU's binary one for what does not fit."""
    if digits[0] == 0x80:
        return int.from_bytes(digits[1:], "big")
    text = digits.rstrip(b"\0 ").lstrip(b" ")
    if not text or any(digit not in b"01234567" for digit in text):
        raise TreeRejected("the sandbox's answer is not a tar stream that can be read")
    return int(text, 8)
