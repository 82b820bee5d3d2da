"""Bounds what an endpoint can do over a connection, whoever it is: no redirect is followed, as the
key and the code would go along; nothing that is packed is taken; an answer has a largest size.

The library makes its clients in two places, which `guard` wraps. Refuses to load without them.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from selfheal_tui.errors import ModelError

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 256 * 1024 * 1024
"""Of one answer as it comes; a streamed token takes some 300."""

MOST_ERROR = 1024 * 1024
"""Bytes of an answer that is an error."""

MOST_LINE = 16 * 1024 * 1024
"""Bytes without a line end: the libraries gather a line before they look at it."""

_MAKERS = (
    ("litellm.llms.custom_httpx.http_handler", "AsyncHTTPHandler", "create_client"),
    ("litellm.llms.openai.common_utils", "BaseOpenAILLM", "_get_async_http_client"),
)


class SentElsewhere(ValueError):
    """An answer that asks to send the request to another address. These three are known by their
    names, as libraries wrap them in errors of their own."""


class AnswerTooLarge(ValueError):
    """An answer that does not fit into its bounds."""


class AnswerPacked(ValueError):
    """An answer that is packed although nobody asked for it: a small one may unpack to anything."""


def guard() -> None:
    """Let every client that the library makes from now on be a bounded one. Raises ModelError
    where this version of it makes them elsewhere."""
    for module, owner, name in _MAKERS:
        held = getattr(importlib.import_module(module), owner, None)
        made_by = vars(held).get(name) if held else None
        if made_by is None:
            raise ModelError(
                f"this version of litellm is not known to selfheal ({owner}.{name} is missing):"
                " install one that its constraints name"
            )
        if isinstance(made_by, staticmethod):
            setattr(held, name, staticmethod(_bounding(made_by.__func__)))
        else:
            setattr(held, name, _bounding(made_by))


def bounded(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same client, with the bounds of this module."""
    client.follow_redirects = False
    client.event_hooks = {
        "request": [*client.event_hooks["request"], _ask_plainly],
        "response": [_bound, *client.event_hooks["response"]],
    }
    return client


def _bounding(make: Callable[..., Any]) -> Callable[..., Any]:
    if hasattr(make, "__wrapped__"):
        return make

    @functools.wraps(make)
    def made(*args: Any, **more: Any) -> Any:
        client = make(*args, **more)
        return None if client is None else bounded(client)

    return made


async def _ask_plainly(request: httpx.Request) -> None:
    request.headers["Accept-Encoding"] = "identity"


async def _bound(response: httpx.Response) -> None:
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if response.has_redirect_location:
        raise SentElsewhere(f"the answer ({response.status_code}) names another address")
    if packed not in ("", "identity"):
        raise AnswerPacked("the answer is packed, which was not asked for")
    most = MOST_ERROR if response.is_error else MOST_BYTES
    response.stream = _counting(response.stream, most)


def _counting(stream: Any, most: int) -> Any:
    """The stream, which raises AnswerTooLarge past `most` bytes, or within too long a line."""
    import httpx

    class Counted(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            total = line = 0
            async for piece in stream:
                total += len(piece)
                line = line + len(piece) if (end := piece.rfind(b"\n")) < 0 else len(piece) - end
                if total > most or line > MOST_LINE:
                    raise AnswerTooLarge(f"the answer is larger than {most} bytes, or one line is")
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Counted()
