"""Facts of a Python file, from its syntax tree. Nothing is compiled or run.

Refuses (None) what Python's own parser does not take.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from selfheal_tui.core.guard import finding as kinds
from selfheal_tui.core.guard.facts import Assertion, Case, Facts, Mark
from selfheal_tui.core.guard.known import RUNNERS
from selfheal_tui.core.guard.words import shown, squeezed

Function = ast.FunctionDef | ast.AsyncFunctionDef

_SKIPS = re.compile(
    r"(?:.*\.)?(?:skip|skipif|xfail|skipIf|skipUnless|expectedFailure|SkipTest|skipTest"
    r"|importorskip)"
)
_ASSERTS = re.compile(
    r"(?:.*\.)?(?:assert\w*|raises|warns|fail|fail\w*Equal|deprecated_call|approx_equal|expect)"
)
_EXITS = frozenset(
    (
        *("os._exit", "sys.exit", "os.abort", "os.kill", "os.killpg", "pytest.exit", "exit"),
        *("quit", "_exit", "atexit.register", "os.execv", "os.execvp", "os.execl", "os.execlp"),
        *("signal.raise_signal", "faulthandler._sigsegv", "SystemExit"),
    )
)
_HOOKS = re.compile(r"pytest_\w+|load_tests")
_STATUS = re.compile(r".*\.(?:exitstatus|testsfailed|testscollected)")
_CATCHES = frozenset(("AssertionError", "Exception", "BaseException"))
_AWARE = re.compile(r"PYTEST_CURRENT_TEST|PYTEST_VERSION|_called_from_test|PYTEST_XDIST_WORKER")
_DEPTH = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Match)
_LONGEST = 400


def python_facts(text: str) -> Facts | None:
    """What the file says; None where it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _Reading(tree, text).facts()


