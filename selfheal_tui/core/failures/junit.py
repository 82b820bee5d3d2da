"""Reads JUnit XML, in a check's output and in files that it wrote.

Refuses a document that brings its own types or entities, and keeps only what a failure needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.parsers import expat

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own, java_frames, js_frames, own_path
from selfheal_tui.core.failures.report import Report, message

MAX_DOCUMENT = 2 * 1024 * 1024
"""Characters of a document; a larger one is not read."""

_START = re.compile(r"<testsuites?[\s>]")
_ENDS = ("</testsuites>", "</testsuite>")
_MAX_DOCUMENTS = 200
_MAX_DETAIL = 20_000
_MAX_DEPTH = 50
_PYTHON_PLACE = re.compile(r"^([^\s:]+\.py):(\d+): ", re.MULTILINE)


def read(text: str, root: str = "") -> Report | None:
    """Failing tests as `classname.name`; None where no such document is in the output."""
    return read_documents(list(_documents(text)), root)


def read_documents(documents: Sequence[str], root: str = "") -> Report | None:
    """The failing tests of whole documents together; None where none of them can be read."""
    reports = [found for one in documents if (found := _suite(one, root)) is not None]
    if not reports:
        return None
    failures = {failure.name: failure for report in reports for failure in report.failures}
    return Report(tuple(failures.values()), sum(report.passed or 0 for report in reports))


def _documents(text: str) -> Iterator[str]:
    """The text from each first opening tag to its closing one."""
    start = _START.search(text)
    for _ in range(_MAX_DOCUMENTS):
        if start is None:
            return
        closing = _ENDS[0] if text.startswith("<testsuites", start.start()) else _ENDS[1]
        end = text.find(closing, start.end())
        if end < 0:
            return
        yield text[start.start() : end + len(closing)]
        start = _START.search(text, end)


def _suite(document: str, root: str) -> Report | None:
    if len(document) > MAX_DOCUMENT or _START.search(document) is None:
        return None
    cases = _Cases(root)
    try:
        cases.feed(document)
    except (expat.ExpatError, ValueError):
        return None
    return Report(tuple(cases.failures), cases.passed)


class _Cases:
    """Hears a document and keeps its test cases. Raises ValueError for what is refused."""

    def __init__(self, root: str) -> None:
        self.failures: list[Failure] = []
        self.passed = 0
        self._root = root
        self._depth = 0
        self._case: Mapping[str, str] | None = None
        self._said: Mapping[str, str] | None = None
        self._state = "passed"
        self._text: dict[str, list[str]] = {}
        self._hearing = ""
        self._size = 0

    def feed(self, document: str) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        # What the document says of its encoding was true of the bytes, which are text by now.
        body = document[document.index("<testsuite") :]
        parser.Parse(body.encode("utf-8", "replace"), True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        if tag == "testcase":
            self._case, self._said, self._state = attributes, None, "passed"
            self._text, self._size = {}, 0
        elif tag in ("failure", "error") and self._case is not None and self._said is None:
            self._said, self._state, self._hearing = attributes, "failed", "said"
        elif tag == "skipped" and self._state == "passed":
            self._state = "skipped"
        elif tag in ("system-out", "system-err"):
            self._hearing = "printed"

    def _say(self, text: str) -> None:
        if self._hearing and self._case is not None and self._size < _MAX_DETAIL:
            self._text.setdefault(self._hearing, []).append(text)
            self._size += len(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._hearing = ""
        if tag != "testcase" or self._case is None:
            return
        if self._state == "failed":
            self.failures.append(self._failure(self._case, self._said or {}))
        self.passed += self._state == "passed"
        self._case = None

    def _failure(self, case: Mapping[str, str], said: Mapping[str, str]) -> Failure:
        told = "".join(self._text.get("said", ())).strip("\n")
        detail = told or "".join(self._text.get("printed", ())).strip("\n")
        why = said.get("message") or told or said.get("type") or detail
        return Failure(_name(case), message(why.split("\n")), self._place(case, told), detail)

    def _place(self, case: Mapping[str, str], told: str) -> str:
        path, line = own_path(case.get("file", ""), self._root), case.get("line", "")
        if path and line.isdecimal():
            return f"{path}:{line}"
        frames = [*java_frames(told, case.get("classname", "")), *js_frames(told)]
        python = [(at[1], at[2]) for at in _PYTHON_PLACE.finditer(told)]
        return first_own([*python[-1:], *frames], self._root)


def _name(case: Mapping[str, str]) -> str:
    """`classname.name`, said once where both are the same, as ctest has it."""
    parts = [case.get("classname", ""), case.get("name", "")]
    parts = parts[:1] if parts[0] == parts[1] else parts
    name = ".".join(" ".join(part.split()) for part in parts if part.strip())
    return name.replace("()", "") or "(unnamed)"


def _refuse(*_: object) -> None:
    raise ValueError("a document must not bring its own types")
