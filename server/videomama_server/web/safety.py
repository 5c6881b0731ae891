"""What stands before every route: checks of host, origin and session, and the headers of every answer.

The page listens on 127.0.0.1 alone. A browser there also runs other websites: a name of theirs may be bound to
127.0.0.1 (DNS rebinding), and their scripts may send requests. Both are refused here.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from videomama_server.web import session
from videomama_server.web.site import Site

OPEN = ("/enter", "/static/")  # paths that need no session
_SAFE = ("GET", "HEAD")
_LONGEST_BODY = 1 << 20  # bytes; forms are small, and nothing is uploaded
_DIGITS = 10  # of a length
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Safety:
    """The ASGI middleware around the whole application.

    Attributes:
        app: what is inside.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _with_headers(send)
        refusal = self._refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        await self.app(scope, receive, answer)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is refused; None for one that may pass."""
        headers = request.headers
        if headers.get("host", "") not in self._site.hosts:
            return _plain("This page answers at its own address only. Run `videomama web` to open it.", 421)
        if "transfer-encoding" in headers:  # browsers say how long a form is
            return _plain("The request does not say how long it is.", 411)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < _DIGITS and int(length) <= _LONGEST_BODY):
            return _plain("The request is too large.", 413)
        if not self._is_of_this_page(request):
            return _plain("The request came from another website.", 403)
        if request.url.path.startswith(OPEN) or self._has_session(request):
            return None
        if request.method == "GET" and "text/html" in headers.get("accept", ""):
            return self._site.render(request, "enter.html", {}, 401)
        return _plain("No session. Run `videomama web` to open the page.", 401)

    def _is_of_this_page(self, request: Request) -> bool:
        """Whether no other website sent it; an entry file is no website, and its code is its permit."""
        origin, entering = request.headers.get("origin"), request.url.path == "/enter"
        if request.method not in _SAFE:
            return origin in self._site.origins or (entering and origin == "null")
        fetched = request.headers.get("sec-fetch-site", "none")
        navigates = request.headers.get("sec-fetch-mode") == "navigate"
        return (origin is None or origin in self._site.origins) and (fetched in {"none", "same-origin"} or navigates)

    def _has_session(self, request: Request) -> bool:
        cookie = request.cookies.get(session.cookie_name(self._site.port), "")
        return session.is_session(self._site.state, cookie)


def _with_headers(send: Send) -> Send:
    async def answer(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return answer


def _plain(text: str, status: int) -> Response:
    return Response(text, status, media_type="text/plain")


def has_header(headers: Headers, name: str) -> bool:
    """Whether a request has a header with the value `true`, as htmx sends them."""
    return headers.get(name) == "true"
