"""What can be told from the words of a task without a model."""

from __future__ import annotations

import re

_ASKS_FOR_GREEN = re.compile(
    r"(please\s+)?(fix|make|get|heal|repair|turn)\b[^.!?]{0,80}"
    r"\b(tests?|checks?|build|suite|ci|pass|passing|green|work|succeed)(\s+again)?\s*[.!]*",
    re.IGNORECASE,
)


def asks_for_green(task: str) -> bool:
    """Whether the task is nothing but "make the check pass": done when it is green already."""
    return _ASKS_FOR_GREEN.fullmatch(" ".join(task.split())) is not None
