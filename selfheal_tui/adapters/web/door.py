"""Who may come in: whoever shows the one-time token, once; then only the cookie that it gave.

Refuses every other request: of another page, under another name of this machine, without a cookie.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

HOST = "127.0.0.1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ONCE = (
    "Open the link that `selfheal web` printed. It works once, in one browser; there, another tab"
)
_REFUSED = f"403: {_ONCE} may show the same address without what follows the question mark.\n"

_COME_IN = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>selfheal</title>
<meta http-equiv="refresh" content="0; url=./"></head><body></body></html>
"""
# Not a redirect: a browser that came from another site would follow it without the new cookie.


class Door:
    """Guards a server that listens on `port` of this machine.

    Everything is served under `room`, a path that nobody can guess: browsers send a cookie to every
    port of a host, but only beneath its path, so no other local server gets to see ours.
    """

    def __init__(self, port: int) -> None:
        self._authority = f"{HOST}:{port}"
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie_name = f"selfheal-{port}"
        self._cookie = secrets.token_urlsafe(32)
        self.room = f"/{secrets.token_urlsafe(12)}/"

    @property
    def url(self) -> str:
        """What the user opens; it is a secret until it was opened."""
        return f"http://{self._authority}{self.room}?token={self._token}"

    def socket_url(self, path: str) -> str:
        """The address of a websocket in our room."""
        return f"ws://{self._authority}{self.room}{path}"

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A middleware: nothing of the server is reached but through here."""
        if not self._is_of_our_page(request):
            raise web.HTTPForbidden(text=_REFUSED)
        if self._has_cookie(request):
            return await handler(request)
        if self._takes_token(request):
            return self._come_in()
        raise web.HTTPForbidden(text=_REFUSED)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """A signal for every response: nothing of another host is loaded, shown or told."""
        response.headers.update(
            {
                "Content-Security-Policy": (
                    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
                    " font-src 'self'; img-src 'self' data:;"
                    f" connect-src 'self' ws://{self._authority};"
                    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ),
                "Cache-Control": "no-store",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
            }
        )

    def _is_of_our_page(self, request: web.Request) -> bool:
        """By our own name (a rebound DNS name is another one), and not from another page."""
        if request.headers.getall("Host", []) != [self._authority]:
            return False
        origins = request.headers.getall("Origin", [])
        if not origins:
            # A browser names the page that opens a websocket; other programs have no business here.
            return "Upgrade" not in request.headers
        return origins == [f"http://{self._authority}"]

    def _has_cookie(self, request: web.Request) -> bool:
        return _same(request.cookies.get(self._cookie_name, ""), self._cookie)

    def _takes_token(self, request: web.Request) -> bool:
        """Whether the request shows the token, which is void from then on."""
        if self._token is None or request.path != self.room or request.method != "GET":
            return False
        if not _same(request.query.get("token", ""), self._token):
            return False
        self._token = None
        return True

    def _come_in(self) -> web.Response:
        response = web.Response(text=_COME_IN, content_type="text/html")
        response.set_cookie(
            self._cookie_name, self._cookie, path=self.room, httponly=True, samesite="Strict"
        )
        return response


def _same(given: str, secret: str) -> bool:
    """Compared in constant time."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), secret.encode())
