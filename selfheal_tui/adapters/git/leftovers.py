"""Names of our own unfinished writes, and whether the process that began one is gone.

Refuses to call anything left behind that another process may still be at work on.
"""

from __future__ import annotations

import os
import re
import secrets

INDEX = "selfheal-index-"
"""How the name of a new index begins, in git's folder."""

TEMPORARY = re.compile(r"\.selfheal-(\d+)-[0-9a-f]{16}\.tmp")
"""The name of a new file in the working tree, until it takes its own."""


def index_name() -> str:
    return f"{INDEX}{os.getpid()}-{secrets.token_hex(8)}"


def temporary_name() -> str:
    return f".selfheal-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def is_left_behind(name: str) -> bool:
    """Whether `name` is one of the two kinds, and its process is gone.

    This very process counts as gone: nothing of its own is unfinished while it looks, and in a
    container the next process often has the number of the last one.
    """
    found = TEMPORARY.fullmatch(name) or re.match(rf"{INDEX}(\d+)-", name)
    return found is not None and not _is_another(int(found[1]))


def _is_another(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
