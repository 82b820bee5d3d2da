"""What a failure looks like without what is different each time, to know it again elsewhere.

Everything is bounded and linear, whatever the text is. Refuses to keep values: numbers, paths,
addresses and literals are taken out of an error before anybody compares it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from selfheal_tui.core.checks import Failure
from selfheal_tui.core.failures.places import own_path
from selfheal_tui.core.text import cut_middle, fold_terminal, one_line

MAX_SYMPTOMS = 8
MAX_ERROR = 200
MAX_NAMES = 8
MAX_FRAMES = 3
_MAX_MESSAGE = 2_000
_MAX_DETAIL = 16_000
_MAX_NAME = 80
_SHORTEST_NAME = 3
"""Shorter ones are values of tests more often than names."""

_MAX_FAILURES = 200
"""Failures that are looked at; the rest of a flood says nothing new."""

# A quote that opens a literal follows no letter: `can't` opens none.
_LITERAL = re.compile(
    r"(?<![\w<])(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`|\u2018[^\u2019\n]{0,200}\u2019)(?!\w)"
)
_URL = re.compile(r"(?<!\w)[a-z][a-z0-9+.-]{1,15}://\S{1,400}", re.IGNORECASE)
_PATH = re.compile(
    r"(?<![\w/\\.~<-])(?:[A-Za-z]:|~|\.{1,2})?(?:[/\\][\w.@+~-]{1,100}){1,40}[/\\]?"
    r"|(?<![\w/\\.~<-])[\w.@+~-]{1,100}(?:[/\\][\w.@+~-]{1,100}){1,40}"
    r"|(?<![\w/\\.~<-])[\w-]{1,100}\.(?:py|pyi|js|mjs|cjs|jsx|ts|tsx|go|rs|java|kt|c|cc|cpp|h|hpp|rb|php"
    r"|cs|sh|toml|json|ya?ml|txt|cfg|ini|lock|so|dll)\b"
)
_HEX = re.compile(
    r"(?<!\w)0[xX][0-9a-fA-F]{1,64}\b"
    r"|(?<!\w)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|(?<!\w)(?=[a-fA-F]{0,63}[0-9])[0-9a-fA-F]{8,64}\b"
)
_NUMBER = re.compile(r"\d+(?:[_,.]\d+)*(?:[eE][+-]?\d+)?")
_TAKEN_OUT = re.compile(r"<(?:literal|path|hex|n)>")

_KIND = re.compile(
    r"(?<![\w.$])((?:[A-Za-z_]\w{0,40}\.){0,6}[A-Z]\w{0,60}?"
    r"(?:Error|Exception|Warning|Failure|Interrupt|Exit|NotFound|Timeout))\b"
)
_CODE = re.compile(
    r"\berror\[(E\d{1,5})\]|\berror (TS\d{1,5}|[A-Z]{1,4}\d{2,5})\b|^(panic|fatal)\b:"
)
_IDENTIFIER = re.compile(r"@?[A-Za-z_][\w$]*(?:(?:\.|::|/|-)[\w$]+)*")

_OPEN = r"['\"`\u2018]?"
_MODULE_NAME = r"(@?[A-Za-z_][\w$./-]{0,80})"
_MODULES = (
    re.compile(rf"(?i:no module named) {_OPEN}{_MODULE_NAME}"),
    re.compile(
        rf"(?i:cannot find (?:module|package|type definition file for)) {_OPEN}{_MODULE_NAME}"
    ),
    re.compile(rf"(?i:cannot import name) \S{{1,80}} from {_OPEN}{_MODULE_NAME}"),
    re.compile(rf"(?i:\b(?:module|package|crate|dependency|library)) ['\"`\u2018]{_MODULE_NAME}"),
    re.compile(rf"(?i:unresolved import) {_OPEN}{_MODULE_NAME}"),
    re.compile(r"\bpackage ([a-z][\w./-]{1,80}) (?:is not in|does not exist)"),
    re.compile(
        r"(?:site-packages|dist-packages|node_modules)/(@[\w.-]{1,60}/[\w.-]{1,60}|[\w-]{1,80})"
    ),
)
_PYTHON_FRAME = re.compile(
    r'^ *File "([^"\n]{1,300})", line \d{1,9}(?:, in ([\w<>.]{1,80}))?'
    r"|^([^\s:]{1,300}\.py):\d{1,9}: (?:in ([\w<>.]{1,80}))?"
    # pytest shows the function's source above the place.
    r"|^ {4}(?:async )?def (\w{1,80})\(",
    re.MULTILINE,
)
_JS_FRAME = re.compile(
    r"^ {1,12}at (?:(?:async |new )?([\w$.<>]{1,80}) )?"
    r"\(?(?:file:/*)?([^\s():]{1,300}\.\w{1,5}):\d{1,9}:\d{1,9}",
    re.MULTILINE,
)

# What nearly every failure says tells nothing about which one it is.
_COMMON_WORDS = (
    "a an and are as assert assertion at be but by can cannot could did do does error errors"
    " exception expected actual fail failed failing failure failures false for found from got had"
    " has have if in into is it its literal hex left more must n none no not null of on one or"
    " other path received redacted right should test tests than that the then there this to true"
    " undefined value was were where while with would"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_COMMON_KINDS = frozenset({"assertionerror", "error", "exception", "failure", "panic", "fatal"})
_WORD = re.compile(r"[^\W\d_]\w{1,39}|_\w{1,39}")

Weights = dict[str, float]
"""What a symptom is made of, each part with what it tells: `w:word`, `k:kind`, `m:module`, ..."""


@dataclass(frozen=True)
class Symptom:
    """One kind of failure: its type (`ValueError`, `E0432`; may be empty), its error without
    values, the modules and the names that it speaks of, and the last own frames as
    `path:function`, the innermost last."""

    kind: str = ""
    error: str = ""
    modules: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signature:
    """The different symptoms of a red check, in its order; empty where nothing can be told."""

    symptoms: tuple[Symptom, ...] = ()

    @property
    def title(self) -> str:
        """The first symptom as one line, for people; may be empty."""
        if not self.symptoms:
            return ""
        first = self.symptoms[0]
        named = ", ".join((*first.modules, *first.names)[:2])
        text = first.error or first.kind
        return one_line(f"{text} ({named})" if named else text, MAX_ERROR)

    def to_json(self) -> str:
        return json.dumps(asdict(self)["symptoms"], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """Raises ValueError on what is no signature."""
        try:
            return cls(tuple(_symptom(item) for item in json.loads(text)))
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"not a signature: {text[:80]!r}") from error


def _symptom(item: dict[str, Any]) -> Symptom:
    lists = {key: tuple(map(str, item[key])) for key in ("modules", "names", "frames")}
    return Symptom(str(item["kind"]), str(item["error"]), **lists)


def signature_of(failures: Iterable[Failure], root: str = "") -> Signature:
    """The signature of what failed. `root` is where the tree was when the check ran."""
    found: dict[tuple[str, str, tuple[str, ...]], Symptom] = {}
    for failure, _ in zip(failures, range(_MAX_FAILURES), strict=False):
        symptom = _symptom_of(failure, root)
        if symptom.kind or symptom.error:
            found.setdefault((symptom.kind, symptom.error, symptom.modules), symptom)
        if len(found) == MAX_SYMPTOMS:
            break
    return Signature(tuple(found.values()))


def _symptom_of(failure: Failure, root: str) -> Symptom:
    message = _clean(failure.message, _MAX_MESSAGE)
    detail = _clean(failure.detail, _MAX_DETAIL)
    said = message or _last_line(detail)
    modules = _few(_modules(f"{said}\n{detail}"))
    return Symptom(
        _kind(said) or _last_kind(detail),
        normalised(said),
        modules,
        _few(name for name in _names(said) if name.lower() not in modules),
        _frames(detail, failure.location, root),
    )


def _clean(text: str, limit: int) -> str:
    """Bounded, and as a terminal would show it in the end."""
    return cut_middle(fold_terminal(cut_middle(text, 4 * limit)), limit)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")


def normalised(message: str) -> str:
    """The error without literals, paths, addresses and numbers: `<literal>`, `<path>`, `<hex>`,
    `<n>` stand in their places. One line of at most `MAX_ERROR` characters, without a digit."""
    text = one_line(message[:_MAX_MESSAGE], _MAX_MESSAGE)
    for pattern, mark in (
        (_LITERAL, "<literal>"),
        (_URL, "<path>"),
        (_PATH, "<path>"),
        (_HEX, "<hex>"),
        (_NUMBER, "<n>"),
    ):
        text = pattern.sub(mark, text)
    # Never in the middle of a mark.
    cut = text[:MAX_ERROR]
    return (cut if len(text) <= MAX_ERROR else re.sub(r"<\w*$", "", cut)).strip()


def _kind(text: str) -> str:
    """The type of the error that the text names first, without its package; may be empty."""
    if found := _KIND.search(text):
        return found[1].rpartition(".")[2]
    if found := _CODE.search(text):
        return next(part for part in found.groups() if part)
    return ""


def _last_kind(detail: str) -> str:
    last = ""
    for found in _KIND.finditer(detail):
        last = found[1].rpartition(".")[2]
    return last or _kind(detail)


def _modules(text: str) -> Iterator[str]:
    for pattern in _MODULES:
        for found in pattern.finditer(text):
            name = found[1].rstrip("./-")
            if not name.startswith("."):
                yield name.lower()


def _names(message: str) -> Iterator[str]:
    """What the error quotes and is a name of code, not a value."""
    for found in _LITERAL.finditer(message):
        inner = found[0][1:-1]
        if _SHORTEST_NAME <= len(inner) <= _MAX_NAME and _IDENTIFIER.fullmatch(inner):
            yield inner


def _few(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name[:_MAX_NAME] for name in names if name))[:MAX_NAMES]


def _frames(detail: str, location: str, root: str) -> tuple[str, ...]:
    """The last own frames, without line numbers; where the failure is, when no trace is there."""
    frames = [_frame(path, function, root) for path, function in _traced(detail)]
    own = tuple(dict.fromkeys(frame for frame in frames if frame))[-MAX_FRAMES:]
    where = _frame(location.rpartition(":")[0] or location, "", root)
    return own or ((where,) if where else ())


def _traced(detail: str) -> Iterator[tuple[str, str]]:
    shown = ""
    for found in _PYTHON_FRAME.finditer(detail):
        if found[5]:
            shown = found[5]
            continue
        yield found[1] or found[3], found[2] or found[4] or shown
        shown = ""
    # JavaScript prints the innermost first.
    js = [(found[2], found[1] or "") for found in _JS_FRAME.finditer(detail)]
    yield from reversed(js)


def _frame(path: str, function: str, root: str) -> str:
    own = one_line(own_path(path, root or "\0"), 120)
    return f"{own}:{function}" if own and function else own


# --- how alike two of them are -------------------------------------------------------------


ENOUGH_IN_COMMON = 2.0
"""What two symptoms have to share at least, in weight: two telling words, or one module."""

ENOUGH_OF_ALL = 0.5
"""The share of both that must be the same, from 0 to 1."""


def words_of(signature: Signature) -> tuple[str, ...]:
    """What to search for: every telling part of the symptoms once, in lower case."""
    weights: Weights = {}
    for symptom in signature.symptoms:
        weights.update(_weights(symptom))
    parts = (word for key in weights for word in _WORD.findall(key.partition(":")[2]))
    return tuple(dict.fromkeys(word.lower() for word in parts))


def likeness(one: Signature, other: Signature) -> float:
    """How alike the nearest two symptoms are: from 0 (nothing in common that tells anything) to 1.

    Frames speak for it where they are the same, never against it: another repository has others.
    """
    pairs = ((_weights(a), _weights(b)) for a in one.symptoms for b in other.symptoms)
    return max((_alike(a, b) for a, b in pairs), default=0.0)


def mentioned(signature: Signature, text: str) -> float:
    """What a text of somebody's own says of a failure: the weight of all that it names."""
    said = {word.lower() for word in _WORD.findall(text[:_MAX_DETAIL])}

    def named(key: str) -> bool:
        words = _WORD.findall(key.partition(":")[2])
        return bool(words) and all(word.lower() in said for word in words)

    weights = (_weights(symptom) for symptom in signature.symptoms)
    return max((sum(w for key, w in each.items() if named(key)) for each in weights), default=0.0)


