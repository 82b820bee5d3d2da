"""The command that runs only some tests of a check, by their names.

Names are text from outside: each is checked against what its runner can call a test, and quoted.
Refuses (None) wherever the runner, an option or a name is not understood: the whole check tells.
A focused run may run more tests than were asked for, never other ones in place of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from selfheal_tui.core.checks import NOT_NAMED, TIMED_OUT

MAX_NAMES = 200
MAX_COMMAND = 16_000
"""Characters of a focused command."""

_LONGEST_NAME = 500
_SHELL = re.compile(r"[$`\\*?\[\]{}()<>|;~!#\n\r\0]|(?<!&)&(?!&)|&&&")
_SETTING = re.compile(r"[A-Za-z_]\w*=[\w@%+:,./-]*")

Words = list[str]
Add = Callable[[Sequence[str]], "Words | None"]


@dataclass(frozen=True)
class _Runner:
    """How a runner is asked for some tests: `add` makes the words that name them.

    `values` are its options that take the next word, `flags` those that do not; with any other
    option whose next word might be its value, nothing can be told. `forbids` choose tests already.
    `replaces` says that words which are no options name tests, and have to go.
    """

    add: Add
    replaces: bool = False
    values: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()


def focused(
    command: str, failing: Collection[str], scripts: Mapping[str, str] | None = None
) -> str | None:
    """The check `command` for the tests `failing` alone; None where that cannot be had safely.

    Of commands that are joined by `&&` the last one is the runner. `scripts` are those of
    package.json, to see what `npm test` stands for.
    """
    names = sorted(failing)
    if not 0 < len(names) <= MAX_NAMES or not all(map(_is_name, names)) or _SHELL.search(command):
        return None
    *before, last = command.split("&&")
    try:
        words = shlex.split(last)
    except ValueError:
        return None
    found = _focused(words, names, scripts or {})
    if found is None or any(not part.strip() for part in before):
        return None
    text = "&&".join([*before, f" {shlex.join(found)}" if before else shlex.join(found)])
    return text if len(text) <= MAX_COMMAND else None


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and name[0] != "-"
        and name not in (NOT_NAMED, TIMED_OUT)
    )


def _focused(words: Words, names: Sequence[str], scripts: Mapping[str, str]) -> Words | None:
    settings = 0
    while settings < len(words) and "=" in words[settings]:
        if not _SETTING.fullmatch(words[settings]):
            return None
        settings += 1
    head, rest = words[:settings], words[settings:]
    if script := _script(rest, scripts):
        added = _within_script(script, names)
        separator = ["--"] if rest[0] == "npm" else []
        return [*head, *rest, *separator, *added] if added else None
    start = _after_wrapper(rest)
    for called, runner in _RUNNERS:
        if found := _called(rest[start:], called):
            given = _with_names(runner, rest[start + found :], names)
            return None if given is None else [*head, *rest[: start + found], *given]
    return None


_WRAPPERS = (("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"),
             ("hatch", "run"), ("npx",), ("pnpm", "exec"), ("bunx",), ("yarn", "run"))  # fmt: skip


def _after_wrapper(words: Sequence[str]) -> int:
    return next((len(w) for w in _WRAPPERS if tuple(words[: len(w)]) == w), 0)


def _called(words: Sequence[str], called: Sequence[str]) -> int:
    """How many words are the call of a runner; 0 where it is another one."""
    for word, pattern in zip(words, called, strict=False):
        if not re.fullmatch(pattern, word):
            return 0
    return len(called) if len(words) >= len(called) else 0


def _script(words: Sequence[str], scripts: Mapping[str, str]) -> str:
    """What the script of package.json does that these words run, and nothing else."""
    if not words or words[0] not in ("npm", "pnpm", "yarn", "bun"):
        return ""
    name = words[2] if len(words) == 3 and words[1] == "run" else ""
    if len(words) == 2 and words[1] in ("test", "t") and words[0] != "bun":
        name = "test"
    return scripts.get(name, "")


def _within_script(script: str, names: Sequence[str]) -> Words | None:
    """The words that are put after a script, where it is one runner that takes them."""
    if _SHELL.search(script) or "&" in script:
        return None
    try:
        words = shlex.split(script)
    except ValueError:
        return None
    while words and _SETTING.fullmatch(words[0]):
        words = words[1:]
    start = _after_wrapper(words)
    for called, runner in _RUNNERS:
        if found := _called(words[start:], called):
            rest = words[start + found :]
            given = _with_names(runner, rest, names)
            # A script's own words stay: what would have to be replaced cannot be.
            kept = given is not None and given[: len(rest)] == rest
            return given[len(rest) :] if given is not None and kept else None
    return None


def _with_names(runner: _Runner, rest: Sequence[str], names: Sequence[str]) -> Words | None:
    added = runner.add(names)
    if added is None or any(word.partition("=")[0] in runner.forbids for word in rest):
        return None
    if not runner.replaces:
        return [*rest, *added]
    options = _options(runner, rest)
    return None if options is None else [*options, *added]


def _options(runner: _Runner, rest: Sequence[str]) -> Words | None:
    """The options among the words, with their values; None where that is not sure."""
    options: Words = []
    words = iter(range(len(rest)))
    for at in words:
        word = rest[at]
        if word == "--":
            return None
        if not word.startswith("-"):
            continue
        options.append(word)
        if "=" in word or word in runner.flags:
            continue
        following = rest[at + 1] if at + 1 < len(rest) else "-"
        if word in runner.values:
            options.append(following)
            next(words, None)
        elif not following.startswith("-"):
            return None
    return options


# --- what each runner calls a test ---------------------------------------------------------


def _pytest(names: Sequence[str]) -> Words | None:
    """Node ids; the label of a subtest is no part of one."""
    ids = []
    for name in names:
        path, colons, inner = name.partition("::")
        if not re.fullmatch(r"[^\s:]+\.(?:py|txt|rst|md)", path) or (colons and not inner):
            return None
        inner = inner if "[" in inner.split(" ", 1)[0] else inner.split(" ", 1)[0]
        ids.append(f"{path}::{inner}" if colons else path)
    return list(dict.fromkeys(ids))


def _unittest(names: Sequence[str]) -> Words | None:
    """Patterns: they hold wherever the discovery starts."""
    dotted = [name.split(" ", 1)[0] for name in names]
    if not all(re.fullmatch(r"\w+(?:\.\w+)*", name) for name in dotted):
        return None
    return [word for name in dict.fromkeys(dotted) for word in ("-k", name)]


def _js_files(names: Sequence[str]) -> Words | None:
    files = dict.fromkeys(name.split(" > ", 1)[0] for name in names)
    is_file = re.compile(r"[^\s:-][^\s:]*\.[cm]?[jt]sx?")
    return list(files) if all(is_file.fullmatch(file) for file in files) else None


def _js_pattern(names: Sequence[str], *, outer: int) -> Words:
    """`-t` and what matches the full titles, after `outer` names that are no titles."""
    titles = [name.split(" > ")[outer:] for name in names]
    if not all(titles):
        return []
    full = (re.sub(r"[^\w\s]", lambda found: rf"\{found[0]}", " ".join(t)) for t in titles)
    return ["-t", f"^({'|'.join(dict.fromkeys(full))})$"]


def _jest(names: Sequence[str]) -> Words | None:
    files = _js_files(names)
    return files and ["--runTestsByPath", *files, *_js_pattern(names, outer=1)]


def _vitest(names: Sequence[str]) -> Words | None:
    files = _js_files(names)
    return files and [*files, *_js_pattern(names, outer=1)]


def _mocha(names: Sequence[str]) -> Words | None:
    return ["--grep", _js_pattern(names, outer=0)[1]]


def _go(names: Sequence[str]) -> Words | None:
    """Packages and their outermost tests; a package that did not build is run as a whole."""
    packages: dict[str, None] = {}
    tests: dict[str, None] = {}
    for name in names:
        found = re.fullmatch(r"([\w./~+-]+?)(?:\.((?:Test|Fuzz|Example)\w*)(?:/.*)?)?", name)
        if found is None:
            return None
        packages[found[1]] = None
        tests[found[2] or ""] = None
    pattern = [] if "" in tests else ["-run", f"^({'|'.join(tests)})$"]
    return [*pattern, *packages]


def _cargo(names: Sequence[str]) -> Words | None:
    """Filters, which match anywhere in a test's path. The crate of a test in `tests/` is no part
    of what its binary calls it."""
    if not all(re.fullmatch(r"\w+(?:::\w+)*", name) for name in names):
        return None
    inner = (name.partition("::")[2] or name for name in names)
    return ["--", *dict.fromkeys([*names, *inner])]


def _jvm(name: str) -> tuple[str, str] | None:
    """Class and method; the method is empty for the class as a whole."""
    plain = re.split(r"[(\[{]", name, maxsplit=1)[0]
    found = re.fullmatch(r"((?:[a-z_]\w*\.)*[A-Z]\w*(?:\$\w+)*)(?:\.([a-z_]\w*))?", plain)
    return (found[1], found[2] or "") if found else None


def _maven(names: Sequence[str]) -> Words | None:
    tests = [_jvm(name) for name in names]
    wanted = [f"{test[0]}#{test[1]}" if test[1] else test[0] for test in tests if test]
    if len(wanted) < len(tests):
        return None
    none = ["-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false"]
    return [f"-Dtest={','.join(dict.fromkeys(wanted))}", *none]


def _gradle(names: Sequence[str]) -> Words | None:
    tests = [_jvm(name.replace(" > ", ".", 1)) for name in names]
    wanted = [".".join(filter(None, test)) for test in tests if test]
    if len(wanted) < len(tests):
        return None
    return [word for name in dict.fromkeys(wanted) for word in ("--tests", name)]


def _ctest(names: Sequence[str]) -> Words | None:
    escaped = (re.sub(r"[^\w\s-]", lambda found: rf"\{found[0]}", name) for name in names)
    return ["-R", f"^({'|'.join(dict.fromkeys(escaped))})$"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PYTEST = _Runner(
    _pytest,
    replaces=True,
    values=_set(
        "-k -m -n -p -c -o -W -r --maxfail --tb --durations --timeout --cov-report --cov-config"
        " --junitxml --junit-xml --rootdir --ignore --import-mode --dist --color --confcutdir"
        " --basetemp --log-level --override-ini --deselect --numprocesses"
    ),
    flags=_set(
        "-q -qq -v -vv -s -x -l -ra -rA -rf --lf --ff --exitfirst --verbose --quiet --no-header"
        " --no-summary --showlocals --strict-markers --strict-config --no-cov --full-trace"
    ),
    forbids=_set("--pyargs --lf --last-failed --co --collect-only"),
)
_UNITTEST = _Runner(_unittest)
_JEST = _Runner(
    _jest,
    replaces=True,
    values=_set("-c --config -w --maxWorkers --env --reporters"),
    flags=_set("--ci --silent --verbose --coverage --colors -i --runInBand --bail"),
    forbids=_set("-t --testNamePattern --testPathPattern --watch --watchAll"),
)
_VITEST = _Runner(
    _vitest,
    replaces=True,
    values=_set("-c --config --reporter --environment -r --root"),
    flags=_set("--run --silent --coverage --no-color"),
    forbids=_set("-t --testNamePattern --watch -w"),
)
_NODE = _Runner(
    _js_files,
    replaces=True,
    values=_set("--import --require -r --test-reporter --loader"),
    flags=_set("--experimental-strip-types --enable-source-maps"),
    forbids=_set("--test-name-pattern --test-only --watch"),
)
_MOCHA = _Runner(_mocha, forbids=_set("-g --grep -f --fgrep -w --watch"))
_GO = _Runner(
    _go,
    replaces=True,
    values=_set("-timeout -count -p -tags -cpu -parallel -coverprofile -covermode"),
    flags=_set("-v -race -json -short -failfast -cover"),
    forbids=_set("-run -skip -bench -fuzz -args -list -c"),
)
_CARGO = _Runner(_cargo, forbids=_set("-- --exact --list"))
_MAVEN = _Runner(_maven, forbids=_set("-Dtest -DskipTests -Dmaven.test.skip"))
_GRADLE = _Runner(_gradle, forbids=_set("--tests"))
_CTEST = _Runner(_ctest, forbids=_set("-R -E -L -I --tests-regex --rerun-failed"))

_RUNNERS: tuple[tuple[tuple[str, ...], _Runner], ...] = (
    ((r"(?:\S*/)?python[\d.]*", "-m", r"pytest|py\.test"), _PYTEST),
    ((r"(?:\S*/)?(?:pytest|py\.test)",), _PYTEST),
    ((r"(?:\S*/)?python[\d.]*", "-m", "unittest"), _UNITTEST),
    ((r"(?:\S*/)?python[\d.]*", r"(?:\S*/)?manage\.py", "test"), _UNITTEST),
    ((r"(?:\S*/)?jest",), _JEST),
    ((r"react-scripts", "test"), _JEST),
    ((r"(?:\S*/)?vitest", "run"), _VITEST),
    ((r"(?:\S*/)?vitest",), _VITEST),
    ((r"(?:\S*/)?mocha",), _MOCHA),
    (("node", "--test"), _NODE),
    (("go", "test"), _GO),
    (("cargo", "test"), _CARGO),
    ((r"mvnd?|\./mvnw",), _MAVEN),
    ((r"gradle|\./gradlew", r"(?:--console=plain)", r"(?::[\w:-]+:)?test"), _GRADLE),
    ((r"gradle|\./gradlew", r"(?::[\w:-]+:)?test"), _GRADLE),
    (("ctest",), _CTEST),
)
