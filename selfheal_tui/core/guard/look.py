"""What a change does to the files that decide the verdict, and what puts them back.

By content, never by what the change says of itself. Refuses to decide what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.facts import Facts, compared, new_marks
from selfheal_tui.core.guard.finding import ALSO_IN_NEW, Finding
from selfheal_tui.core.guard.languages import LANGUAGES
from selfheal_tui.core.guard.lines import line_facts
from selfheal_tui.core.guard.parts import part_of, part_text, protected_part, put_back
from selfheal_tui.core.guard.protection import (
    NONE,
    PART,
    PIPELINE,
    RUNNER_LOCK,
    SCRIPT,
    SETTINGS,
    SHADOW,
    SNAPSHOT,
    STEERING,
    TEST_CODE,
    TEST_DATA,
    Protection,
)
from selfheal_tui.core.guard.python import python_facts
from selfheal_tui.core.guard.steering import steering_facts
from selfheal_tui.core.guard.words import text_of
from selfheal_tui.core.tree import LINK, TreeChange, TreeFile

MOST_FINDINGS = 200
"""Findings of one change that are kept; the rest is only counted."""


@dataclass(frozen=True)
class Change:
    """One file of a change: as it was and as it is, None where there is none."""

    path: str
    before: TreeFile | None
    after: TreeFile | None


@dataclass(frozen=True)
class Look:
    """What was found. `changed` are protected files that were there before, `added` those that
    are new, `back` what makes the changed tree have the originals again: empty for nothing to
    put back."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    back: TreeChange = field(default_factory=TreeChange)


def look_at(changes: Iterable[Change], protection: Protection) -> Look:
    """What these changes do to what decides the verdict."""
    judged = [_judged(change, protection) for change in changes]
    ours = [each for each in judged if each.role != NONE]
    names = _names_that_came(ours)
    findings = [found for each in judged for found in _findings(each, names)]
    changed = [each for each in ours if each.change.before is not None]
    added = [each for each in ours if each.change.before is None]
    return Look(
        tuple(sorted(each.change.path for each in changed)),
        tuple(sorted(each.change.path for each in added)),
        _first(sorted(findings, key=lambda found: (found.path, found.line, found.kind))),
        _back(judged, changed, added, {found.path for found in findings}),
    )


@dataclass(frozen=True)
class _Judged:
    change: Change
    role: str
    before: Facts
    after: Facts

    @property
    def is_code(self) -> bool:
        return self.role == TEST_CODE or (self.role == PART and self.change.path.endswith(".rs"))

    @property
    def steers(self) -> bool:
        return self.role in STEERING and not self.is_code

    @property
    def tests_before(self) -> frozenset[str]:
        return frozenset(self.before.tests)


def _judged(change: Change, protection: Protection) -> _Judged:
    role = protection.role(change.path, new=change.before is None)
    if role in (PART, RUNNER_LOCK) and _same_part(change):
        role = NONE
    return _Judged(
        change, role, _facts(change, change.before, role), _facts(change, change.after, role)
    )


def _same_part(change: Change) -> bool:
    before, after = (
        protected_part(change.path, file.content) if file is not None else ()
        for file in (change.before, change.after)
    )
    return before == after or (not before and not after)


def _facts(change: Change, file: TreeFile | None, role: str) -> Facts:
    if file is None or file.mode == LINK:
        return Facts()
    path = change.path
    ending = path.rpartition(".")[2].lower()
    text = part_text(path, file.content) if role == PART else text_of(file.content)
    if ending in ("py", "pyi") and (found := python_facts(text)) is not None:
        return found
    if ending in LANGUAGES and role not in (SETTINGS, SCRIPT):
        return line_facts(text, LANGUAGES[ending])
    if role in (SETTINGS, SCRIPT, PART, PIPELINE) or ending in ("py", "sh", "bash", "bats"):
        facts = steering_facts(text, makefile=_is_makefile(path)) if role != NONE else Facts()
        if ending in LANGUAGES:
            facts = replace(facts, marks=(*facts.marks, *line_facts(text, LANGUAGES[ending]).marks))
        return facts
    return Facts()


