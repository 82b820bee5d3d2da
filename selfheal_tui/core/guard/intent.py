"""Whether a task is about tests, or about what runs them, by its words.

It only decides what the coder is told; what a change does is found in the change.
"""

from __future__ import annotations

import re

_NOUN = (
    r"(?:unit |integration |regression |end-to-end |e2e |failing |broken |flaky |new |old )?"
    r"(?:tests?|test (?:suite|case|file|data|coverage)s?|testcases?|specs?|snapshots?|fixtures?|"
    r"assertions?|(?:test )?coverage|conftest(?:\.py)?|pytest\.ini|ci|pipelines?|workflows?|"
    r"continuous integration|test (?:config(?:uration)?|runner|setup)|[\w/]*test_\w+(?:\.py)?)"
)
_VERB = (
    r"(?:add|write|create|extend|improve|update|change|rewrite|rename|move|delete|remove|drop|"
    r"refactor|adapt|adjust|migrate|port|convert|replace|regenerate|refresh|skip|disable|"
    r"parametri[sz]e|split|clean up|speed up|correct|set up|configure|simplify|edit|modify|raise)"
)
_ABOUT = re.compile(
    rf"\b{_VERB}\b(?: (?!(?:so|to|until|till|such|that|because|since|when|which|for|and make)\b)"
    rf"[\w'`.,/()-]+){{0,5}}? {_NOUN}\b(?! (?:pass|succeed|go|work|run|green|fails?|again)\b)",
)
_WRONG = re.compile(
    rf"\b{_NOUN}(?: (?:of|for|in) [\w'`.()]+)?"
    r" (?:is|are|was|were|itself|themselves|seems?|look) (?:\w+ )?"
    r"(?:wrong|outdated|obsolete|flaky|stale|out of date|incorrect|too (?:strict|slow)|missing)\b"
)
_NEVER = re.compile(
    r"\b(?:do not|don't|dont|never|without|not|no|must not|mustn't) "
    r"(?:\w+ ){0,2}?(?:touch|chang|edit|modif|delet|remov|skip|weaken|adapt|updat|rewrit)\w*"
    rf"(?: [\w'`]+){{0,4}}? {_NOUN}\b"
)
_LONGEST = 4000


def is_about_tests(task: str) -> bool:
    """Whether the task itself asks to change tests, or what runs them."""
    text = " ".join(task[:_LONGEST].lower().split())
    if _NEVER.search(text):
        return False
    return _ABOUT.search(text) is not None or _WRONG.search(text) is not None
