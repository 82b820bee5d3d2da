"""Reads `go test`."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure

_FAIL = re.compile(r"^( *)--- FAIL: (\S+) \([\d.]+s\)$", re.MULTILINE)
_PACKAGE = re.compile(r"^(?:FAIL|ok  )\t(\S+)(?:\s+\[(.*)\])?", re.MULTILINE)
_PLACE = re.compile(r"^\s+(\S+\.go):(\d+): (.*)$", re.MULTILINE)
_PASS = re.compile(r"^--- PASS: ", re.MULTILINE)


def read(text: str) -> tuple[tuple[Failure, ...], int | None] | None:
    """Failing tests by name; None where this is no such report."""
    packages = list(_PACKAGE.finditer(text))
    if not packages:
        return None
    found = list(_FAIL.finditer(text))
    stops = sorted([match.start() for match in found] + [match.start() for match in packages])
    failures = [_failure(match, text, stops) for match in found]
    names = {failure.name for failure in failures}
    # A parent fails with its subtests, which say more.
    innermost = [f for f in failures if not any(name.startswith(f.name + "/") for name in names)]
    broken = [
        Failure(package[1], package[2])
        for package in packages
        if package[0].startswith("FAIL") and package[2]
    ]
    passed = len(_PASS.findall(text))
    return tuple({f.name: f for f in [*innermost, *broken]}.values()), passed or None


def _failure(match: re.Match[str], text: str, stops: list[int]) -> Failure:
    end = next((stop for stop in stops if stop > match.start()), len(text))
    detail = text[match.end() : end].strip("\n")
    place = _PLACE.search(detail)
    if place is None:
        return Failure(match[2], detail=detail)
    return Failure(match[2], place[3], f"{place[1]}:{place[2]}", detail)
