"""How tests look in languages that are read line by line: data, and nothing that runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selfheal_tui.core.guard import finding as kinds

_END = "the process is ended, or how it ends is changed: {}"
_SKIPPED = "a test is skipped, or expected to fail: {}"
_FEW = "only some of the tests run: {}"
_PATCHED = "what runs the tests is replaced: {}"
_ASKS = "the code asks whether a test is running: {}"


@dataclass(frozen=True)
class Language:
    """`test` finds the beginning of a test and, as `name`, what it is called; `asserts` the
    beginning of an assertion; `marks` what weakens tests or steers their runner, each with its kind
    and its sentence. `comments` is a style of `core.guard.words`."""

    test: re.Pattern[str]
    asserts: re.Pattern[str]
    marks: tuple[tuple[str, re.Pattern[str], str], ...]
    comments: str = "c"
    early: re.Pattern[str] = re.compile(r"^(?:if\b.{0,200})?\breturn\b(?: ?;?\}?| Ok\(\(\)\);?)$")


def _marks(*rows: tuple[str, str, str]) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple((kind, re.compile(pattern), text) for kind, pattern, text in rows)


_SCRIPT = Language(
    re.compile(
        r"""^(?:await )?(?:it|test|specify|Deno\.test|bench|x?it|xtest|fit)(?:\.\w+)*"""
        r"""(?:\([^'"`]{0,80}\))?\(\s?(?P<quote>['"`])(?P<name>.{1,200}?)(?P=quote)"""
    ),
    re.compile(
        r"\b(?:expect|assert|chai|should|sinon\.assert)\b(?:\.\w+)*\s?\(|\bt\.\w+\(|\.should\."
    ),
    _marks(
        (kinds.SKIP, r"\b(?:xit|xtest|xdescribe|xcontext|xspecify|pending)\s?\(", _SKIPPED),
        (kinds.SKIP, r"\.(?:skip|todo|failing|fails|fixme|skipIf|runIf)\b\s?[(.`]", _SKIPPED),
        (kinds.SKIP, r"\b(?:skip|todo)\s?:\s?(?:true|['\"`])", _SKIPPED),
        (kinds.ONLY, r"\b(?:it|test|describe|suite|context)(?:\.\w+)?\.only\b", _FEW),
        (kinds.ONLY, r"\b(?:fit|fdescribe|ftest|fcontext)\s?\(|\bonly\s?:\s?true", _FEW),
        (kinds.EXIT, r"\bprocess\.(?:exit|reallyExit|abort|kill)\b", _END),
        (kinds.EXIT, r"\bprocess\.exitCode\s?=|\bprocess\.on\(\s?['\"](?:exit|beforeExit)", _END),
        (kinds.EXIT, r"\bDeno\.exit\b", _END),
        (
            kinds.RUNNER,
            r"\b(?:global|globalThis|window)\s?(?:\.|\[['\"])(?:it|test|expect|describe|assert)\b"
            r"[^=]{0,40}=(?!=)",
            _PATCHED,
        ),
        (kinds.RUNNER, r"\bassert(?:\.strict)?\.\w+\s?=(?!=)|\bexpect\.\w+\s?=(?!=)", _PATCHED),
        (kinds.RUNNER, r"\brequire\.cache\b|\bModule\._load\b|\bModule\.prototype\b", _PATCHED),
        (
            kinds.AWARE,
            r"\bJEST_WORKER_ID\b|\bprocess\.env\.VITEST\b|\bimport\.meta\.vitest\b",
            _ASKS,
        ),
    ),
)

_GO = Language(
    re.compile(r"^func (?P<name>(?:Test|Fuzz|Example|Benchmark)\w*)\s?\("),
    re.compile(
        r"\bt[bt]?\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require)\.\w+\("
        r"|\b(?:Expect|Ω|Eventually)\("
    ),
    _marks(
        (kinds.SKIP, r"\bt[bt]?\.Skip(?:f|Now)?\(|\btesting\.Short\(", _SKIPPED),
        (kinds.SKIP, r"\b(?:PIt|PDescribe|XIt|XDescribe|PContext)\(", _SKIPPED),
        (kinds.ONLY, r"\b(?:FIt|FDescribe|FContext)\(", _FEW),
        (
            kinds.SELECTION,
            r"^//\s?(?:go:build|\+build)\b",
            "a test file is built on a condition: {}",
        ),
        (kinds.EXIT, r"\bos\.Exit\((?!m\.Run|code\b)|\bsyscall\.(?:Exit|Kill)\(", _END),
        (kinds.RUNNER, r"^func TestMain\(", "how the tests are started is changed: {}"),
        (kinds.AWARE, r"\btesting\.Testing\(|flag\.Lookup\(\"test\.", _ASKS),
    ),
    early=re.compile(r"^return$"),
)

_RUST = Language(
    re.compile(r"^(?:pub )?(?:async )?fn (?P<name>\w+)\s?(?:<[^>]{0,80}>)?\("),
    re.compile(r"\b(?:debug_)?(?:assert\w*|panic|unreachable|prop_assert\w*)!\s?[(\[{]"),
    _marks(
        (kinds.SKIP, r"#\s?\[\s?ignore\b|#\s?\[\s?should_panic\b", _SKIPPED),
        (kinds.SKIP, r"#\s?\[\s?cfg(?:_attr)?\s?\((?!\s?test\s?\))", _SKIPPED),
        (kinds.EXIT, r"\bprocess::(?:exit|abort)\s?\(", _END),
        (kinds.RUNNER, r"#!?\s?\[\s?(?:test_runner|feature\(custom_test|reexport_test)", _PATCHED),
        (kinds.RUNNER, r"\bmacro_rules!\s?(?:debug_)?assert\w*", _PATCHED),
        (kinds.AWARE, r"\bcfg!\s?\(\s?test\s?\)", _ASKS),
    ),
    comments="rust",
    early=re.compile(r"^(?:if\b.{0,200})?\breturn\b(?:;| Ok\(\(\)\);?)(?: ?\})?$"),
)

_JAVA = Language(
    re.compile(
        r"^(?:@\w+(?:\([^)]{0,200}\))? ){0,9}"
        r"(?:(?:public|protected|private|static|final|suspend|internal) ){0,9}"
        r"(?:void|fun|def) `?(?P<name>\w[\w $]{0,120}?)`?\s?\("
    ),
    re.compile(r"\b(?:assert\w*|fail|verify\w*|expect\w*|then)\s?\("),
    _marks(
        (
            kinds.SKIP,
            r"@(?:Disabled|Ignore|Ignored)\b|@(?:Enabled|Disabled)(?:If|On|For)\w*",
            _SKIPPED,
        ),
        (kinds.SKIP, r"\b(?:Assume|Assumptions)\.|\bassum(?:e|ing)\w*\s?\(", _SKIPPED),
        (kinds.SKIP, r"@Test\([^)\n]{0,120}(?:enabled\s?=\s?false|expected\s?=)", _SKIPPED),
        (kinds.EXIT, r"\bSystem\.exit\s?\(|\.halt\s?\(|\bexitProcess\s?\(", _END),
        (kinds.RUNNER, r"\bsetSecurityManager\b|@(?:RunWith|ExtendWith)\b", _PATCHED),
        (
            kinds.CAUGHT,
            r"\bcatch\s?\(\s?(?:final )?(?:AssertionError|Throwable)\b",
            "a failing assert is caught: {}",
        ),
    ),
)

_RUBY = Language(
    re.compile(
        r"""^(?:it|specify|test|scenario)\s?\(?\s?['"](?P<name>.{1,200}?)['"]"""
        r"""|^def (?P<plain>test_\w+)"""
    ),
    re.compile(r"\b(?:expect|assert\w*|refute\w*|must_\w+|should)\b"),
    _marks(
        (kinds.SKIP, r"^(?:skip|pending|xit|xdescribe|xcontext|omit)\b|\bskip:\s?true", _SKIPPED),
        (kinds.ONLY, r"^(?:fit|fdescribe|fcontext)\b|\bfocus:\s?true", _FEW),
        (kinds.EXIT, r"^(?:exit!?|abort)\b|\bat_exit\b|\bKernel\.exit", _END),
    ),
    comments="#",
)

_OTHER = Language(
    re.compile(
        r"""^(?:TEST(?:_[FP])?|TEST_CASE|BOOST_AUTO_TEST_CASE|@test|test)\s?\(?\s?['"]?"""
        r"""(?P<name>[\w ,.:-]{1,200}?)['"]?\s?[){]"""
        r"""|^(?:(?:public|static|final|async) ){0,9}"""
        r"""(?:function|void|Task|func|def) (?P<plain>[Tt]est\w*)"""
    ),
    re.compile(
        r"\b(?:ASSERT|EXPECT|REQUIRE|CHECK|BOOST_\w+)(?:_\w+)?\s?\(|\bassert\w*\b|\bAssert\.|\$this->assert"
    ),
    _marks(
        (
            kinds.SKIP,
            r"\bGTEST_SKIP\b|\bDISABLED_\w|\bmarkTest(?:Skipped|Incomplete)\b|\bXCTSkip",
            _SKIPPED,
        ),
        (kinds.SKIP, r"\[(?:Ignore|Skip)\b|\bSkip\s?=\s?\"|@tag\s:?skip|\bWILL_FAIL\b", _SKIPPED),
        (
            kinds.EXIT,
            r"\b(?:_?exit|quick_exit|_Exit)\s?\(\s?0?\s?\)|\babort\s?\(\)|\bEnvironment\.Exit",
            _END,
        ),
    ),
)

LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(
        ("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"), _SCRIPT
    ),
    "go": _GO,
    "rs": _RUST,
    **dict.fromkeys(("java", "kt", "kts", "groovy", "scala"), _JAVA),
    "rb": _RUBY,
    **dict.fromkeys(
        ("c", "h", "cc", "cpp", "hpp", "cs", "php", "swift", "dart", "ex", "exs"), _OTHER
    ),
}
"""By the ending of a file's name."""
