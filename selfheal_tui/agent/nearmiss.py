"""What a model that called a tool by a wrong name, or with a wrong argument, probably meant.

Only for sentences: a call is never run by a guess.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_ALSO_CALLED = {
    "shell": "bash",
    "execute": "bash",
    "run": "bash",
    "terminal": "bash",
    "run_command": "bash",
    "run_bash": "bash",
    "execute_command": "bash",
    "str_replace": "edit_file",
    "replace": "edit_file",
    "apply_patch": "edit_file",
    "cat": "read_file",
    "view": "read_file",
    "open_file": "read_file",
    "create_file": "write_file",
    "grep": "search",
    "find": "search",
    "finish": "submit",
    "done": "submit",
    "attempt_completion": "submit",
    "cmd": "command",
    "script": "command",
    "filename": "path",
    "target": "path",
    "replacement": "new",
    "text": "content",
    "query": "pattern",
    "regex": "pattern",
    "replace_all": "all",
    "message": "commit_message",
}
"""Names that tools and their arguments have elsewhere."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a `name` that is not among `known`; `what` says how it begins."""
    names = list(known)
    near = nearest(name, names)
    meant = f"; did you mean `{near}`" if near else ""
    return f"{what}{meant}; there are {', '.join(names)}"


def nearest(name: str, known: Sequence[str]) -> str:
    """The one of `known` that `name` most likely means; empty where none is near."""
    plain = name.strip().lower().replace("-", "_").removeprefix("functions.")[:80]
    if plain in known:
        return plain
    if _ALSO_CALLED.get(plain) in known:
        return _ALSO_CALLED[plain]
    parts = plain.split("_")
    within = [each for each in known if each in parts]
    if len(within) == 1:
        return within[0]
    close = difflib.get_close_matches(plain, known, n=1, cutoff=0.7)
    return close[0] if close else ""
