"""The user's own runbooks: a Markdown text as sections by heading. Linear, and never fails."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SECTIONS = 500
MAX_SECTION = 8_000
"""Characters of one section that are read."""

_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+(.*))?$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; `heading` is empty for what stands before the first."""

    heading: str
    text: str


def sections(text: str) -> tuple[Section, ...]:
    """The sections that say something, in their order. `#` within a fenced block is no heading."""
    found: list[Section] = []
    heading, lines, fence = "", [""], ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        title = None if fence else _HEADING.match(line)
        if title is None:
            lines.append(line)
            continue
        found.append(Section(heading, _body(lines)))
        heading, lines = (title[1] or "").rstrip("# \t"), []
    found.append(Section(heading, _body(lines)))
    return tuple(section for section in found if section.text)[:MAX_SECTIONS]


def _body(lines: list[str]) -> str:
    return "\n".join(lines).strip()[:MAX_SECTION]
