"""Text of outside as parts of a Markdown document that it cannot break out of.

Everything passes `core.text.printable`. Refuses to let anything through as markup, so that no
reader of the document loads or runs what a repository or a model wrote into it.
"""

from __future__ import annotations

import html
import re

from selfheal_tui.core.text import cut_middle, one_line, printable

BLOCK = 20_000
"""Characters of one block at most; what is longer is cut in the middle."""

LINE = 400

_RUNS = re.compile("`+")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&$])")
_LIST_MARK = re.compile(r"^([-+=](?=[-+=\s]|$)|\d+[.)](?=\s|$))")
"""What begins a list; or, of nothing else, underlines a heading or draws a rule."""


def fenced(text: str, info: str = "text") -> str:
    """`text` as a block of code. The fence is longer than any run of backticks in it."""
    shown = printable(cut_middle(text.rstrip("\n"), BLOCK))
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{info}\n{shown}\n{fence}"


def code(text: str) -> str:
    """`text` as one line of code within a sentence."""
    shown = one_line(text, LINE)
    if not shown:
        return ""
    mark = "`" * (_longest_run(shown) + 1)
    gap = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{mark}{gap}{shown}{gap}{mark}"


def plain(text: str, limit: int = LINE) -> str:
    """`text` as words of one line: no character of it is markup."""
    shown = _MARKUP.sub(r"\\\1", one_line(text, limit))
    return _LIST_MARK.sub(lambda found: f"{found[1][:-1]}\\{found[1][-1]}", shown)


def folded(summary: str, *blocks: str) -> str:
    """`blocks` behind a line that opens them."""
    head = f"<details><summary>{html.escape(one_line(summary, LINE))}</summary>"
    return "\n\n".join([head, *(block for block in blocks if block), "</details>"])


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
