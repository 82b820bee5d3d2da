"""Files of which only a part decides the verdict: package.json, pyproject.toml, Rust's modules of
tests and the like. Tells that part, and puts it back without touching the rest.

Where the parts cannot be told apart, it is the whole file that goes back.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tomli

from selfheal_tui.core.guard.known import RUNNERS
from selfheal_tui.core.guard.words import MAX_READ, squeezed, text_of, without_strings
from selfheal_tui.core.pathkinds import LOCK, classify

Span = tuple[int, int]
"""Where a protected piece of a text begins and ends."""


@dataclass(frozen=True)
class PartKind:
    """How to find the protected pieces in files of one kind. `facts` tells what they say where
    that can be written in other ways than the pieces show; pieces that are `appendable` may stand
    at the end of the file as well."""

    spans: Callable[[str], list[Span]]
    facts: Callable[[str], object] | None = None
    appendable: bool = True


def part_of(path: str) -> PartKind | None:
    """The kind of a file of which a part is protected; None for any other."""
    name = path.rpartition("/")[2].lower()
    if name.endswith((".rs", ".gradle", ".gradle.kts")):
        return _RUST if name.endswith(".rs") else _GRADLE
    if _REQUIREMENTS.fullmatch(name):
        return _RUNNER_LINES
    return _BY_NAME.get(name)


def is_lock(path: str) -> bool:
    """Whether the file is a lock file, of which what it says of runners is protected."""
    return LOCK in classify(path)


def protected_part(path: str, content: bytes) -> object:
    """What of the file's content decides the verdict, as a value to compare; falsy for nothing."""
    kind, text = part_of(path), text_of(content)
    if len(content) > MAX_READ:
        return content
    if is_lock(path):
        return tuple(_runner_blocks(text))
    if kind is None:
        return content
    if kind.facts is not None:
        return kind.facts(text)
    return tuple(squeezed(text[start:end]) for start, end in kind.spans(text))


def part_text(path: str, content: bytes) -> str:
    """The protected lines of the file, the others empty, so that lines keep their numbers."""
    text = text_of(content)
    kind = part_of(path)
    if kind is None:
        return text
    spans = kind.spans(text)
    if kind.facts is not None and not spans:
        # It says something all the same, in a way of writing that has no lines of its own.
        return text if kind.facts(text) else ""
    keep = bytearray(len(text))
    for start, end in spans:
        keep[start:end] = b"\1" * (end - start)
    return "".join(c if kept or c == "\n" else " " for c, kept in zip(text, keep, strict=True))


def put_back(path: str, after: bytes, before: bytes) -> bytes | None:
    """`after` with the protected part of `before`; None where that cannot be told apart."""
    kind = part_of(path)
    if kind is None or max(len(after), len(before)) > MAX_READ:
        return None
    if kind is _JSON:
        made = _package_put_back(after, before)
    else:
        made = _text_put_back(kind, _lossless(after), _lossless(before))
    if made is None or protected_part(path, made) != protected_part(path, before):
        return None
    return made


def _lossless(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _text_put_back(kind: PartKind, after: str, before: str) -> bytes | None:
    olds = [before[start:end] for start, end in kind.spans(before)]
    news = kind.spans(after)
    if len(olds) == len(news):
        made = _replaced(after, news, olds)
    elif kind.appendable or not olds:
        made = _replaced(after, news, [""] * len(news))
        made = "\n".join([made.rstrip("\n"), *olds]) if olds else made
    else:
        return None
    return made.encode("utf-8", "surrogateescape")


def _replaced(text: str, spans: Sequence[Span], pieces: Sequence[str]) -> str:
    made, at = [], 0
    for (start, end), piece in zip(spans, pieces, strict=True):
        made += [text[at:start], piece]
        at = end
    return "".join([*made, text[at:]])


# --- sections of TOML and INI files ------------------------------------------------------------

_HEADER = re.compile(r"^[ \t]*\[\[?([^\[\]\n]+)\]\]?[ \t]*(?:[#;][^\n]*)?$", re.MULTILINE)


def _sections(wanted: re.Pattern[str]) -> Callable[[str], list[Span]]:
    def spans(text: str) -> list[Span]:
        headers = list(_HEADER.finditer(text))
        ends = [*(found.start() for found in headers[1:]), len(text)]
        return [
            (found.start(), end)
            for found, end in zip(headers, ends, strict=False)
            if wanted.fullmatch(re.sub(r"[\"'\s]", "", found[1]))
        ]

    return spans


_TOOLS = (
    "pytest|tox|nox|coverage|poe|taskipy|nose|nose2|unittest|testenv"
    "|ruff|mypy|pyright|pylint|flake8"
)
_IN_PARTS = {"hatch": "envs", "pdm": "scripts"}
"""Tools of which only a part has a say."""

_PYPROJECT_SECTIONS = re.compile(
    rf"tool\.(?:(?:{_TOOLS})|hatch\.envs|pdm\.scripts)(?:\..*)?|project\.entry-points\.pytest11"
)
_SETUP_SECTIONS = re.compile(rf"(?:tool:)?(?:{_TOOLS})(?:[:.-].*)?")
_CARGO_SECTIONS = re.compile(r"test|bench|profile\.test(?:\..*)?")


def _pyproject_facts(text: str) -> object:
    data = _toml(text)
    if data is None:
        return squeezed(text)
    tools = _table(data.get("tool"))
    own = {name: tools[name] for name in tools if re.fullmatch(_TOOLS, name)}
    for name, part in _IN_PARTS.items():
        own |= {name: found} if (found := _table(tools.get(name)).get(part)) else {}
    plugins = _table(_table(data.get("project")).get("entry-points")).get("pytest11")
    return repr([own, plugins]) if own or plugins else ""


def _cargo_facts(text: str) -> object:
    data = _toml(text)
    if data is None:
        return squeezed(text)
    lib, package = _table(data.get("lib")), _table(data.get("package"))
    found = [
        data.get("test"),
        data.get("bench"),
        {name: lib[name] for name in ("test", "doctest", "harness") if name in lib},
        {name: package[name] for name in ("autotests", "autobenches") if name in package},
        _table(data.get("profile")).get("test"),
    ]
    return repr(found) if any(found) else ""


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError):
        return None


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# --- package.json ------------------------------------------------------------------------------

