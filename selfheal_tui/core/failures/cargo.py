"""Reads `cargo test`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import first_own
from selfheal_tui.core.failures.report import Report, blocks, message, sum_of

_RESULT = re.compile(r"^test result: (?:ok|FAILED)\. (\d+) passed; \d+ failed", re.MULTILINE)
_BINARY = re.compile(r"^ +Running (?:unittests )?(\S+\.rs) \(|^ +Doc-tests \S+$", re.MULTILINE)
_FAILED = re.compile(r"^test (\S.*?)(?: - should panic)? \.\.\. FAILED$", re.MULTILINE)
_SECTION = re.compile(r"^---- (\S.*) stdout ----$", re.MULTILINE)
_SECTIONS_END = re.compile(r"^(?:failures:|test result: .*)$", re.MULTILINE)
_PANIC = re.compile(r"panicked at (\S+?):(\d+):\d+:\n(.*)")
_OLD_PANIC = re.compile(r"panicked at '(.*)', (\S+?):(\d+):\d+$", re.MULTILINE)
_SIDE = re.compile(r"^ +(left|right): (.*)$", re.MULTILINE)
_OTHER = re.compile(r"^(Error: .*|note: test did not panic.*)$", re.MULTILINE)
_FRAME = re.compile(r"^ +at (\S+?):(\d+):\d+$| at (\S+\.rs):(\d+):\d+$", re.MULTILINE)


def read(text: str, root: str) -> Report | None:
    """Failing tests by path, those of `tests/api.rs` as `api::path`; None for no such report."""
    passed = _RESULT.findall(text)
    if not passed:
        return None
    failures = {failure.name: failure for failure in _failures(text, root)}
    return Report(tuple(failures.values()), sum_of(passed))


def _failures(text: str, root: str) -> Iterator[Failure]:
    starts = list(_BINARY.finditer(text))
    if not starts or starts[0].start() > 0:
        yield from _of_binary("", text[: starts[0].start() if starts else len(text)], root)
    for binary, report in blocks(text, _BINARY):
        yield from _of_binary(_crate(binary[1] or ""), report, root)


def _crate(source: str) -> str:
    """The crate of an integration test, which its paths do not name; empty for other binaries."""
    found = re.fullmatch(r"(?:\S+/)?tests/(\w+)(?:/main)?\.rs", source)
    return f"{found[1]}::" if found else ""


def _of_binary(crate: str, report: str, root: str) -> Iterator[Failure]:
    details = {
        found[1]: body.strip("\n") for found, body in blocks(report, _SECTION, _SECTIONS_END)
    }
    # With --quiet there are sections only.
    for name in dict.fromkeys([*_FAILED.findall(report), *details]):
        yield _failure(f"{crate}{name}", details.get(name, ""), root)


def _failure(name: str, detail: str, root: str) -> Failure:
    frames = [(at[1] or at[3], at[2] or at[4]) for at in _FRAME.finditer(detail)]
    if panic := _PANIC.search(detail):
        sides = ", ".join(f"{side} {value}" for side, value in _SIDE.findall(detail)[:2])
        why = f"{panic[3]} ({sides})" if sides else panic[3]
        where = first_own([(panic[1], panic[2]), *frames], root)
        return Failure(name, message([why]), where, detail)
    if panic := _OLD_PANIC.search(detail):
        where = first_own([(panic[2], panic[3]), *frames], root)
        return Failure(name, message([panic[1]]), where, detail)
    other = _OTHER.search(detail)
    why = message([other[1]] if other else detail.split("\n"))
    return Failure(name, why, first_own(frames, root), detail)
