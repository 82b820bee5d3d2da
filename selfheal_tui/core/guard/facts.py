"""What a file of tests says, as values that two versions of it can be compared by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.finding import Finding
from selfheal_tui.core.guard.words import shown


@dataclass(frozen=True)
class Assertion:
    """One assertion: its code with single blanks, its line, and on how many conditions it runs."""

    text: str
    line: int
    depth: int = 0


@dataclass(frozen=True)
class Case:
    """A test, or a function beside the tests. `collected`: whether the runner finds it by its name;
    `cases`: how many times it runs with other values; `body` stands for what it does; `returns` are
    the lines where it ends early."""

    name: str
    line: int
    assertions: tuple[Assertion, ...] = ()
    collected: bool = True
    cases: int = 1
    body: int = 0
    returns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Mark:
    """Something that weakens tests, or steers their runner; the same `key` counts as the same."""

    kind: str
    key: str
    line: int
    text: str


@dataclass(frozen=True)
class Facts:
    """What one version of a file says."""

    cases: tuple[Case, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def tests(self) -> dict[str, Case]:
        return {case.name: case for case in self.cases if case.collected}


def new_marks(before: Facts, after: Facts, path: str) -> Iterator[Finding]:
    """The marks of `after` that are more than those of `before`."""
    left = Counter((mark.kind, mark.key) for mark in before.marks)
    for mark in after.marks:
        left[mark.kind, mark.key] -= 1
        if left[mark.kind, mark.key] < 0:
            yield Finding(path, mark.line, mark.kind, mark.text)


def compared(before: Facts, after: Facts, path: str, moved: frozenset[str]) -> Iterator[Finding]:
    """What became of the tests and their assertions. `moved` are names of tests that came up in
    other files with this change."""
    now = {case.name: case for case in after.cases}
    names = {case.name for case in before.cases}
    new = [case for case in after.cases if case.name not in names]
    by_body = {case.body: case for case in reversed(new) if case.body}
    for case in before.cases:
        if case.name in now:
            yield from _one(case, now[case.name], path)
        elif case.collected and case.name not in moved:
            yield _gone(case, by_body.get(case.body), path)


def _gone(case: Case, same: Case | None, path: str) -> Finding:
    name = shown(case.name)
    if same is None:
        return Finding(path, case.line, kinds.DELETED, f"the test {name} is gone")
    text = f"the test {name} is called {shown(same.name)} now"
    if not same.collected:
        text += ", which the runner does not look for"
    return Finding(path, same.line, kinds.RENAMED, text)


def _one(before: Case, after: Case, path: str) -> Iterator[Finding]:
    where = f"in {shown(after.name)}" if after.name else "here"
    if after.cases < before.cases:
        text = f"{where}, {before.cases - after.cases} of {before.cases} cases are gone"
        yield Finding(path, after.line, kinds.CASES, text)
    if after.collected and len(after.returns) > len(before.returns):
        line = after.returns[0]
        yield Finding(path, line, kinds.RETURN, f"{where}, the test may end early now")
    yield from _assertions(before.assertions, after.assertions, path, after.line, where)


def _assertions(
    before: tuple[Assertion, ...],
    after: tuple[Assertion, ...],
    path: str,
    line: int,
    where: str,
) -> Iterator[Finding]:
    removed, added = _more(before, after), _more(after, before)
    for old, new in _paired(removed, added):
        if new is None:
            text = f"{where}, an assert was removed: {shown(old.text)}"
            yield Finding(path, line, kinds.ASSERT, text)
        else:
            kind = kinds.TOLERANCE if loosened(old.text, new.text) else kinds.CHANGED
            word = "has a looser tolerance" if kind == kinds.TOLERANCE else "was changed"
            text = f"{where}, an assert {word}: {shown(old.text)} is {shown(new.text)} now"
            yield Finding(path, new.line, kind, text)
    for assertion in _deeper(before, after):
        text = f"{where}, an assert runs on a condition now: {shown(assertion.text)}"
        yield Finding(path, assertion.line, kinds.CONDITIONAL, text)


def _more(some: Iterable[Assertion], others: Iterable[Assertion]) -> list[Assertion]:
    """Those of `some` that are more than in `others`."""
    left = Counter(assertion.text for assertion in others)
    more = []
    for assertion in some:
        left[assertion.text] -= 1
        if left[assertion.text] < 0:
            more.append(assertion)
    return more


def _paired(
    removed: list[Assertion], added: list[Assertion]
) -> Iterator[tuple[Assertion, Assertion | None]]:
    """Each removed assertion with the one that took its place: first the one that differs in its
    numbers alone, then whatever is left, in order."""
    by_shape: dict[str, list[Assertion]] = {}
    for assertion in reversed(added):
        by_shape.setdefault(_shape(assertion.text), []).append(assertion)
    same = [(old, by_shape.get(_shape(old.text))) for old in removed]
    pairs = {id(old): found.pop() for old, found in same if found}
    taken = {id(new) for new in pairs.values()}
    rest = iter([assertion for assertion in added if id(assertion) not in taken])
    for old in removed:
        yield old, pairs.get(id(old)) or next(rest, None)


def _deeper(before: tuple[Assertion, ...], after: tuple[Assertion, ...]) -> Iterator[Assertion]:
    """Assertions that are the same, but run on more conditions."""
    depths: dict[str, list[int]] = {}
    for assertion in before:
        depths.setdefault(assertion.text, []).append(assertion.depth)
    for found in depths.values():
        found.sort(reverse=True)
    for assertion in sorted(after, key=lambda each: each.depth):
        old = depths.get(assertion.text)
        if old and old.pop() < assertion.depth:
            yield assertion


# --- tolerances ----------------------------------------------------------------------------------

_NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?")
_KEY = re.compile(
    r"\b(?P<wide>rel|abs|rtol|atol|rel_tol|abs_tol|delta|tolerance|tol|eps|epsilon|msec|within|offset"
    r"|max_relative|max_diff|max_ulps)\s*[=:(]\s*$"
    r"|\b(?P<tight>places|decimal|significant|decimals|ndigits)\s*[=:]\s*$|(?P<below><=?)\s*$",
)
_CLOSE = re.compile(
    r"\b(?P<tight>toBeCloseTo|assertAlmostEqual|assertNotAlmostEqual|round)\b"
    r"|(?:\b|[a-z])(?P<wide>approx|closeTo|approximately|InDelta|InEpsilon|isclose|assertEquals"
    r"|allclose|isCloseTo|within|offset|assert_abs_diff_eq|assert_relative_eq)\b"
)
_TOLERANT = re.compile(
    r"approx|close_?to|isclose|allclose|InDelta|InEpsilon|almost|tolerance|rtol|atol|epsilon"
    r"|abs_diff|relative_eq|within\(|\bround\(|\babs\(",
    re.IGNORECASE,
)


def loosened(old: str, new: str) -> bool:
    """Whether an assertion allows more than the one whose place it took."""
    if _shape(old) != _shape(new):
        return bool(_TOLERANT.search(new)) and not _TOLERANT.search(old)
    olds, news = list(_NUMBER.finditer(old)), list(_NUMBER.finditer(new))
    return any(
        _allows_more(old, a, b, last=a is olds[-1])
        for a, b in zip(olds, news, strict=False)
        if a[0] != b[0]
    )


def _allows_more(text: str, old: re.Match[str], new: re.Match[str], *, last: bool) -> bool:
    key = _KEY.search(text, max(0, old.start() - 40), old.start())
    if key is None and last and "," in text[max(0, old.start() - 3) : old.start()]:
        key = _CLOSE.search(text)
    if key is None:
        return False
    grows = _value(new[0]) > _value(old[0])
    return not grows if key["tight"] else grows


def _value(number: str) -> float:
    try:
        return float(number)
    except (ValueError, OverflowError):
        return 0.0


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text)
