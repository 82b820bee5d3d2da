"""Handwritten problems in HumanEval's format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def problem(number: int, name: str, prompt: str, solution: str, test: str) -> dict[str, Any]:
    """One problem; `test` are the lines of `check`."""
    lines = "".join(f"    {line}\n" for line in test.splitlines())
    return {
        "task_id": f"Hand/{number}",
        "prompt": prompt,
        "entry_point": name,
        "canonical_solution": solution,
        "test": f"\n\nMETADATA = {{}}\n\n\ndef check(candidate):\n{lines}\n",
    }


SECONDS = problem(
    0,
    "in_seconds",
    'from typing import List\n\n\ndef in_seconds(parts: List[int]) -> int:\n    """ Hours, minutes'
    ' and seconds as seconds.\n    >>> in_seconds([1, 0, 1])\n    3601\n    """\n',
    "    hours, minutes, seconds = parts\n    return hours * 3600 + minutes * 60 + seconds\n",
    "assert candidate([1, 0, 1]) == 3601\nassert candidate([0, 2, 0]) == 120",
)
BESIDE = problem(
    1,
    "again",
    "import math\n\n\ndef twice(x):\n    return 2 * x\n\n\ndef again(x: int) -> int:\n"
    '    """ Half of what twice() gives; \\d stands here too. """\n',
    "    return twice(x) // 2\n",
    # Uses a function and a module of the prompt, as some problems do.
    "assert candidate(twice(4)) == 8\nassert candidate(int(math.sqrt(9))) == 3",
)
QUOTES = problem(
    2,
    "quoted",
    "def quoted(text):\n\t'''Text in quotes; a tab is the indent here.'''",
    "\n\treturn '\"' + text + '\"'\n",
    "assert candidate('ä') == '\"ä\"'",
)
PROBLEMS = (SECONDS, BESIDE, QUOTES)


def write_problems(file: Path, problems: Any = PROBLEMS) -> Path:
    """The problems as a file, packed where its name says so."""
    content = "".join(json.dumps(one) + "\n" for one in problems).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file
