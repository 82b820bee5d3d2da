"""Definitions in source files, by tree-sitter's grammars, in this process.

Parses only, on bytes from outside: nothing is imported from them or run. Refuses nothing: what
cannot be parsed has no definitions.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfheal_tui.core.codemap import Definition

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_DEFINITIONS = 400
MAX_HEAD = 400
"""Bytes of a definition's beginning that are looked at."""

MAX_DEPTH = 14
"""Nodes above a definition: what lies deeper is an inner affair of a function."""

_WITH_BODY = ("class_specifier", "enum_specifier", "mod_item", "struct_specifier")
_INNER = ("_expression", "arguments", "argument_list", "parameters", "parameter_list")
"""Ends of the kinds of nodes in which nothing of interest is defined."""

PIECE = 64 * 1024


@dataclass(frozen=True)
class Grammar:
    """A grammar's module, the function that gives it, and the kinds of nodes that define."""

    module: str
    function: str
    kinds: tuple[str, ...]


_PYTHON = Grammar("tree_sitter_python", "language", ("class_definition", "function_definition"))
# The grammar of TypeScript reads JavaScript as well, and that of C++ reads C.
_SCRIPT_KINDS = (
    "abstract_class_declaration",
    "class_declaration",
    "enum_declaration",
    "function_declaration",
    "function_signature",
    "generator_function_declaration",
    "interface_declaration",
    "method_definition",
    "type_alias_declaration",
    "variable_declarator",
)
_TYPESCRIPT = Grammar("tree_sitter_typescript", "language_typescript", _SCRIPT_KINDS)
_TSX = Grammar("tree_sitter_typescript", "language_tsx", _SCRIPT_KINDS)
_GO = Grammar(
    "tree_sitter_go", "language", ("function_declaration", "method_declaration", "type_spec")
)
_RUST = Grammar(
    "tree_sitter_rust",
    "language",
    (
        "enum_item",
        "function_item",
        "function_signature_item",
        "impl_item",
        "macro_definition",
        "mod_item",
        "struct_item",
        "trait_item",
        "type_item",
    ),
)
_JAVA = Grammar(
    "tree_sitter_java",
    "language",
    (
        "class_declaration",
        "constructor_declaration",
        "enum_declaration",
        "interface_declaration",
        "method_declaration",
        "record_declaration",
    ),
)
_CPP = Grammar(
    "tree_sitter_cpp",
    "language",
    (
        "class_specifier",
        "enum_specifier",
        "function_definition",
        "struct_specifier",
        "type_definition",
    ),
)

GRAMMARS = {
    **dict.fromkeys(("py", "pyi"), _PYTHON),
    **dict.fromkeys(("ts", "mts", "cts"), _TYPESCRIPT),
    **dict.fromkeys(("js", "jsx", "mjs", "cjs", "tsx"), _TSX),
    **dict.fromkeys(("c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx"), _CPP),
    "go": _GO,
    "rs": _RUST,
    "java": _JAVA,
}

# fmt: off
LISTED = frozenset(
    {
        "bash", "clj", "cs", "dart", "erl", "ex", "exs", "fs", "groovy", "hs", "jl", "kt",
        "kts", "lua", "m", "ml", "php", "pl", "pm", "ps1", "r", "rb", "scala", "sh", "sql",
        "svelte", "swift", "vue", "zig",
    }
)
# fmt: on
"""Suffixes of languages that are on the map by their names only."""


class TreeSitterOutliner:
    """Loads a grammar when the first file of its language is read."""

    def __init__(self) -> None:
        self._loaded: dict[Grammar, Parser | None] = {}

    def reads(self, path: str) -> bool:
        """Whether a file of this name belongs on a map of the code."""
        return reads(path)

    def definitions(
        self, path: str, content: bytes, late: Callable[[], bool]
    ) -> tuple[Definition, ...]:
        """The definitions of a file, in order; none where parsing is `late` before its end."""
        grammar = GRAMMARS.get(suffix_of(path))
        parser = self._load(grammar) if grammar else None
        if grammar is None or parser is None:
            return ()
        try:
            tree = parser.parse(
                lambda at, _point: content[at : at + PIECE],
                progress_callback=lambda _at, _error: late(),
            )
        except ValueError:
            # It was ended: the parser would go on from there with the next file.
            parser.reset()
            return ()
        nodes = _walked(tree.root_node, grammar.kinds, late)
        return tuple(_placed([(node, _name(node)) for node in nodes], content))

    def close(self) -> None:
        """Nothing: the grammars stay loaded."""

    def _load(self, grammar: Grammar) -> Parser | None:
        """The parser of a grammar; None where no wheel of it fits this machine."""
        if grammar not in self._loaded:
            try:
                self._loaded[grammar] = _loaded(grammar)
            except ImportError:
                self._loaded[grammar] = None
        return self._loaded[grammar]


def _loaded(grammar: Grammar) -> Parser:
    from tree_sitter import Language, Parser

    module = importlib.import_module(grammar.module)
    return Parser(Language(getattr(module, grammar.function)()))


def _walked(root: Node, kinds: tuple[str, ...], late: Callable[[], bool]) -> list[Node]:
    """The nodes that define, in order, as far as there is time. A walk of our own: a query takes
    time by the square of how deep brackets are nested."""
    found: list[Node] = []
    cursor, depth = root.walk(), 0
    for seen in itertools.count():
        node = cursor.node
        if node is None or len(found) >= MAX_DEFINITIONS or (seen % 256 == 0 and late()):
            break
        if node.type in kinds and _defines(node):
            found.append(node)
        if depth < MAX_DEPTH and not node.type.endswith(_INNER) and cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if depth == 0 or not cursor.goto_parent():
                return found
            depth -= 1
    return found


def _defines(node: Node) -> bool:
    """Whether a node of these kinds defines something, and does not only name it."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        return value is not None and value.type in ("arrow_function", "function_expression")
    return node.type not in _WITH_BODY or node.child_by_field_name("body") is not None


def _placed(found: list[tuple[Node, str]], content: bytes) -> list[Definition]:
    """The named ones, each as deep as it lies within the others."""
    made, around = [], list[int]()
    for node, name in found:
        if not name:
            continue
        while around and around[-1] <= node.start_byte:
            around.pop()
        head = _head(node, content)
        made.append(Definition(name, node.start_point[0] + 1, len(around), head))
        around.append(node.end_byte)
    return made


def _head(node: Node, content: bytes) -> str:
    """How a definition begins, up to its body, as one line."""
    inner = node.child_by_field_name("value") or node
    body = inner.child_by_field_name("body")
    end = min(body.start_byte if body else node.end_byte, node.start_byte + MAX_HEAD)
    text = content[node.start_byte : end].decode("utf-8", "replace")
    return " ".join(text.split()).rstrip("{: ").removesuffix("=>").rstrip()


def _name(node: Node) -> str:
    """The name that a definition gives; empty where it has none."""
    named = node.child_by_field_name("name") or node.child_by_field_name("declarator")
    if named is None and node.type == "impl_item":
        named = node.child_by_field_name("type")
    for _ in range(8):
        inner = named.child_by_field_name("declarator") if named else None
        if inner is None:
            break
        named = inner
    text = (named.text or b"") if named else b""
    return text[:200].decode("utf-8", "replace").rpartition("::")[2]


def reads(path: str) -> bool:
    """Whether a file of this name belongs on a map of the code."""
    suffix = suffix_of(path)
    return suffix in GRAMMARS or suffix in LISTED


def suffix_of(path: str) -> str:
    """What the name of a file ends with, in small letters, without the dot."""
    return path.rpartition("/")[2].rpartition(".")[2].lower()
