"""Reads the report of Python's unittest."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure

_BLOCK = re.compile(
    r"^={70}\n(?:FAIL|ERROR): (\S+)(?: \(([^()\n]*)\))?[^\n]*\n(?:[^\n=-][^\n]*\n)?-{70}\n",
    re.MULTILINE,
)
_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_SKIPPED = re.compile(r"\bskipped=(\d+)")
_FRAME = re.compile(r'^  File "([^"\n]+)", line (\d+)', re.MULTILINE)


def read(text: str) -> tuple[tuple[Failure, ...], int | None] | None:
    """Failing tests by dotted name and how many passed; None where this is no such report."""
    ran = _RAN.search(text)
    if ran is None:
        return None
    blocks = list(_BLOCK.finditer(text))
    ends = [block.start() for block in blocks[1:]] + [ran.start()]
    failures = [
        _failure(block, text[block.end() : end]) for block, end in zip(blocks, ends, strict=False)
    ]
    # Subtests fail under the name of their test.
    unique = {failure.name: failure for failure in failures}
    skipped = _SKIPPED.search(text, ran.end())
    left = int(ran[1]) - len(unique) - (int(skipped[1]) if skipped else 0)
    return tuple(unique.values()), max(left, 0)


def _failure(block: re.Match[str], body: str) -> Failure:
    detail = body.strip("-\n ")
    frames = _FRAME.findall(detail)
    own = [frame for frame in frames if "/unittest/" not in frame[0]] or frames
    location = f"{own[-1][0].removeprefix('/work/')}:{own[-1][1]}" if own else ""
    lines = [line for line in detail.splitlines() if line and not line.startswith(" ")]
    return Failure(_name(block[1], block[2] or ""), lines[-1] if lines else "", location, detail)


def _name(method: str, within: str) -> str:
    """`module.Class.method`; newer Pythons print the whole name in the parentheses."""
    if not within or within.endswith(f".{method}") or method in ("setUpClass", "tearDownClass"):
        return within or method
    return f"{within}.{method}"
