"""What in the added lines and names of a change could deceive the eye, or should not be there:
characters that reorder or hide text, look-alike letters, secrets, links that leave the tree.

Pure, and linear in the length of the text. Says where something is, never what: a secret must not
be told once more. Refuses to judge: it marks what a human is to look at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import log2

from selfheal_tui.core.patch import FileDiff
from selfheal_tui.core.redact import Redactor

BIDI = "bidi"
INVISIBLE = "invisible"
MIXED = "mixed script"
SECRET = "secret-like"
OUTSIDE = "leads outside"

KINDS = (BIDI, INVISIBLE, MIXED, SECRET, OUTSIDE)


@dataclass(frozen=True)
class Suspect:
    """One of `KINDS` in an added line of `path`. `line` counts from 1 in the new file; None is
    the file's name."""

    kind: str
    path: str
    line: int | None


# --- characters ----------------------------------------------------------------------------

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]|\r(?!$)"
    "|[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_EMOJI = "[#*0-9\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
# A variation selector or a joiner within an emoji is how it is written.
_IN_EMOJI = re.compile(f"(?<={_EMOJI})\ufe0f|(?<=[\ufe0f\U0001f000-\U0001faff])\u200d(?={_EMOJI})")
_WORD = re.compile(r"\w+")
_LOOK_ALIKE = frozenset({"CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "FULLWIDTH"})
# Greek letters stand beside Latin ones in every formula; only these could be taken for Latin.
_GREEK_AS_LATIN = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιϲϳ")


def in_characters(text: str) -> frozenset[str]:
    """BIDI, INVISIBLE and MIXED, where a line or a name holds such characters."""
    found = set()
    if not text.isascii():
        if _BIDI.search(text):
            found.add(BIDI)
        if any(_mixes(word) for word in _WORD.findall(text) if not word.isascii()):
            found.add(MIXED)
        text = _IN_EMOJI.sub("", text)
    if _HIDDEN.search(text):
        found.add(INVISIBLE)
    return frozenset(found)


def _mixes(word: str) -> bool:
    """Whether a word has letters of two scripts that look alike."""
    scripts = {_script(letter) for letter in set(word)} - {""}
    return len(scripts) > 1


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """`LATIN`, or a script with letters that look like Latin ones; empty for anything else."""
    if not letter.isalpha():
        return ""
    script = unicodedata.name(letter, "").split(" ")[0]
    if script == "MATHEMATICAL":
        return "FULLWIDTH"
    if script == "GREEK" and letter not in _GREEK_AS_LATIN:
        return ""
    return script if script in {"LATIN", "GREEK", *_LOOK_ALIKE} else ""


# --- secrets -------------------------------------------------------------------------------

_SHAPES = Redactor()
_KEY_HEADER = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY|PuTTY-User-Key-File-\d")
_EXAMPLE_URL = re.compile(
    r"://[\w.-]{0,64}:(?:pass|passwd|password|pw|pwd|secret|test|user|guest|root|postgres|[x*]+)@",
    re.IGNORECASE,
)
_NAMES = ("passw", "pwd", "passphrase", "secret", "token", "api", "access", "credential", "private")
_NAMED = re.compile(
    r"(?P<name>passw(?:or)?d|pwd|passphrase|secret|token|credentials?"
    r"|(?:api|access|private|secret)[_-]?key)"
    r"(?P<rest>[\w-]{0,40})[\"']?\]?\s{0,8}(?::=|=>|=|:)\s{0,8}[A-Za-z]{0,2}"
    r"(?P<quote>[\"'`])(?P<value>[^\"'`\s]{4,200})(?P=quote)",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"\s{0,40}(?:export\s{1,4})?[\w.-]{0,60}?(?:passw(?:or)?d|secret|token|(?:api|access)[_-]?key)"
    r"[\w-]{0,40}\s{0,8}[:=]\s{0,8}(?P<value>[^\s\"'`#{}$<>()\[\],;]{6,200})\s{0,40}",
    re.IGNORECASE,
)
_SETTINGS_FILE = re.compile(r"(?:^|[/.])env(?:\.|$)|\.(?:ya?ml|ini|properties|conf|cfg)$")
_LONG = re.compile(r"[:=]\s{0,8}[\"'`](?P<value>[A-Za-z0-9+/_=-]{32,200})[\"'`]")
_STAND_IN = re.compile(
    r"[{}$<>%*…]|\.\.\.|example|change|placeholder|your|dummy|fake|sample|redacted|"
    r"not[-_ ]?a|insert|replace|todo|xxx|none|null|true|false|required|optional|string|"
    r"^(?:my|the|a|some|test)?[-_]?(?:passw(?:or)?d|pass|secret|token|api[-_]?key|key)s?$",
    re.IGNORECASE,
)
_HASH = re.compile(r"(?:sha\d{1,3}[-:=])?(?:[0-9a-f]{7,}|[0-9A-F]{7,})|sha\d{3}-[\w+/=-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PASSWORDS = ("passw", "pwd", "passphrase", "secret")


def holds_secret(text: str, *, path: str, plain: bool) -> bool:
    """Whether a line looks as if it held a secret. `plain` lines are told by well-known shapes
    only: those of lock files and recorded data, where hashes are at home."""
    if _KEY_HEADER.search(text) or _is_shaped(text):
        return True
    if plain:
        return False
    lower = text.lower()
    if any(name in lower for name in _NAMES):
        if any(_is_value(found) for found in _NAMED.finditer(text)):
            return True
        if _SETTINGS_FILE.search(path.lower()) and (found := _SETTING.fullmatch(text)):
            return _has_digits_and_letters(found["value"]) and not _stands_in(found["value"])
    return any(_is_random(found["value"]) for found in _LONG.finditer(text))


def _is_shaped(text: str) -> bool:
    if "://" in text:
        text = _EXAMPLE_URL.sub("", text)
    return _SHAPES.redact(text) != text


def _is_value(found: re.Match[str]) -> bool:
    """Whether what a telling name is set to could be the secret itself."""
    value, name = found["value"], found["name"].lower()
    if _stands_in(value) or "/" in value[:1] or found["rest"].lower().endswith(_ABOUT):
        return False
    if name.startswith(_PASSWORDS) and not name.endswith("key"):
        return not _is_plain_words(value) or name.startswith(("passw", "pwd", "passphrase"))
    return len(value) >= 12 and _has_digits_and_letters(value) and not _UUID.fullmatch(value)


_ABOUT = ("name", "field", "label", "id", "url", "uri", "path", "file", "type", "env", "header")


def _stands_in(value: str) -> bool:
    return _STAND_IN.search(value) is not None or len(set(value)) < 3


def _is_plain_words(value: str) -> bool:
    return all(part.isalpha() for part in re.split(r"[-_. ]", value))


def _has_digits_and_letters(value: str) -> bool:
    return any(each.isdigit() for each in value) and any(each.isalpha() for each in value)


def _is_random(value: str) -> bool:
    """Whether a long value looks drawn by lot: large and small letters and digits, no pattern."""
    if _HASH.fullmatch(value) or _UUID.fullmatch(value) or _stands_in(value):
        return False
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(kind(each) for each in value) for kind in kinds)
    return mixed and _entropy(value) >= 4.2


def _entropy(value: str) -> float:
    """Bits a character."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * log2(share) for share in shares)


# --- files ---------------------------------------------------------------------------------


def in_added(path: str, lines: Iterable[str], *, plain: bool) -> Iterator[tuple[int, str]]:
    """The place (from 0) and kind of all that is suspicious in `lines`, added to `path`."""
    lines = list(lines)
    if not _may_hold("\n".join(lines)):
        return
    for at, text in enumerate(lines):
        for kind in sorted(in_characters(text)):
            yield at, kind
        if holds_secret(text, path=path, plain=plain):
            yield at, SECRET


def _may_hold(text: str) -> bool:
    """Whether a closer look is due: most text is cleared at once."""
    lower = text.lower()
    return (
        not text.isascii()
        or _HIDDEN.search(text) is not None
        or any(name in lower for name in _NAMES)
        or _KEY_HEADER.search(text) is not None
        or _is_shaped(text)
        or _LONG.search(text) is not None
    )


def leaves_tree(path: str, target: str) -> bool:
    """Whether a link at `path` to `target` leads out of the tree that it is in."""
    target = target.replace("\\", "/")
    if target.startswith("/") or re.match("[A-Za-z]:", target):
        return True
    depth = path.count("/")
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def suspects_of(file: FileDiff, *, plain: bool) -> Iterator[Suspect]:
    """Everything suspicious in one file's name and added lines."""
    for kind in sorted(in_characters(file.path)):
        yield Suspect(kind, file.path, None)
    for hunk in file.hunks:
        added = [line for line in hunk.lines if line.sign == "+"]
        for at, kind in in_added(file.path, (line.text for line in added), plain=plain):
            yield Suspect(kind, file.path, added[at].new)
        if file.link and any(leaves_tree(file.path, line.text) for line in added):
            yield Suspect(OUTSIDE, file.path, None)