def _is_makefile(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in ("makefile", "gnumakefile") or name.endswith(".mk")


# --- findings ------------------------------------------------------------------------------------


def _findings(each: _Judged, moved: frozenset[str]) -> Iterator[Finding]:
    if each.role == NONE:
        yield from _of_source(each)
        return
    path, before, after = each.change.path, each.change.before, each.change.after
    if before is None:
        yield from _of_new(each)
    elif after is None:
        yield _of_gone(each, moved)
    else:
        yield from _of_kind(each)
        yield from new_marks(each.before, each.after, path)
        if each.is_code:
            yield from compared(each.before, each.after, path, moved)
        if LINK in (before.mode, after.mode):
            yield Finding(
                path, 0, kinds.DATA, "a link is in the place of a file, or goes elsewhere"
            )


def _of_source(each: _Judged) -> Iterator[Finding]:
    """Code that is no test, but looks after them: it asks for them, or ends their runner."""
    for found in new_marks(each.before, each.after, each.change.path):
        ends = found.kind == kinds.EXIT and "os._exit(0)" in found.text
        if ends or found.kind in (kinds.AWARE, kinds.RUNNER):
            yield found


def _of_new(each: _Judged) -> Iterator[Finding]:
    path = each.change.path
    if each.role == SHADOW:
        text = "a new file stands where a test runner, or a module that it loads, is looked for"
        yield Finding(path, 0, kinds.SHADOW, text)
    elif each.steers:
        yield Finding(path, 0, kinds.CONFIG, "a new file has a say in how the check runs")
    for found in new_marks(Facts(), each.after, path):
        if found.kind in ALSO_IN_NEW and (found.kind != kinds.CONFIG or each.steers):
            yield found


def _of_gone(each: _Judged, moved: frozenset[str]) -> Finding:
    path, tests = each.change.path, each.tests_before
    if not each.is_code:
        kind = {SNAPSHOT: kinds.SNAPSHOT, TEST_DATA: kinds.DATA, PIPELINE: kinds.CI}
        return Finding(path, 0, kind.get(each.role, kinds.CONFIG), "the file is gone")
    if tests and tests <= moved:
        return Finding(path, 0, kinds.RENAMED, "the file is gone; its tests are in another one now")
    count = f", with {len(tests)} tests" if len(tests) > 1 else ""
    return Finding(path, 0, kinds.DELETED, f"the file is gone{count}")


_KINDS = {
    SETTINGS: (kinds.CONFIG, "what runs the check, or how it runs, is changed"),
    PART: (kinds.CONFIG, "the part that says how the check runs is changed"),
    SCRIPT: (kinds.SCRIPT, "a script of the check is changed"),
    PIPELINE: (kinds.CI, "what continuous integration runs is changed"),
    SNAPSHOT: (kinds.SNAPSHOT, "a snapshot is changed: what is expected is another thing now"),
    TEST_DATA: (kinds.DATA, "data of the tests is changed"),
    RUNNER_LOCK: (kinds.LOCK, "what it says of a test runner is changed"),
}


def _of_kind(each: _Judged) -> Iterator[Finding]:
    if each.role in _KINDS and not each.is_code:
        yield Finding(each.change.path, 0, *_KINDS[each.role])


def _names_that_came(judged: Iterable[_Judged]) -> frozenset[str]:
    """Tests that are in a file now in which they were not."""
    came: set[str] = set()
    for each in judged:
        if each.is_code:
            came |= set(each.after.tests) - each.tests_before
    return frozenset(came)


def _first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    left = len(findings) - MOST_FINDINGS
    if left <= 0:
        return tuple(findings)
    more = Finding("", 0, kinds.CHANGED, f"and {left} more findings that are not listed")
    return (*findings[:MOST_FINDINGS], more)


# --- the originals -------------------------------------------------------------------------------


def _back(
    judged: Sequence[_Judged],
    changed: Sequence[_Judged],
    added: Sequence[_Judged],
    suspicious: set[str],
) -> TreeChange:
    """What puts the originals back. New tests stay, unless something that is new steers the runner:
    then everything goes that has a say in the verdict and was not there."""
    doubtful = any(each.steers or each.change.path in suspicious for each in added)
    written = [_original(each.change) for each in changed]
    deleted: list[str] = []
    for each in added if doubtful else ():
        rest = _without_part(each.change) if each.role == PART else None
        if rest is None:
            deleted.append(each.change.path)
        else:
            written.append(rest)
    return _possible(written, deleted, [each.change for each in judged])


def _original(change: Change) -> TreeFile:
    assert change.before is not None, "only a file that was there has an original"
    if change.after is None or part_of(change.path) is None:
        return change.before
    made = put_back(change.path, change.after.content, change.before.content)
    return change.before if made is None else replace(change.after, content=made)


def _without_part(change: Change) -> TreeFile | None:
    assert change.after is not None, "a new file has a content"
    if part_of(change.path) is None:
        return None
    made = put_back(change.path, change.after.content, b"")
    return None if made is None else replace(change.after, content=made)


def _possible(
    written: Sequence[TreeFile], deleted: Iterable[str], changes: Iterable[Change]
) -> TreeChange:
    """The change, without new files that stand where an original is or needs a folder."""
    gone = set(deleted)
    back = {file.path for file in written}
    folders = {path[:at] for path in back for at, c in enumerate(path) if c == "/"}
    for change in changes:
        if change.before is not None or change.after is None or change.path in back:
            continue
        above = (change.path[:at] for at, c in enumerate(change.path) if c == "/")
        if change.path in folders or any(folder in back for folder in above):
            gone.add(change.path)
    return TreeChange(tuple(written), tuple(sorted(gone)))