_PACKAGE_KEYS = (
    *("scripts", "jest", "vitest", "mocha", "ava", "tap", "nyc", "c8", "config", "wireit"),
    *("eslintConfig", "bin-links", "script-shell"),
)
_NEEDS = ("dependencies", "devDependencies", "overrides", "resolutions")


def _package_spans(text: str) -> list[Span]:
    """The lines of the protected keys, to be named; what they say is read as JSON."""
    keys = "|".join(_PACKAGE_KEYS)
    found = re.compile(rf'^[ \t]*"(?:{keys})"[ \t]*:[^\n]*\n?', re.MULTILINE)
    first = itertools.islice(found.finditer(text), 50)
    return [_object_span(text, match) for match in first]


def _object_span(text: str, match: re.Match[str]) -> Span:
    """From the key to the closing bracket that stands below it."""
    line = text[match.start() : match.end()]
    if "{" not in line or "}" in line:
        return match.span()
    indent = re.match(r"[ \t]*", line)
    closing = f"\n{indent[0] if indent else ''}}}"
    end = text.find(closing, match.end() - 1)
    return match.start(), (end + len(closing) if end >= 0 else match.end())


def _package_facts(text: str) -> object:
    package = _json(text)
    if package is None:
        return squeezed(text)
    found = _package_part(package)
    return json.dumps(found, sort_keys=True) if found else ""


def _package_part(package: dict[str, Any]) -> dict[str, Any]:
    part = {name: package[name] for name in _PACKAGE_KEYS if name in package}
    for name in _NEEDS:
        runners = {key: value for key, value in _table(package.get(name)).items() if key in RUNNERS}
        if runners:
            part[name] = runners
    return part


