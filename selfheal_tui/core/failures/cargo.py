"""Reads `cargo test`."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure

_RESULT = re.compile(r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed", re.MULTILINE)
_FAILED = re.compile(r"^test (\S+) \.\.\. FAILED$", re.MULTILINE)
_SECTION = re.compile(r"^---- (\S+) stdout ----$", re.MULTILINE)
_PANIC = re.compile(r"panicked at (?:'[^\n]*', )?([^\s:,]+):(\d+)")


def read(text: str) -> tuple[tuple[Failure, ...], int | None] | None:
    """Failing tests by path and how many passed; None where this is no such report."""
    results = _RESULT.findall(text)
    if not results:
        return None
    sections = list(_SECTION.finditer(text))
    details: dict[str, str] = {}
    for number, section in enumerate(sections):
        end = sections[number + 1].start() if number + 1 < len(sections) else len(text)
        details.setdefault(section[1], text[section.end() : end].split("\nfailures:\n")[0].strip())
    names = dict.fromkeys(match[1] for match in _FAILED.finditer(text))
    failures = tuple(_failure(name, details.get(name, "")) for name in names)
    return failures, sum(int(passed) for passed, _ in results)


def _failure(name: str, detail: str) -> Failure:
    place = _PANIC.search(detail)
    location = f"{place[1]}:{place[2]}" if place else ""
    lines = [line for line in detail.splitlines() if line.strip()]
    return Failure(name, lines[1] if len(lines) > 1 else "", location, detail)
