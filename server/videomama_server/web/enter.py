"""The way in: exchanges the code of an entry file for a session cookie."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from videomama_server.web import session
from videomama_server.web.site import Site


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of the way in."""

    async def show(request: Request) -> Response:
        return site.render(request, "enter.html", {})

    async def enter(request: Request) -> Response:
        code = (await request.form()).get("code")
        if not await run_in_threadpool(session.take_entry, site.state, code if isinstance(code, str) else ""):
            return site.render(request, "enter.html", {"problem": "This code was used before, or it is too old."}, 403)
        # No redirect: it would count as sent by the entry file, and the browser would keep the cookie back.
        answer = site.render(request, "entered.html", {})
        answer.set_cookie(
            session.cookie_name(site.port),
            session.new_cookie(site.state),
            max_age=session.SESSION_S,
            httponly=True,
            samesite="strict",
        )
        return answer

    return [Route("/enter", show, methods=["GET"]), Route("/enter", enter, methods=["POST"])]
