"""Lines that hide a failure, or leave tests out, in what starts a runner: scripts, Makefiles,
package.json, the settings of runners, continuous integration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.facts import Facts, Mark
from selfheal_tui.core.guard.words import lines_of, shown, without_comments

_HIDES = "a failure is hidden: {}"
_FEWER = "fewer tests are asked for: {}"
_ENDS = "the end of the check is changed: {}"

_RULES: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (kind, re.compile(pattern), text)
    for kind, pattern, text in (
        (
            kinds.HIDDEN,
            r"\|\|\s?(?:true|:|exit 0|echo|/bin/true|printf|return 0|cd \.|exit /b 0)",
            _HIDES,
        ),
        (kinds.HIDDEN, r";\s?(?:true|:|exit 0|/bin/true)\s?(?:[\"'#);]|$)", _HIDES),
        (
            kinds.HIDDEN,
            r"\bset \+[a-z]*e|\btrap\b.{0,200}\b(?:EXIT|ERR|0)\b|\|\s?(?:tee|cat)\b",
            _HIDES,
        ),
        (
            kinds.HIDDEN,
            r"continue-on-error:\s?true|allow_failure:\s?true|if:\s?['\"]?false",
            _HIDES,
        ),
        (
            kinds.HIDDEN,
            r"testFailureIgnore|ignoreFailures|ignore_outcome|ignore_errors|-fae\b|-fn\b",
            _HIDES,
        ),
        (
            kinds.HIDDEN,
            r"passWithNoTests|--pass-with-no-tests|--exit-zero|--no-error|--silent-exit",
            _HIDES,
        ),
        (
            kinds.HIDDEN,
            r"^\.IGNORE\b|\bmake\b.{0,80}\s-[a-z]*[ik]|--ignore-errors|--keep-going",
            _HIDES,
        ),
        (
            kinds.HIDDEN,
            r"--suppress-no-test-exit-code|--exitfirst-zero|--forceExit|suppressErrors",
            _HIDES,
        ),
        (
            kinds.SELECTION,
            r"--deselect|--ignore(?:-glob)?\b|--exclude\b|--skip\b|--co\b|--collect-only",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"(?:^|[\s\"'=])-k[\s=\"']|(?:^|\s)-m\s?[\"']?not\b|-m [\"']not|--no-run\b",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"(?:^|[\s\"'=])-(?:o\s?addopts|p\s?no:)|--override-ini|-run\s|--run\s",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"--testNamePattern|--testPathPattern|--grep\b|-g\s|--filter\b|--fgrep",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"testPathIgnore|testMatch|testRegex|modulePathIgnore|--shard|--onlyChanged",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"collect_ignore|norecursedirs|testpaths|python_(?:files|classes|functions)",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"skipTests|skipITs|maven\.test\.skip|surefire\.skip|-x test\b|excludeTags",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"(?:^|\s)(?:enabled|harness|autotests|doctest|test)\s?=\s?false",
            _FEWER,
        ),
        (
            kinds.SELECTION,
            r"<exclude>|<skip>|exclude\s?[(:\[=]|xfail_strict|--runxfail|only-failures",
            _FEWER,
        ),
        (
            kinds.EXIT,
            r"(?:^|[;&|]\s?|\bthen |\bsh -c .{0,40})(?:exit(?: 0)?|true|:)$|^exit 0\b",
            _ENDS,
        ),
        (kinds.EXIT, r"\bos\._exit|\bsys\.exit\(|\bprocess\.exit\b|\bexec true\b", _ENDS),
    )
)
_IGNORED_LINE = re.compile(r"^\t[@+]*-")
"""A recipe's line of which make takes no failure."""


def steering_facts(text: str, *, makefile: bool = False) -> Facts:
    """What in the text hides failures, or leaves tests out."""
    bare = without_comments(text, "#")
    raw = bare.split("\n") if makefile else []
    marks = list(_marks(bare))
    for number, line in enumerate(raw, 1):
        if _IGNORED_LINE.match(line):
            said = f"make takes no failure of this line: {shown(line)}"
            marks.append(Mark(kinds.HIDDEN, line, number, said))
    return Facts(marks=tuple(marks))


def _marks(text: str) -> Iterator[Mark]:
    for number, line in enumerate(lines_of(text), 1):
        for kind, pattern, said in _RULES:
            if line and pattern.search(line):
                yield Mark(kind, f"{kind} {line}", number, said.replace("{}", shown(line)))
                break
