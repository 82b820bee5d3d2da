"""Takes secrets out of text: known values in the forms they travel in, and well-known shapes.

Linear in the length of the text, whatever the text is. Refuses to guess from entropy: a hash, an
id or a word of the code is left alone, because the model must be able to quote the code.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus

MARK = "[redacted]"
SHORTEST = 8
"""Values shorter than this are words, not keys."""

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:KEYS?|PASS|PAT|PSK|DSN)(?:_|$)|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|TOKEN|SECRET"
    r"|PASSW(?:OR)?D|PASSPHRASE|CREDENTIAL|COOKIE|(?:^|_)AUTH(?:ORIZATION)?(?:_|$)",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:~|\.{0,2}|[A-Za-z]:)(?:[/\\][\w.@ :-]{0,24})+")
_WORD = re.compile(r"[A-Za-z]{1,15}|[0-9]{1,11}|[a-z]+(?:[-_ ][a-z]+)*")


@dataclass(frozen=True)
class _Shape:
    """A well-known form of a secret. Its first group, if any, is kept.

    The pattern is tried only where one of `signs` (in lower case) is in the text: searching a
    word is a hundred times faster, and most text holds none.
    """

    signs: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(*signs: str, pattern: str, flags: int = 0) -> _Shape:
    return _Shape(signs, re.compile(pattern, flags))


_SHAPES = (
    # A digit must be near: `sk-` also begins words of code.
    _shape("sk-", pattern=r"\bsk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{16,}"),
    _shape("k_live_", "k_test_", pattern=r"\b[prs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _shape(
        *("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        pattern=r"\bgh[opsur]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    ),
    _shape("glpat-", pattern=r"\bglpat-[A-Za-z0-9_-]{16,}"),
    _shape("akia", "asia", pattern=r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _shape("aiza", "ya29", pattern=r"\b(?:AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,})"),
    _shape("xox", pattern=r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    _shape("hf_", "npm_", "gsk_", "r8_", pattern=r"\b(?:hf|npm|gsk|r8)_[A-Za-z0-9]{20,}"),
    _shape("xai-", "pypi-", pattern=r"\bxai-[A-Za-z0-9]{20,}|\bpypi-[A-Za-z0-9_-]{40,}"),
    _shape(
        "eyj",
        pattern=r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."
        r"[A-Za-z0-9_-]{10,}",
    ),
    # A key block needs a body: code that only names the marker must stay as it is.
    _shape(
        "private key-----",
        pattern=r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY-----"
        r"[\s\\nr]{1,8}(?:[A-Z][A-Za-z-]{1,20}: [^\n\\]{1,128}(?:\s|\\[nr]){1,4}){0,4}"
        r"[\s\\]{0,8}[A-Za-z0-9+/=]{20}[A-Za-z0-9+/=\s\\]*"
        r"(?:-----END (?:[A-Z]{1,12} ){0,3}PRIVATE KEY-----)?",
    ),
    _shape(
        "authorization",
        pattern=r"(\bauthorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:bearer|basic|token)\s{1,4})"
        r"[A-Za-z0-9._~+/=-]{12,}",
        flags=re.IGNORECASE,
    ),
    _shape(
        "x-api-key",
        pattern=r"(\bx-api-key[\"']?\s{0,4}[:=]\s{0,4}[\"']?)[A-Za-z0-9._~+/=-]{12,}",
        flags=re.IGNORECASE,
    ),
    # A password within a URL.
    _shape(
        "://",
        pattern=r"(://[^\s/:@\"'<>{}$]{0,64}:)[^\s/:@\"'<>{}$]{3,128}(?=@)",
    ),
)


_WORD_AT_END = re.compile(r"[^\s\"'<>,()\[\]]*\Z")
_BEGINNINGS = frozenset(
    sign[:length] for shape in _SHAPES for sign in shape.signs for length in range(1, len(sign) + 1)
)
_HEADER_AT_END = re.compile(
    r"(?:authorization|x-api-key)[\"']?\s{0,4}(?:[:=]\s{0,4}[\"']?(?:[a-z]{0,6}\s{0,4}"
    r"[A-Za-z0-9._~+/=-]*)?)?\Z",
    re.IGNORECASE,
)
_BLOCK_AT_END = re.compile(
    r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY-----"
    r"(?:(?!-----END [A-Z ]{0,50}-----)[\s\S])*\Z"
)
_DASHES_AT_END = re.compile(r"-{1,5}(?:[A-Z ]{1,50}-{0,5})?\Z")
_NEAR = 400
"""Characters before the end in which a header, or the first line of a key block, begins."""


def _shape_begun(text: str) -> int:
    """Where a well-known shape may have begun that has not ended yet; else the length."""
    word = _last_word(text)
    lowered = text[word:].lower()
    begins = word if _holds_a_sign(lowered) else len(text)
    near = max(0, len(text) - _NEAR)
    for pattern in (_HEADER_AT_END, _DASHES_AT_END):
        if found := pattern.search(text, near):
            begins = min(begins, found.start())
    if "-----BEGIN" in text and (found := _BLOCK_AT_END.search(text)):
        begins = min(begins, found.start())
    return begins


def _last_word(text: str) -> int:
    """Where the last word of `text` begins."""
    at = len(text)
    for length in (64, 1024, len(text)):
        start = max(0, len(text) - length)
        found = _WORD_AT_END.search(text, start)
        at = found.start() if found else len(text)
        if at > start:
            break
    return at


def _holds_a_sign(word: str) -> bool:
    if any(sign in word for shape in _SHAPES for sign in shape.signs):
        return True
    return any(word[-length:] in _BEGINNINGS for length in range(1, min(len(word), 20) + 1))


class Redactor:
    """Replaces `values` and well-known shapes by `[redacted]`.

    A value is also found URL-quoted, JSON-escaped, in hexadecimal and in base64 (at any of the
    three offsets, as within `user:password`).
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(value for value in values if value)
        forms = {form for value in self._values for form in _forms(value)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], extra: Iterable[str] = ()
    ) -> Redactor:
        """Knows the values of variables that look like secrets, and of those named in `extra`."""
        named = {environment.get(name, "").strip() for name in extra}
        found = {
            value.strip()
            for name, value in environment.items()
            if _SECRET_NAME.search(name) and _looks_secret(value.strip())
        }
        return cls(named | found)

    def knowing(self, *values: str) -> Redactor:
        """One that knows these values too."""
        return Redactor(self._values.union(values))

    def unfinished(self, text: str) -> int:
        """Where in `text` something begins that may be the start of a secret: what comes next has
        to be seen first. The length of `text` where nothing may."""
        begins = min((self._begun(text), _shape_begun(text)), default=len(text))
        if begins == len(text):
            return begins
        # What is a secret already is never cut in two.
        found = (match for pattern in self._patterns(text) for match in pattern.finditer(text))
        for start, end in sorted((match.span() for match in found), reverse=True):
            begins = start if start < begins < end else begins
        return begins

    def _patterns(self, text: str) -> Iterator[re.Pattern[str]]:
        """Those that may find something in `text`."""
        if self._known is not None:
            yield self._known
        signs = text.lower()
        yield from (s.pattern for s in _SHAPES if any(sign in signs for sign in s.signs))

    def _begun(self, text: str) -> int:
        """Where the longest beginning of a known value stands at the end of `text`."""
        begins = len(text)
        for form in self._forms:
            at = text.find(form[0], max(0, len(text) - len(form) + 1))
            while 0 <= at < begins:
                if form.startswith(text[at:]):
                    begins = at
                at = text.find(form[0], at + 1)
        return begins

    def redact(self, text: str) -> str:
        """`text` without what is known or looks like a secret."""
        if self._known is not None:
            text = self._known.sub(MARK, text)
        signs = text.lower()
        for shape in _SHAPES:
            if any(sign in signs for sign in shape.signs):
                text = shape.pattern.sub(_kept_and_marked, text)
        return text


def redacted(value: Any, redactor: Redactor) -> Any:
    """The same value with every string in it redacted: of a string, a tuple, a dataclass."""
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, tuple):
        return tuple(redacted(item, redactor) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        values = {f.name: redacted(getattr(value, f.name), redactor) for f in fields(value)}
        return replace(value, **values)
    return value


def _kept_and_marked(found: re.Match[str]) -> str:
    return (found[1] if found.re.groups else "") + MARK


def _looks_secret(value: str) -> bool:
    return len(value) >= SHORTEST and not _PATH.fullmatch(value) and not _WORD.fullmatch(value)


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    if len(value) >= SHORTEST:
        raw = value.encode("utf-8", "surrogateescape")
        yield from (raw.hex(), raw.hex().upper())
        yield from _base64_forms(raw)


def _base64_forms(value: bytes) -> Iterator[str]:
    """What base64 shows of `value` at each offset, less the ends that its neighbours shape."""
    for offset in range(3):
        padded = b"\0" * offset + value
        whole = len(padded) * 8 // 6
        start = (offset * 8 + 5) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(padded).decode("ascii")[start:whole]
