"""A bench's report as JUnit XML, as CI systems read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from selfheal_tui.core.bench.figures import Figures
from selfheal_tui.core.bench.outcome import (
    ALREADY_GREEN,
    NO_VERDICT,
    NOT_HEALED,
    CaseOutcome,
)

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 holds in no form, escaped or not."""


def junit_report(outcomes: Sequence[CaseOutcome], figures: Figures, name: str) -> bytes:
    """The document in UTF-8: one suite; a case that did not heal is a failure, one without a
    verdict an error, one that was green before a skip."""
    counts = {
        "tests": str(len(outcomes)),
        "failures": str(figures.not_healed),
        "errors": str(figures.no_verdict),
        "skipped": str(figures.already_green),
        "time": f"{figures.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "selfheal bench"} | counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _fit(name)} | counts)
    for outcome in outcomes:
        suite.append(_case(outcome, name))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(outcome: CaseOutcome, name: str) -> ElementTree.Element:
    told = {
        "name": _fit(outcome.case),
        "classname": _fit(name),
        "time": f"{outcome.seconds:.3f}",
    }
    case = ElementTree.Element("testcase", told)
    properties = ElementTree.SubElement(case, "properties")
    for key, value in _properties(outcome):
        ElementTree.SubElement(properties, "property", {"name": key, "value": value})
    kinds = {NOT_HEALED: "failure", NO_VERDICT: "error", ALREADY_GREEN: "skipped"}
    if kind := kinds.get(outcome.status):
        made = ElementTree.SubElement(case, kind, {"message": _fit(outcome.words)})
        made.text = _fit(outcome.text)
    return case


def _properties(outcome: CaseOutcome) -> list[tuple[str, str]]:
    return [
        ("attempts", str(len(outcome.attempts))),
        ("healed_at", str(outcome.healed_at)),
        ("input_tokens", str(outcome.input_tokens)),
        ("output_tokens", str(outcome.output_tokens)),
        ("cost_usd", f"{outcome.cost:.6f}" if outcome.priced else "not known"),
        ("session", _fit(outcome.session)),
    ]


def _fit(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