@dataclass
class _Seen:
    """A function that is no part of another one, and what was found in it."""

    name: str
    node: Function
    collected: bool
    assertions: list[Assertion] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where a node stands: the names around it, the function, and how many conditions."""

    names: tuple[str, ...] = ()
    function: _Seen | None = None
    nested: bool = False
    depth: int = 0

    @property
    def in_test(self) -> bool:
        return self.function is not None and self.function.collected


class _Reading:
    """One walk over a tree, without recursion: text from outside may be nested deeply."""

    def __init__(self, tree: ast.Module, text: str) -> None:
        self._tree = tree
        self._lines = text.split("\n")
        self._marks: list[Mark] = []
        self._functions: list[_Seen] = []
        self._imported = _imports(tree)

    def facts(self) -> Facts:
        left: list[tuple[ast.AST, _Place]] = [(self._tree, _Place())]
        while left:
            node, place = left.pop()
            place = self._within(node, place)
            self._see(node, place)
            left += [(child, place) for child in ast.iter_child_nodes(node)]
        self._functions.sort(key=lambda seen: seen.node.lineno)
        return Facts(
            tuple(self._case(seen) for seen in self._functions),
            tuple(sorted(self._marks, key=lambda mark: mark.line)),
        )

    def _within(self, node: ast.AST, place: _Place) -> _Place:
        """The place of what is within `node`, which is its own too."""
        if isinstance(node, ast.ClassDef):
            return replace(place, names=(*place.names, node.name))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = (*place.names, node.name)
            if place.function is not None:
                return replace(place, names=names, nested=True)
            seen = _Seen("::".join(names), node, _is_collected(names))
            self._functions.append(seen)
            return replace(place, names=names, function=seen)
        return replace(place, depth=place.depth + 1) if isinstance(node, _DEPTH) else place

    def _case(self, seen: _Seen) -> Case:
        node = seen.node
        found = sorted(seen.assertions, key=lambda each: each.line)
        body = hash(squeezed(self._between(node.body[0].lineno, node.end_lineno or 0)))
        return Case(
            seen.name,
            node.lineno,
            tuple(found),
            seen.collected,
            _cases(node),
            body,
            tuple(sorted(seen.returns)),
        )

    # --- one node ----------------------------------------------------------------------------

    def _see(self, node: ast.AST, place: _Place) -> None:
        match node:
            case ast.Assert():
                self._assertion(node, place)
            case ast.Call():
                self._call(node, place)
            case ast.Raise():
                self._raised(node)
            case ast.Return() if place.function and not place.nested:
                place.function.returns.append(node.lineno)
            case ast.Try() if place.in_test:
                self._caught(node)
            case ast.With() | ast.AsyncWith() if place.in_test:
                self._suppressed(node)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                self._assigned(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._decorators(node)
            case ast.Constant() if isinstance(node.value, str) and _AWARE.search(node.value):
                self._mark(kinds.AWARE, node, "the code asks whether a test is running: {}")
            case ast.Compare():
                self._compare(node)

    def _assertion(self, node: ast.Assert | ast.Call, place: _Place) -> None:
        if place.function is None:
            return
        text = self._code(node)
        if isinstance(node, ast.Assert) and _is_true(node.test):
            text = f"{text} (always true)"
        place.function.assertions.append(Assertion(text, node.lineno, place.depth))

    def _call(self, node: ast.Call, place: _Place) -> None:
        name = _dotted(node.func)
        full = self._full(name)
        if _ASSERTS.fullmatch(name):
            self._assertion(node, place)
        if _SKIPS.fullmatch(name):
            self._skip(node)
        if {full, name} & _EXITS and not _hands_on(node):
            self._mark(kinds.EXIT, node, "the process is ended, or how it ends is changed: {}")
        if name.rpartition(".")[2] in ("setattr", "patch", "delattr", "object", "setitem"):
            self._patched_by_call(node)

    def _skip(self, node: ast.AST) -> None:
        self._mark(kinds.SKIP, node, "a test is skipped, or expected to fail: {}")

    def _raised(self, node: ast.Raise) -> None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = _dotted(raised) if raised is not None else ""
        if name == "SystemExit" and not isinstance(node.exc, ast.Call):
            self._mark(kinds.EXIT, node, "the process is ended: {}")
        if _SKIPS.fullmatch(name) and not isinstance(node.exc, ast.Call):
            self._skip(node)

    def _caught(self, node: ast.Try) -> None:
        holds = any(isinstance(each, ast.Assert) for part in node.body for each in ast.walk(part))
        for handler in node.handlers:
            caught = handler.type
            names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            broad = any(n is None or _dotted(n) in _CATCHES for n in names)
            if holds and broad and not _raises(handler.body):
                self._mark(kinds.CAUGHT, handler, "a failing assert is caught: {}")

    def _suppressed(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or not _dotted(call.func).endswith("suppress"):
                continue
            if any(_dotted(argument) in _CATCHES for argument in call.args):
                self._mark(kinds.CAUGHT, node, "a failing assert is caught: {}")

    def _assigned(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> None:
        whole = isinstance(node, (ast.Assign, ast.Delete))
        targets = node.targets if whole else [node.target]  # type: ignore[union-attr]
        for target in targets:
            name = _dotted(target)
            if name in ("collect_ignore", "collect_ignore_glob", "pytestmark", "__test__"):
                self._assigned_name(node, name)
            elif isinstance(target, ast.Name):
                continue
            elif self._is_runner(target):
                self._mark(kinds.RUNNER, node, "what runs the tests is replaced: {}")
            elif _STATUS.fullmatch(name) or self._is_passed(node, name):
                self._mark(kinds.EXIT, node, "a result of the runner is overwritten: {}")

    def _is_passed(self, node: ast.AST, name: str) -> bool:
        """`report.outcome = "passed"`."""
        value = getattr(node, "value", None)
        passed = isinstance(value, ast.Constant) and value.value in ("passed", "skipped")
        return passed and name.endswith(".outcome")

    def _assigned_name(self, node: ast.AST, name: str) -> None:
        if name.startswith("collect_ignore"):
            self._mark(kinds.SELECTION, node, "tests are left out: {}")
        elif name == "__test__":
            self._mark(kinds.SKIP, node, "tests are left out: {}")
        elif any(_SKIPS.fullmatch(_dotted(each)) for each in ast.walk(node)):
            self._skip(node)

    def _function(self, node: Function) -> None:
        self._decorators(node)
        if _HOOKS.fullmatch(node.name):
            # The whole function is the key: a hook that is changed is another one.
            code = squeezed(self._between(node.lineno, node.end_lineno or node.lineno))
            said = f"a hook of the runner, {shown(node.name)}, is new or changed"
            self._marks.append(Mark(kinds.CONFIG, code, node.lineno, said))
        if node.name == "__eq__" and _returns_true(node):
            self._mark(kinds.RUNNER, node, "an object that equals everything: {}")
        if any(_is_autouse(each) for each in node.decorator_list):
            code = squeezed(self._between(node.lineno, node.end_lineno or node.lineno))
            said = f"a fixture that every test uses, {shown(node.name)}, is new or changed"
            self._marks.append(Mark(kinds.CONFIG, code, node.lineno, said))

    def _decorators(self, node: Function | ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) and _SKIPS.fullmatch(_dotted(decorator)):
                self._skip(decorator)

    def _patched_by_call(self, node: ast.Call) -> None:
        if not node.args:
            return
        first = node.args[0]
        named = first.value if isinstance(first, ast.Constant) else None
        if self._is_runner(first) or (isinstance(named, str) and _top(named) in RUNNERS):
            self._mark(kinds.RUNNER, node, "what runs the tests is replaced: {}")

    def _compare(self, node: ast.Compare) -> None:
        """`"pytest" in sys.modules`."""
        named = node.left.value if isinstance(node.left, ast.Constant) else None
        asked = any(self._full(_dotted(each)) == "sys.modules" for each in node.comparators)
        if asked and isinstance(named, str) and _top(named) in RUNNERS:
            self._mark(kinds.AWARE, node, "the code asks whether a test is running: {}")

    # --- names -------------------------------------------------------------------------------

    def _is_runner(self, node: ast.AST) -> bool:
        """Whether a name belongs to a test runner, to the builtins, or to the loaded modules."""
        if isinstance(node, ast.Subscript):
            holder = self._full(_dotted(node.value))
            if holder == "sys.modules":
                key = node.slice.value if isinstance(node.slice, ast.Constant) else ""
                return isinstance(key, str) and (not key or _top(key) in RUNNERS)
            return _top(holder) in ("builtins", "__builtins__")
        name = _dotted(node)
        full = self._full(name)
        if full.startswith(("builtins.", "__builtins__.")):
            return True
        return _top(name) in self._imported and _top(full) in RUNNERS

    def _full(self, name: str) -> str:
        """A dotted name with what its first part was imported as."""
        first, dot, rest = name.partition(".")
        return self._imported.get(first, first) + dot + rest

    # --- text --------------------------------------------------------------------------------

    def _mark(self, kind: str, node: ast.AST, said: str, *, key: str = "") -> None:
        code = self._code(node)
        text = said.replace("{}", shown(code))
        self._marks.append(Mark(kind, key or code, getattr(node, "lineno", 0), text))

    def _code(self, node: ast.AST) -> str:
        start, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        if not start:
            return type(node).__name__
        if start == end:
            line = self._lines[start - 1].encode("utf-8", "surrogatepass")
            piece = line[node.col_offset : node.end_col_offset]  # type: ignore[attr-defined]
            return squeezed(piece.decode("utf-8", "replace"))[:_LONGEST]
        return squeezed(self._between(start, min(end, start + 40)))[:_LONGEST]

    def _between(self, first: int, last: int) -> str:
        return "\n".join(self._lines[first - 1 : last])


def _imports(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, wherever it is imported."""
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                imported[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{module}.{alias.name}"
    return imported


def _hands_on(node: ast.Call) -> bool:
    """Whether the process ends with what something else came to: `sys.exit(pytest.main())`."""
    return len(node.args) == 1 and isinstance(node.args[0], ast.Call)


def _is_collected(names: Sequence[str]) -> bool:
    return names[-1].startswith("test") and not any(name.startswith("_") for name in names[:-1])


def _cases(node: Function) -> int:
    """How often the test runs by its `parametrize`."""
    product = 1
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and _dotted(decorator.func).endswith("parametrize"):
            values = decorator.args[1] if len(decorator.args) > 1 else None
            if isinstance(values, (ast.List, ast.Tuple)):
                product *= max(1, len(values.elts))
    return product


def _dotted(node: ast.AST | None) -> str:
    """`a.b.c` for names and attributes; what stands before a call or an index is left out."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_true(node: ast.AST) -> bool:
    return isinstance(node, (ast.Constant, ast.Tuple)) and bool(
        node.value if isinstance(node, ast.Constant) else node.elts
    )


def _returns_true(node: Function) -> bool:
    body = [each for each in node.body if not _is_docstring(each)]
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return False
    value = body[0].value
    return isinstance(value, ast.Constant) and value.value is True


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_autouse(node: ast.AST) -> bool:
    """`@pytest.fixture(autouse=True)`."""
    if not isinstance(node, ast.Call) or "fixture" not in _dotted(node.func):
        return False
    return any(
        each.arg == "autouse" and isinstance(each.value, ast.Constant) and each.value.value is True
        for each in node.keywords
    )


def _raises(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(each, ast.Raise) for part in body for each in ast.walk(part))
