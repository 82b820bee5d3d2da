"""Branch names from a task's words. Pure; refuses nothing, any text gives some name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MAX = 40


def slug(task: str) -> str:
    """Lower-case words of the task joined by `-`, at most 40 characters; `change` for none."""
    ascii_text = unicodedata.normalize("NFKD", task).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_text)
    text = "-".join(words)[: _MAX + 1]
    if len(text) > _MAX:
        text = text.rpartition("-")[0] or text[:_MAX]
    return text or "change"


def unused_branch(task: str, existing: Iterable[str]) -> str:
    """`selfheal/<slug>`, or with `-2`, `-3` ... the first that no existing branch stands against.

    Where a branch `selfheal` exists there can be none below it: then `selfheal-<slug>`.
    """
    taken = set(existing)
    name = f"selfheal-{slug(task)}" if "selfheal" in taken else f"selfheal/{slug(task)}"
    candidate, number = name, 1
    while candidate in taken or any(other.startswith(candidate + "/") for other in taken):
        number += 1
        candidate = f"{name}-{number}"
    return candidate
