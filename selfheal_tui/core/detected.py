"""A detected check, and the project that it is looked for in."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

Read = Callable[[str], bytes]
"""The bytes of a file of the tree."""

MAX_READ = 256 * 1024
"""Bytes of a file that are looked at."""


@dataclass(frozen=True)
class Check:
    """The command whose exit code is the verdict, and in a few words where it is from."""

    command: str
    source: str


@dataclass(frozen=True)
class Project:
    """The paths of a tree, and their content."""

    files: Collection[str]
    read: Read

    def text(self, path: str) -> str:
        """The file as text; empty where there is none. What is no text says nothing."""
        if path not in self.files:
            return ""
        text = self.read(path)[:MAX_READ].decode("utf-8", "replace")
        return text.removeprefix("\ufeff").replace("\r\n", "\n")