def _alike(a: Weights, b: Weights) -> float:
    common = sum(weight for key, weight in a.items() if key in b)
    if common < ENOUGH_IN_COMMON:
        return 0.0
    union = a | b
    frames = {key for key in union if key.startswith("f:") and not (key in a and key in b)}
    share = common / sum(weight for key, weight in union.items() if key not in frames)
    return share if share >= ENOUGH_OF_ALL else 0.0


def _weights(symptom: Symptom) -> Weights:
    kind = symptom.kind.lower()
    words = _told(symptom.error, kind)
    return {
        **{f"w:{word}": 1.0 for word in words},
        **({f"k:{kind}": 0.2 if kind in _COMMON_KINDS else 1.0} if kind else {}),
        **{f"n:{name.lower()}": 1.0 for name in symptom.names},
        **{f"m:{name.lower()}": 2.0 for name in symptom.modules},
        # Many projects have a file of the same name; few have the same function in it.
        **{f"f:{frame.lower()}": 1.0 if ":" in frame else 0.5 for frame in symptom.frames},
    }


def _told(error: str, kind: str) -> Sequence[str]:
    words = (word.lower() for word in _WORD.findall(_TAKEN_OUT.sub(" ", error)))
    return [word for word in dict.fromkeys(words) if word not in _COMMON and word != kind]
