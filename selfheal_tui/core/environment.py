"""Recognises in a red check's output what its environment lacks: a module, a program, another
version of the interpreter, a library of the system.

It names what is missing and refuses to say how it is installed. On any text it ends in linear
time and never raises; what it names is text from outside, of plain characters only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

MODULE, PROGRAM, INTERPRETER, LIBRARY = "module", "program", "interpreter", "library"

MAX_TEXT = 500_000
"""Characters of output that are looked at: the first half and the last half of so many."""

_MOST = 10
_LONGEST = 300


@dataclass(frozen=True)
class Missing:
    """One thing that is lacking.

    `kind` is `module`, `program`, `interpreter` or `library`; `name` what it is called where it is
    looked for (`yaml`, `@scope/name`, `node`, `libGL.so.1`, `zlib.h`); `language` whose module or
    interpreter it is (`python`, `node`, `java`, `go`, `rust`, `ruby`; empty for the system's);
    `wanted` and `found` are versions, where they are told. `evidence` is the line that says so.
    """

    kind: str
    name: str
    language: str = ""
    wanted: str = ""
    found: str = ""
    evidence: str = ""

    @property
    def words(self) -> str:
        """The thing in a few words: `the Python module yaml`."""
        language = _LANGUAGES.get(self.language, "")
        versions = f" {self.wanted}" if self.wanted else ""
        versions += f" (there is {self.found})" if self.found else ""
        if self.kind == INTERPRETER:
            return f"{language or self.name}{versions}"
        of = f"the {language} {self.kind}" if language else f"the {self.kind}"
        return f"{of} {self.name}{versions}"


_LANGUAGES = {"python": "Python", "node": "Node.js", "java": "Java", "go": "Go", "rust": "Rust",
              "ruby": "Ruby"}  # fmt: skip

_NAME = r"[A-Za-z0-9_@][\w.@/+-]{0,120}"
_VERSION = r"[\w.*<>=~^|, +-]{1,60}?"

Make = Callable[["re.Match[str]"], Missing]


def _module(language: str) -> Make:
    return lambda found: Missing(MODULE, found["name"], language)


def _program(found: re.Match[str]) -> Missing:
    return Missing(PROGRAM, found["name"].rpartition("/")[2])


def _library(found: re.Match[str]) -> Missing:
    return Missing(LIBRARY, found["name"])


def _linked(found: re.Match[str]) -> Missing:
    return Missing(LIBRARY, f"lib{found['name']}.so")


def _interpreter(language: str) -> Make:
    def make(found: re.Match[str]) -> Missing:
        told = found.groupdict()
        wanted, there = (told.get("wanted") or "").strip(), (told.get("found") or "").strip()
        return Missing(INTERPRETER, language, language, wanted.rstrip(".,"), there.rstrip(".,"))

    return make


def _java_home(found: re.Match[str]) -> Missing:
    return Missing(PROGRAM, "java")


_CLASS_FILES = 44
"""What a class file's version is more than Java's own: 65 is Java 21."""


def _java(found: re.Match[str]) -> Missing:
    wanted, there = int(found["wanted"]) - _CLASS_FILES, int(found["found"]) - _CLASS_FILES
    return Missing(INTERPRETER, "java", "java", str(wanted), str(there))


_SIGNS: tuple[tuple[str, Make], ...] = (
    (rf"ModuleNotFoundError: No module named '(?P<name>{_NAME})'", _module("python")),
    (rf"^\S*python[\d.]*(?:\.exe)?: No module named (?P<name>{_NAME})$", _module("python")),
    (rf"ImportError: No module named '?(?P<name>{_NAME})'?$", _module("python")),
    (rf"Cannot find (?:module|package) '(?P<name>(?!@/){_NAME})'", _module("node")),
    (rf"Failed to resolve import \"(?P<name>(?!@/){_NAME})\"", _module("node")),
    (rf"no required module provides package (?P<name>{_NAME})[;:]", _module("go")),
    (rf"cannot load such file -- (?P<name>{_NAME}) ?\(LoadError\)", _module("ruby")),
    (r"the artifact (?P<name>[\w.:-]{1,200}) has not been downloaded", _module("java")),
    (r"Could not (?:find|transfer) artifact (?P<name>[\w.:-]{1,200}) ", _module("java")),
    (
        rf"^[^\n:]{{1,200}}: (?:line )?\d{{1,6}}: (?P<name>/?{_NAME}): (?:command )?not found$",
        _program,
    ),
    (rf"^(?:ba|z|da)?sh: (?P<name>{_NAME}): (?:command )?not found$", _program),
    (rf"^(?:make|gmake)(?:\[\d+\])?: (?P<name>{_NAME}): (?:No such file|Command not)", _program),
    (rf"env: ['\u2018](?P<name>{_NAME})['\u2019]: No such file or directory", _program),
    (rf"exec: \"(?P<name>{_NAME})\": executable file not found", _program),
    (rf"\bspawn (?P<name>{_NAME}) ENOENT", _program),
    (
        r"in _execute_child\n[\s\S]{0,600}?^(?:E +)?FileNotFoundError: \[Errno 2\] No such file or"
        r" directory: '(?P<name>[\w.+-]+)'$",
        _program,
    ),
    (rf"linker [`'](?P<name>{_NAME})['`] not found", _program),
    (rf"Could not find executable (?P<name>{_NAME})$", _program),
    (r"(?P<name>JAVA_HOME) (?:environment variable )?is not (?:set|defined)", _java_home),
    (
        rf"requires a different Python: (?P<found>{_VERSION}) not in '(?P<wanted>{_VERSION})'",
        _interpreter("python"),
    ),
    (
        r"[Rr]equires[ -]Python:? ?['\"]?"
        rf"(?P<wanted>[<>=~!^]{{1,2}} ?{_VERSION})['\"]?(?:[;.),]|$)",
        _interpreter("python"),
    ),
    (
        rf"engine \"node\" is incompatible .{{0,200}}?Expected version \"(?P<wanted>{_VERSION})\"\."
        rf" Got \"(?P<found>{_VERSION})\"",
        _interpreter("node"),
    ),
    (rf"required: \{{ node: '(?P<wanted>{_VERSION})'", _interpreter("node")),
    (rf"Node\.js version (?P<wanted>{_VERSION}) (?:or higher )?is required", _interpreter("node")),
    (
        r"go\.mod requires go (?P<wanted>>= ?[\w.]{1,20}) \(running go (?P<found>[\w.]{1,20})",
        _interpreter("go"),
    ),
    (r"requires rustc (?P<wanted>[\d.]{1,20}) or newer", _interpreter("rust")),
    (r"class file version (?P<wanted>\d\d)\.\d.{0,200}? up to (?P<found>\d\d)\.\d", _java),
    (
        r"(?:error: release version|invalid target release:) (?P<wanted>\d{1,2})\b",
        _interpreter("java"),
    ),
    (r"(?:^|[: ])(?P<name>lib[\w.+-]{1,80}): cannot open shared object file", _library),
    (rf"cannot load library '(?P<name>lib{_NAME})'", _library),
    (r"fatal error: (?P<name>[\w./+-]{1,120}\.h(?:pp)?): No such file", _library),
    (rf"/?ld(?:\.\w+)?: cannot find -l(?P<name>{_NAME})", _linked),
    (rf"No package '(?P<name>{_NAME})' found", _library),
    (rf"Package '?(?P<name>{_NAME})'?, required by .{{0,80}}, not found", _library),
    (r"^(?:Error: )?(?P<name>pg_config|mysql_config) (?:executable )?not found", _library),
)
_READ = tuple((re.compile(sign, re.MULTILINE), make) for sign, make in _SIGNS)


def missing_in(output: str, *, own: Collection[str] = ()) -> tuple[Missing, ...]:
    """What a run lacked, in the order of its kinds, each once; at most ten.

    `own` are the paths of the tree: a module that the tree itself holds, or should hold beside its
    own, is a fault of the code and not of its environment.
    """
    text = output if len(output) <= MAX_TEXT else output[: MAX_TEXT // 2] + output[-MAX_TEXT // 2 :]
    folders = _own_names(own)
    found: dict[tuple[str, str], Missing] = {}
    for missing in _all(text):
        if not (missing.kind == MODULE and _is_own(missing, folders)):
            found.setdefault((missing.kind, missing.name), missing)
        if len(found) == _MOST:
            break
    return tuple(found.values())


def _all(text: str) -> Iterator[Missing]:
    for sign, make in _READ:
        for found in sign.finditer(text):
            made = make(found)
            evidence = _line_at(text, found.start())
            yield Missing(
                made.kind, _trimmed(made), made.language, made.wanted, made.found, evidence
            )


def _trimmed(missing: Missing) -> str:
    """A module by what is installed: `yaml` of `yaml.reader`, `@a/b` of `@a/b/c`."""
    name = missing.name
    if missing.kind != MODULE:
        return name
    if missing.language == "python":
        return name.split(".")[0]
    if missing.language == "node":
        return "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    return name


def _line_at(text: str, at: int) -> str:
    start = text.rfind("\n", max(0, at - _LONGEST), at) + 1 or max(0, at - _LONGEST)
    end = text.find("\n", at)
    return " ".join(text[start : end if end >= 0 else len(text)][:_LONGEST].split())


def _own_names(paths: Iterable[str]) -> frozenset[str]:
    """The first parts of a tree's paths, and of those below `src` and `lib`."""
    names: set[str] = set()
    for path in paths:
        parts = path.split("/")
        names.update(part.partition(".")[0] for part in parts[:1])
        if parts[0] in ("src", "lib") and len(parts) > 1:
            names.add(parts[1].partition(".")[0])
    return frozenset(names - {""})


def _is_own(missing: Missing, own: Collection[str]) -> bool:
    return missing.language == "python" and missing.name in own
