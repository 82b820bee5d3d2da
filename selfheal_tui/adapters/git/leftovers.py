"""Names of our own unfinished writes, and whether the process that began one is gone.

Refuses to call anything left behind whose process still runs, as far as this machine tells.
"""

from __future__ import annotations

import os
import re
import secrets

from selfheal_tui.adapters.processes import answers

INDEX = "selfheal-index-"
"""How the name of a new index begins, in git's folder."""

TEMPORARY = re.compile(r"\.selfheal-(\d+)-[0-9a-f]{16}\.tmp")
"""The name of a new file in the working tree, until it takes its own."""

_NEW_INDEX = re.compile(rf"{INDEX}(\d+)-[0-9a-f]{{16}}")


def index_name() -> str:
    return f"{INDEX}{os.getpid()}-{secrets.token_hex(8)}"


def temporary_name() -> str:
    return f".selfheal-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def is_left_index(name: str) -> bool:
    """Whether it is the name of a new index whose process is gone."""
    return _is_left(_NEW_INDEX.fullmatch(name))


def is_left_file(name: str) -> bool:
    """Whether it is the name of a new file whose process is gone."""
    return _is_left(TEMPORARY.fullmatch(name))


def _is_left(found: re.Match[str] | None) -> bool:
    return found is not None and not answers(int(found[1]))
