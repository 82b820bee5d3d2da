"""What litellm raises, as errors of ours: one readable line, no key in it, and what may help."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from selfheal_tui.errors import (
    ContextOverflow,
    ModelAnswerInvalid,
    ModelError,
    ModelRefusedKey,
    ModelRetryable,
    ToolsUnsupported,
)

LONGEST_LINE = 300

_RETRYABLE = frozenset({408, 409, 423, 425, 429})
_UNREACHABLE = frozenset({"ConnectError", "ConnectTimeout", "gaierror", "ConnectionRefusedError"})
_NOT_TAKEN = {
    "AnswerTooLarge": "is larger than any answer may be",
    "AnswerPacked": "is packed (Content-Encoding), which was not asked for",
}
_LOST = frozenset({"APIConnectionError", "ReadError", "RemoteProtocolError"})

_OVERFLOW = re.compile(
    r"context[ _](?:length|window|size)|maximum context|prompt is too long"
    r"|too many (?:input )?tokens|input (?:is too long|length)|reduce the length"
    r"|exceeds? the (?:available|model'?s?) ",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"(?:\btools?\b|\bfunctions?\b|function[ _-]call|tool[ _-](?:use|call|choice))[^\n]{0,80}"
    r"(?:not|n't|un|no longer )[ ]?(?:support|available|allowed|enabled|permitted|implement)"
    r"|(?:not|n't|un)[ ]?support(?:ed|s|ing)?\b[^\n]{0,60}\b(?:tool|function)(?:s?\b|[ _-])"
    r"|--enable-auto-tool-choice|no endpoints found that support tool",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model[^\n]{0,120}(?:not found|not exist|unknown|is not a valid|not a valid model)"
    r"|(?:unknown|invalid|no such) model|model_not_found|LLM Provider NOT provided",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient[ _](?:quota|balance|credit)|exceeded your current quota|credit balance|billing",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:litellm\.)?[A-Za-z_]{0,40}(?:Error|Exception|Timeout)[A-Za-z_]{0,40}\s{0,4}[:-]\s{0,4}"
)
_HINT = re.compile(r"\.? Handle with `litellm[^`]{0,80}`\.?")
_QUOTED_MESSAGE = re.compile(r'\\?"message\\?"\s{0,4}:\s{0,4}\\?("(?:[^"\\]|\\.){1,2000}")')
_TAG = re.compile(r"<[^<>]{0,500}>")
_MASKED = re.compile(r"[A-Za-z0-9_-]{0,64}\*{2,}[A-Za-z0-9_-]{0,64}")


@dataclass(frozen=True)
class Asked:
    """What was asked of whom: the words that every message needs.

    `where` names the endpoint, `key_variable` the variable that holds its key (or nothing).
    """

    model: str
    where: str
    key_variable: str = ""
    with_tools: bool = False


def endpoint(api_base: str | None, provider: str) -> str:
    """The endpoint's name for messages, without user, password and query."""
    if not api_base:
        return provider or "the provider"
    parts = urlsplit(api_base)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def translated(
    error: Exception, asked: Asked, redact: Callable[[str], str], *, now: float
) -> ModelError:
    """The error of ours that says what `error` means. `now` is seconds since the epoch."""
    original = getattr(error, "original_exception", None)
    cause = original if isinstance(original, Exception) else error
    text = readable(str(cause), redact)
    behind = _kinds_behind(error)
    if "SentElsewhere" in behind:
        return ModelError(
            f"{asked.where} sends requests on to another address, where the key and the code would"
            " go: that is never followed; name the right address with --api-base"
        )
    for kind in behind & _NOT_TAKEN.keys():
        return ModelAnswerInvalid(f"the answer of {asked.where} {_NOT_TAKEN[kind]}")
    if behind & _UNREACHABLE:
        return ModelRetryable(f"cannot reach {asked.where}: {text}")
    if type(cause).__name__ == "APIConnectionError" and "JSONDecodeError" in behind:
        return ModelAnswerInvalid(f"the answer of {asked.where} is not understood: {text}")
    if behind & _LOST:
        return ModelRetryable(f"the connection to {asked.where} was lost: {text}")
    return _by_words(cause, asked, text, now)


