"""Looks for sentinel secrets wherever bytes are kept: files, SQLite rows, git objects. A secret is
also found in base64, in hexadecimal, percent-coded, as JSON writes it and as a branch is named."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import re
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.hostile.gitfacts import Objects


class Sentinels:
    """The secrets of a scene. Each is a word of its own that occurs nowhere else."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._forms = [(secret, form) for secret in secrets for form in _forms(secret)]

    def found(self, data: bytes | str) -> list[str]:
        """The secrets that `data` holds, in the order they were named."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return list(dict.fromkeys(secret for secret, form in self._forms if form in raw))

    def in_folder(self, folder: Path, scratch: Path) -> Iterator[tuple[str, str]]:
        """Every place below `folder` that holds one: the place, and the secret."""
        for file in sorted(folder.rglob("*")):
            where = str(file.relative_to(folder.parent))
            yield from ((where, secret) for secret in self.found(where))
            if file.is_file() and not file.is_symlink():
                yield from ((where, secret) for secret in self._in_file(file, scratch))
            if file.is_dir() and (file / "objects").is_dir() and (file / "HEAD").exists():
                inside = Objects(file, scratch).everything()
                yield from ((f"an object of {where}", secret) for secret in self.found(inside))

    def _in_file(self, file: Path, scratch: Path) -> list[str]:
        raw = file.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw += gzip.decompress(raw)
        if raw.startswith(b"SQLite format 3\0"):
            raw += _rows(file, scratch)
        return self.found(raw)


def _forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    forms = {raw, raw.hex().encode(), urllib.parse.quote(secret, safe="").encode()}
    forms.add(json.dumps(secret)[1:-1].encode())
    # As a name made from words has it.
    forms.add("-".join(re.findall("[a-z0-9]+", secret.lower())).encode())
    for shift in range(3):
        # What stands before it moves the groups; the first and the last may be mixed with others.
        code = base64.b64encode(b"\0" * shift + raw)
        forms.add(code[4 if shift else 0 : len(raw) // 3 * 4])
    return {form for form in forms if len(form) > 7}


def _rows(file: Path, scratch: Path) -> bytes:
    """Every value of every table: a long one is in pieces in the file."""
    copies = scratch / "looked-into"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(parents=True)
    for part in file.parent.glob(f"{file.name}*"):
        shutil.copyfile(part, copies / part.name)
    rows: list[str] = []
    with contextlib.closing(sqlite3.connect(copies / file.name)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            rows += [repr(row) for row in database.execute(f'SELECT * FROM "{name}"')]
    return "\n".join(rows).encode("utf-8", "surrogatepass")
