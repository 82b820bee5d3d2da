"""Facts of a file of tests, line by line: what each test asserts is what stands between its
beginning and the next one's. Linear in the text, whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selfheal_tui.core.guard.facts import Assertion, Case, Facts, Mark
from selfheal_tui.core.guard.languages import Language
from selfheal_tui.core.guard.words import lines_of, shown, squeezed, without_comments

_MOST_LINES = 20
"""Lines that one assertion may go over."""

_LONGEST = 400
_BUILD = re.compile(r"//\s?(?:go:build|\+build)")


def line_facts(text: str, language: Language) -> Facts:
    """What the file says, as far as its lines tell."""
    lines = lines_of(without_comments(text, language.comments))
    marks = tuple(_marks(lines, language)) + tuple(_build_marks(text, language))
    return Facts(tuple(_cases(lines, language)), marks)


def _cases(lines: Sequence[str], language: Language) -> Iterator[Case]:
    starts = [(at, found) for at, line in enumerate(lines) if (found := language.test.search(line))]
    ends = [at for at, _ in starts[1:]] + [len(lines)] * bool(starts)
    seen: dict[str, int] = {}
    for (at, found), end in zip(starts, ends, strict=True):
        groups = found.groupdict()
        name = squeezed(groups.get("name") or groups.get("plain") or "")
        # The same title in two places is two tests.
        seen[name] = seen.get(name, 0) + 1
        named = f"{name} ({seen[name]})" if seen[name] > 1 else name
        body = lines[at + 1 : end]
        early = tuple(at + 2 + n for n, line in enumerate(body) if language.early.search(line))
        assertions = tuple(_assertions(lines, at, end, language))
        key = hash(tuple(body)) if assertions else 0
        yield Case(named, at + 1, assertions, body=key, returns=early)


def _assertions(
    lines: Sequence[str], start: int, end: int, language: Language
) -> Iterator[Assertion]:
    at = start
    while at < end:
        found = language.asserts.search(lines[at])
        if found is None:
            at += 1
            continue
        last = _end_of_statement(lines, at, min(end, at + _MOST_LINES))
        text = squeezed(" ".join([lines[at][found.start() :], *lines[at + 1 : last + 1]]))
        yield Assertion(text[:_LONGEST], at + 1)
        at = last + 1


def _end_of_statement(lines: Sequence[str], at: int, end: int) -> int:
    """The line on which the brackets that are opened on line `at` are closed again."""
    depth = 0
    for number in range(at, end):
        depth += sum(lines[number].count(c) for c in "([{")
        depth -= sum(lines[number].count(c) for c in ")]}")
        goes_on = number + 1 < end and lines[number + 1].startswith((".", "?."))
        if depth <= 0 and not goes_on:
            return number
    return at


def _marks(lines: Sequence[str], language: Language) -> Iterator[Mark]:
    for number, line in enumerate(lines, 1):
        for kind, pattern, text in language.marks:
            if pattern.search(line):
                yield Mark(kind, f"{kind} {line}", number, text.replace("{}", shown(line)))
                break


def _build_marks(text: str, language: Language) -> Iterator[Mark]:
    """Go's conditions stand in comments."""
    lines = lines_of(text) if _BUILD.search(text) else []
    for number, line in enumerate(lines, 1):
        if _BUILD.match(line):
            only = (mark for mark in language.marks if mark[1].search(line))
            yield from (Mark(k, line, number, t.replace("{}", shown(line))) for k, _, t in only)