def _by_words(cause: Exception, asked: Asked, text: str, now: float) -> ModelError:
    status = _status(cause)
    kind = type(cause).__name__
    if kind == "ContextWindowExceededError" or (
        status in (400, 413, 422) and _OVERFLOW.search(text)
    ):
        return ContextOverflow(f"the request is larger than the model's context: {text}")
    if asked.with_tools and _refuses_tools(kind, status, text):
        return ToolsUnsupported(f"{asked.where} takes no tool calls: {text}")
    if status == 401:
        return ModelRefusedKey(_about_key(asked, "does not accept the key"))
    if status == 403:
        return ModelRefusedKey(_about_key(asked, f"does not allow this request ({text})"))
    if status == 404 or (status == 400 and _UNKNOWN_MODEL.search(text)):
        return ModelError(f"unknown model {asked.model!r} at {asked.where}: {text}")
    return _by_status(cause, asked, text, status, now)


def _by_status(
    cause: Exception, asked: Asked, text: str, status: int | None, now: float
) -> ModelError:
    if status == 402 or (status in (400, 429) and _NO_CREDIT.search(text)):
        return ModelError(f"the account at {asked.where} has no credit left: {text}")
    if status == 429:
        wait = retry_after(_headers(cause), now=now)
        return ModelRetryable(f"{asked.where} asks to slow down: {text}", retry_after=wait)
    if status is None or status >= 500 or status in _RETRYABLE:
        wait = retry_after(_headers(cause), now=now)
        said = f"failed ({status})" if status else "failed"
        return ModelRetryable(f"{asked.where} {said}: {text}", retry_after=wait)
    if status < 400:
        return ModelAnswerInvalid(f"the answer of {asked.where} is not understood: {text}")
    return ModelError(f"{asked.where} refuses the request ({status}): {text}")


def _refuses_tools(kind: str, status: int | None, text: str) -> bool:
    if kind == "UnsupportedParamsError":
        return "tool" in text
    return status in (400, 404, 422, 500, 501) and bool(_NO_TOOLS.search(text))


def _about_key(asked: Asked, refusal: str) -> str:
    remedy = f"; set {asked.key_variable}" if asked.key_variable else ""
    return f"{asked.where} {refusal}{remedy}"


def missing_key(asked: Asked) -> ModelRefusedKey:
    """No key is set where one is needed."""
    return ModelRefusedKey(f"no key for {asked.where}: set {asked.key_variable}")


def _kinds_behind(error: BaseException) -> frozenset[str]:
    """Names of all exceptions that led to this one: litellm's own kind often hides the reason."""
    kinds: set[str] = set()
    current: BaseException | None = error
    for _ in range(20):
        if current is None:
            break
        kinds.add(type(current).__name__)
        current = current.__cause__ or current.__context__
    return frozenset(kinds)


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _headers(error: Exception) -> Mapping[str, str]:
    for holder in (getattr(error, "response", None), error):
        for name in ("headers", "litellm_response_headers"):
            headers = getattr(holder, name, None)
            if isinstance(headers, Mapping) and headers:
                return {str(key).lower(): str(value) for key, value in headers.items()}
    return {}


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds that the server asks to wait: from milliseconds, seconds or an HTTP date."""
    if milliseconds := _number(headers.get("retry-after-ms", "")):
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    bare = text.strip()
    return float(bare) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", bare) else None


def readable(text: str, redact: Callable[[str], str]) -> str:
    """One line without wrapping noise, markup and keys, at most `LONGEST_LINE` characters."""
    text = text[:20_000].partition("Traceback (most recent call last)")[0]
    quoted = _QUOTED_MESSAGE.search(text)
    text = _unquoted(quoted.group(1)) if quoted else text
    text = _MASKED.sub("[redacted]", _TAG.sub(" ", _HINT.sub("", redact(text))))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    while noise := _NOISE.match(line):
        line = line[noise.end() :]
    if len(line) > LONGEST_LINE:
        line = line[: LONGEST_LINE - 1] + "…"
    return line or "no reason was given"


def _unquoted(literal: str) -> str:
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return literal.strip('"')
