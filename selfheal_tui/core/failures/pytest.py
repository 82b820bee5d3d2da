"""Reads pytest's terminal report, quiet or verbose."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure

_SUMMARY = re.compile(r"^(?:FAILED|ERROR) ([^\s(].*?)(?: - (.*))?$", re.MULTILINE)
_COUNT = re.compile(r"^[= ]*(?:\d+ \w+, )*?(\d+) passed\b.* in [\d.]+s", re.MULTILINE)
_ENDED = re.compile(r"^[= ]*(?:\d+ [a-z]+(?:, )?)+ in [\d.]+s", re.MULTILINE)
_HEADER = re.compile(r"^_{3,} (?:ERROR (?:at \w+ of|collecting) )?(.+?) _{3,}$", re.MULTILINE)
_RULE = re.compile(r"^={3,}.*={3,}$", re.MULTILINE)
_PLACE = re.compile(r"^([^\s:][^:\n]*):(\d+): ", re.MULTILINE)


def read(text: str) -> tuple[tuple[Failure, ...], int | None] | None:
    """Failing node ids and how many passed; None where this is no report of pytest."""
    ended = _ENDED.search(text)
    summary = list(_SUMMARY.finditer(text))
    if ended is None and not summary:
        return None
    sections = _sections(text)
    failures = [_failure(match[1], match[2] or "", sections) for match in summary]
    unique = {failure.name: failure for failure in reversed(failures)}
    count = _COUNT.search(text)
    passed = int(count[1]) if count else (0 if ended else None)
    return tuple(unique[name] for name in dict.fromkeys(f.name for f in failures)), passed


def _failure(name: str, message: str, sections: dict[str, str]) -> Failure:
    detail = sections.get(_title(name), "")
    places = _PLACE.findall(detail)
    location = f"{places[-1][0]}:{places[-1][1]}" if places else ""
    return Failure(name, message, location, detail)


def _title(name: str) -> str:
    """The section's title of a node id: `Class.test` of `file.py::Class::test`."""
    path, _, inner = name.partition("::")
    return inner.replace("::", ".") if inner else path


def _sections(text: str) -> dict[str, str]:
    """The report's sections by their titles; the first of equals."""
    found: dict[str, str] = {}
    headers = list(_HEADER.finditer(text))
    rules = [match.start() for match in _RULE.finditer(text)]
    rule = 0
    for number, header in enumerate(headers):
        end = headers[number + 1].start() if number + 1 < len(headers) else len(text)
        while rule < len(rules) and rules[rule] < header.end():
            rule += 1
        if rule < len(rules):
            end = min(end, rules[rule])
        found.setdefault(header[1], text[header.end() : end].strip("\n"))
    return found
