"""Reads JUnit XML in the output. Refuses a document that brings its own types or entities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.report import Report, message

_START = re.compile(r"<testsuites?[\s>]")
_ENDS = ("</testsuites>", "</testsuite>")
_MAX_DOCUMENTS = 200


def read(text: str) -> Report | None:
    """Failing tests as `classname.name`; None where no such document can be read."""
    reports = [found for document in _documents(text) if (found := _suite(document)) is not None]
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


def _suite(document: str) -> Report | None:
    if "<!" in document.replace("<![CDATA[", ""):
        return None
    try:
        suite = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ValueError):
        return None
    failures, passed = [], 0
    for case in suite.iter("testcase"):
        said = next((part for part in case if part.tag in ("failure", "error")), None)
        if said is not None:
            failures.append(_failure(case, said))
        elif case.find("skipped") is None:
            passed += 1
    return Report(tuple(failures), passed)


def _failure(case: ElementTree.Element, said: ElementTree.Element) -> Failure:
    name = ".".join(filter(None, (case.get("classname"), case.get("name")))) or "(unnamed)"
    detail = (said.text or "").strip("\n")
    why = said.get("message") or said.get("type") or ""
    path, line = case.get("file") or "", case.get("line") or ""
    where = f"{path}:{line}" if path and line else ""
    return Failure(" ".join(name.split()), message((why or detail).split("\n")), where, detail)
