"""Reads ctest."""

from __future__ import annotations

import re

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.report import Report, blocks, message

_ENDED = re.compile(r"^\d+% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})$", re.MULTILINE)
_LIST = re.compile(r"^The following tests FAILED:$", re.MULTILINE)
_NAMED = re.compile(r"^\t *\d+ - (\S.*) \((.*)\)", re.MULTILINE)
_RAN = re.compile(r"^ *\d+/\d+ Test +#\d+: (\S.*?) \.*\s*\*\*\*(.*)$", re.MULTILINE)
_STOP = re.compile(r"^ *(?:Start +\d+: |\d+/\d+ Test +#|\d+% tests passed)", re.MULTILINE)


def read(text: str, root: str) -> Report | None:
    """Failing tests by name; None where this is no report of ctest. Places are not told."""
    ended = list(_ENDED.finditer(text))
    if not ended:
        return None
    printed = {found[1]: body.strip("\n") for found, body in blocks(text, _RAN, _STOP)}
    failures = [
        _failure(found[1], found[2], printed.get(found[1], ""))
        for _, body in blocks(text, _LIST, _ENDED)
        for found in _NAMED.finditer(body)
    ]
    return Report(tuple(failures), sum(int(end[2]) - int(end[1]) for end in ended))


def _failure(name: str, how: str, printed: str) -> Failure:
    return Failure(name, message(printed.split("\n")[-1:]) or how, "", printed or how)
