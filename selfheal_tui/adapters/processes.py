"""Whether a process of this machine is there, whoever it belongs to."""

from __future__ import annotations

import os


def answers(pid: int) -> bool:
    """Whether a process has this number. One that no process can have is not called free."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
