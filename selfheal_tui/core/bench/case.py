"""One case of a bench: a small repository that is to be healed, and how it is judged."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import UsageError

_UNFIT = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST_NAME = 60


@dataclass(frozen=True)
class BenchCase:
    """A case as it was read. `where` says in which file, and at which line, for messages.

    Its files are `files`, or all of `folder` where that is given. `content` is a hash of them.
    `attempts` and `sandbox` hold for this case where the command line says nothing else.
    """

    id: str
    task: str
    check: str
    where: str
    content: str
    files: tuple[TreeFile, ...] = ()
    folder: str = ""
    attempts: int | None = None
    sandbox: str = ""

    @property
    def digest(self) -> str:
        """Differs as soon as anything of the case does, so that no old result stands for it."""
        values = [self.id, self.task, self.check, self.content, self.attempts, self.sandbox]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]

    @property
    def name(self) -> str:
        """A name for folders: readable, and another one for every other id."""
        readable = _UNFIT.sub("-", self.id).strip("-.")[:_LONGEST_NAME] or "case"
        return f"{readable}-{hashlib.sha256(self.id.encode()).hexdigest()[:8]}"


class ContentHash:
    """Hashes files as they come; their order counts."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, file: TreeFile) -> None:
        path = file.path.encode("utf-8", "surrogateescape")
        for part in (path, b"%o" % file.mode, file.content):
            self._hash.update(b"%d:" % len(part) + part)

    def result(self) -> str:
        return self._hash.hexdigest()


def content_of(files: Iterable[TreeFile]) -> str:
    """The hash of these files."""
    made = ContentHash()
    for file in files:
        made.add(file)
    return made.result()


def refuse_doubles(cases: Iterable[BenchCase]) -> tuple[BenchCase, ...]:
    """The cases, all of them. Raises UsageError where two have one id: results go by it."""
    seen: dict[str, BenchCase] = {}
    for case in cases:
        if case.id in seen:
            raise UsageError(f"{case.where}: the id {case.id!r} is that of {seen[case.id].where}")
        seen[case.id] = case
    return tuple(seen.values())
