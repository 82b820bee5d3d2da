"""Reads pytest's terminal report in every style of summary and traceback."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import last_own, own_path
from selfheal_tui.core.failures.report import Report, blocks, message, sum_of

_WORDS = "failed|passed|skipped|deselected|xfailed|xpassed|errors?|warnings?|rerun|subtests passed"
_ENDED = re.compile(
    rf"^(?:=+ )?(?:no tests ran|(?:\d+ (?:{_WORDS})(?:, )?)+) in \d[\d.]*s.*$", re.MULTILINE
)
_PASSED = re.compile(r"\b(\d+) passed")
_RULE = re.compile(r"^=+ .+ =+$", re.MULTILINE)
_SUMMARY = re.compile(r"^=+ short test summary info =+$", re.MULTILINE)
_NAMED = re.compile(r"^(?:(FAILED|ERROR) (\S.*)|SUBFAILED(.*?) ([^\s:]+::.*))$", re.MULTILINE)
_VERBOSE = re.compile(
    r"^(?:\[gw\d+\] \[ *\d+%\] (FAILED|ERROR) ([^\s:]+\.py(?:::.*\S)?)"
    r"|([^\s:]+\.py::.*\S) (FAILED|ERROR)) *(?:\[ *\d+%\])?$",
    re.MULTILINE,
)
_SECTION = re.compile(
    r"^_+ (?!_ )(ERROR (?:at (?:setup|teardown) of|collecting) )?(.*\S) _+$", re.MULTILINE
)
_CAPTURED = re.compile(r"^-{3,} Captured .* -{3,}$", re.MULTILINE)
_WHY = re.compile(r"^E {1,3}( *\S.*)$", re.MULTILINE)
_WHYS = re.compile(r"(?:^E\b.*\n?)+", re.MULTILINE)
_PLACE = re.compile(
    r"^([^\s:]+\.\w+):(\d+): |^(?:E +)?  File \"([^\"\n]+)\", line (\d+)", re.MULTILINE
)
_ENDS_WITH_ERROR = re.compile(r"^[\w.]+(?:Error|Exception|Failed|Warning|Exit)\b.*$", re.MULTILINE)
_DOCTEST = re.compile(r"^Expected:\n(.*)\nGot:\n(.*)$", re.MULTILINE)
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")
_STOPPED = re.compile(r"^!+ (?:Interrupted: )?(\d+ errors? during collection) !+$", re.MULTILINE)


@dataclass
class _Sections:
    """The report's sections by their titles, each to be taken once, in order."""

    failed: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    errors: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, title: str, *, error: bool) -> str:
        left = (self.errors if error else self.failed).get(title)
        return left.popleft() if left else ""

    def has(self, title: str) -> bool:
        return title in self.failed or title in self.errors


def read(text: str, root: str) -> Report | None:
    """Failing node ids; None where this is no report of pytest."""
    ends = [found[0] for found in _ENDED.finditer(text)]
    summaries = [body for _, body in blocks(text, _SUMMARY, _ENDED)]
    if not ends and not summaries:
        return None
    sections = _sections(text)
    failures = (
        [found for body in summaries for found in _summed_up(body, sections, root)]
        or list(_verbose(text, sections, root))
        or list(_untitled(text, root))
    )
    passed = sum_of(_PASSED.findall("\n".join(ends)))
    stopped = _STOPPED.search(text)
    return Report(
        tuple(failures),
        passed if passed is not None or not ends else 0,
        f"pytest stopped after {stopped[1]}: no test ran" if stopped else "",
    )


def _sections(text: str) -> _Sections:
    sections = _Sections()
    for header, body in blocks(text, _SECTION, _RULE):
        kept = sections.errors if header[1] else sections.failed
        kept[header[2].removeprefix("[doctest] ")].append(body.strip("\n"))
    return sections


def _summed_up(body: str, sections: _Sections, root: str) -> Iterator[Failure]:
    """What the short test summary names, but tests that failed only by their subtests."""
    parents = set()
    for found in _NAMED.finditer(body):
        name, said = _split(found[2] or found[4], sections)
        label = (found[3] or "").strip()
        if label:
            parents.add(name)
        elif found[1] == "FAILED" and name in parents:
            continue
        title = f"{_title(name)} {label}".rstrip()
        detail = sections.take(title, error=found[1] == "ERROR")
        yield _failure(f"{name} {label}".rstrip(), detail, said, root)


def _split(words: str, sections: _Sections) -> tuple[str, str]:
    """The node id and the message of `id - message`, where the id may hold ` - ` itself."""
    parts = words.split(" - ", 20)
    ids = [" - ".join(parts[:count]) for count in range(1, len(parts) + 1)]
    known = [name for name in ids if sections.has(_title(name))]
    closed = [name for name in ids if name.count("[") == name.count("]")]
    name = (known or closed or ids)[0]
    return name, words[len(name) + 3 :]


def _title(name: str) -> str:
    """The section's title of a node id: `Class.test` of `file.py::Class::test`."""
    path, _, inner = name.partition("::")
    inner, bracket, parameters = inner.partition("[")
    return inner.replace("::", ".") + bracket + parameters if inner else path


def _verbose(text: str, sections: _Sections, root: str) -> Iterator[Failure]:
    """What the progress lines of -v name, where there is no summary."""
    for found in _VERBOSE.finditer(text):
        name, word = (found[2], found[1]) if found[1] else (found[3], found[4])
        yield _failure(name, sections.take(_title(name), error=word == "ERROR"), "", root)


def _untitled(text: str, root: str) -> Iterator[Failure]:
    """Names made from the sections alone, with the first file of tests that a section names."""
    for header, body in blocks(text, _SECTION, _RULE):
        if (header[1] or "").startswith("ERROR collecting"):
            yield _failure(header[2], body.strip("\n"), "", root)
            continue
        title, bracket, parameters = header[2].partition("[")
        paths = (own_path(found[1] or found[3], root) for found in _PLACE.finditer(body))
        own = [found for found in paths if found]
        path = next((found for found in own if _TEST_FILE.search(found)), "".join(own[:1]))
        inner = title.replace(".", "::") + bracket + parameters
        yield _failure(f"{path}::{inner}" if path else inner, body.strip("\n"), "", root)


def _failure(name: str, detail: str, said: str, root: str) -> Failure:
    report = detail[: found.start()] if (found := _CAPTURED.search(detail)) else detail
    places = ((found[1] or found[3], found[2] or found[4]) for found in _PLACE.finditer(report))
    return Failure(name, _why(report) or said, last_own(places, root), detail)


def _why(report: str) -> str:
    """The assertion: the first line of the last exception."""
    last = _last(_WHYS.finditer(report))
    if last is None:
        if doctest := _DOCTEST.search(report):
            return message([f"expected {doctest[1].strip()}, got {doctest[2].strip()}"])
        native = _last(_ENDS_WITH_ERROR.finditer(report))
        return message([native[0]]) if native else ""
    lines = [found[1] for found in _WHY.finditer(last[0])]
    syntax = lines and lines[0].lstrip().startswith('File "')
    return message(lines[-1:] if syntax else lines)


def _last(found: Iterable[re.Match[str]]) -> re.Match[str] | None:
    return next(iter(deque(found, maxlen=1)), None)