def _package_put_back(after: bytes, before: bytes) -> bytes | None:
    new, old = _json(text_of(after)), _json(text_of(before) or "{}")
    if new is None or old is None:
        return None
    made = {name: value for name, value in new.items() if name not in _PACKAGE_KEYS}
    made |= {name: old[name] for name in _PACKAGE_KEYS if name in old}
    for name in _NEEDS:
        needed = {k: v for k, v in _table(new.get(name)).items() if k not in RUNNERS}
        needed |= {k: v for k, v in _table(old.get(name)).items() if k in RUNNERS}
        if needed or name in new:
            made[name] = needed
    return json.dumps(made, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _json(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


# --- code ----------------------------------------------------------------------------------------

_RUST_TEST = re.compile(
    r"#\s*\[\s*(?:cfg\s*\([^\]\n]{0,200}\btest\b|(?:\w+\s*::\s*)*test\b|rstest\b"
    r"|ignore\b|should_panic\b)"
)
_GRADLE_TEST = re.compile(
    r"^[ \t]{0,80}(?:test|integrationTest|check|testing"
    r"|tasks\.(?:test|check|named|withType)\b[^{\n]{0,200})\s{0,80}(?=\{)",
    re.MULTILINE,
)


def _rust_spans(text: str) -> list[Span]:
    return _blocks(text, _RUST_TEST)


def _gradle_spans(text: str) -> list[Span]:
    return _blocks(text, _GRADLE_TEST)


def _blocks(text: str, begins: re.Pattern[str]) -> list[Span]:
    """What begins so, each to the end of its braces, or to a semicolon before any."""
    bare = without_strings(text)
    starts = [found.start() for found in begins.finditer(bare)]
    spans: list[Span] = []
    for start in starts:
        if not spans or start >= spans[-1][1]:
            spans.append((start, _block_end(bare, start)))
    return spans


_MARK = re.compile(r"[{};]")


def _block_end(bare: str, start: int) -> int:
    depth = 0
    for mark in _MARK.finditer(bare, start):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth <= 0:
            return mark.end()
    return len(bare)


# --- lines and elements --------------------------------------------------------------------------

_PLUGIN = re.compile(r"<(/?)plugin>")
_POM_KEY = re.compile(
    r"<(?P<key>skipTests|skipITs|testFailureIgnore|maven\.test\.[\w.]+|surefire\.[\w.]+)>"
    r"[^<]*</(?P=key)>"
)
_POM_RUNNERS = ("surefire", "failsafe")
_REQUIREMENTS = re.compile(r"(?:requirements|constraints)[\w.-]*\.(?:txt|in)")
_PACKAGE_LINE = re.compile(r"^[ \t]*([\w.-]+)[^\n]*\n?", re.MULTILINE)
_CMAKE_LINE = re.compile(
    r"^[ \t]*(?:add_test|enable_testing|set_tests_properties|include[ \t]*\([ \t]*CTest"
    r"|gtest_discover_tests|catch_discover_tests)\b[^\n]*\n?",
    re.MULTILINE | re.IGNORECASE,
)


def _pom_spans(text: str) -> list[Span]:
    """The plugins that run tests, and what else tells Maven to skip them."""
    spans: list[Span] = []
    start = -1
    for mark in _PLUGIN.finditer(text):
        if not mark[1]:
            start = mark.start()
        elif start >= 0:
            inner = text[start : mark.end()]
            spans += [(start, mark.end())] if any(name in inner for name in _POM_RUNNERS) else []
            start = -1
    keys = (found.span() for found in _POM_KEY.finditer(text))
    apart = (key for key in keys if not any(a <= key[0] < b for a, b in spans))
    return sorted([*spans, *itertools.islice(apart, 200)])


def _cmake_spans(text: str) -> list[Span]:
    return [found.span() for found in _CMAKE_LINE.finditer(text)]


def _runner_line_spans(text: str) -> list[Span]:
    return [found.span() for found in _PACKAGE_LINE.finditer(text) if is_runner(found[1])]


def is_runner(package: str) -> bool:
    """Whether a package of this name runs tests, or hooks into what does."""
    name = package.lower().strip("\"'/").replace("_", "-").rpartition("/")[2]
    return name in RUNNERS or name.startswith(("pytest-", "jest-", "vitest-", "mocha-"))


_BLOCK = re.compile(r"\n[ \t]*\n")
_NAMES = re.compile(r"[@\w./-]{2,214}")


def _runner_blocks(text: str) -> list[str]:
    """The blocks of a lock file (or its lines, where it has no blocks) that begin with a runner."""
    pieces = _json_entries(text) if text.lstrip().startswith("{") else _BLOCK.split(text)
    if len(pieces) < 3:
        pieces = text.split("\n")
    return [squeezed(piece) for piece in pieces if _begins_with_runner(piece)]


_ENTRY = re.compile(r'^    "(?=[^"\n]*"[ \t]*:[ \t]*\{)', re.MULTILINE)


def _json_entries(text: str) -> list[str]:
    starts = [found.start() for found in _ENTRY.finditer(text)]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=False)]


def _begins_with_runner(piece: str) -> bool:
    beginning = "\n".join(piece[:400].strip().split("\n")[:2])
    return any(is_runner(name.split("@")[0] or name) for name in _NAMES.findall(beginning))


_JSON = PartKind(_package_spans, _package_facts)
_RUST = PartKind(_rust_spans)
_GRADLE = PartKind(_gradle_spans)
_RUNNER_LINES = PartKind(_runner_line_spans)
_BY_NAME = {
    "package.json": _JSON,
    "pyproject.toml": PartKind(_sections(_PYPROJECT_SECTIONS), _pyproject_facts),
    "setup.cfg": PartKind(_sections(_SETUP_SECTIONS)),
    "cargo.toml": PartKind(_sections(_CARGO_SECTIONS), _cargo_facts),
    "pom.xml": PartKind(_pom_spans, appendable=False),
    "cmakelists.txt": PartKind(_cmake_spans, appendable=False),
}
