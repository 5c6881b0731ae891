"""The application: all routes behind `safety`, and errors as pages without tracebacks."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from videomama_client.disk_errors import disk_error
from videomama_client.errors import InternalError, VideoMaMaError

from videomama_server.web import enter, pages
from videomama_server.web.safety import Safety, has_header
from videomama_server.web.site import Site

_STATUS = {
    "server-unreachable": 503,
    "protocol": 502,
    "bad-input": 422,
    "out-of-memory": 409,
    "weights": 409,
    "cancelled": 409,
    "not-permitted": 403,
    "internal": 502,  # of the server; what fails here is an exception of another kind
}


def create_app(site: Site) -> ASGIApp:
    """Return the application of a page; every answer passes `Safety`, errors included."""
    static = Mount("/static", StaticFiles(packages=[("videomama_server.web", "static")]), name="static")
    home = Route("/", lambda _: RedirectResponse("/jobs", 303))
    errors = _Errors(site)
    app = Starlette(
        routes=[home, *enter.routes(site), *pages.routes(site), static],
        exception_handlers={
            VideoMaMaError: errors.of_ours,
            OSError: errors.of_disk,
            HTTPException: errors.of_http,
            Exception: errors.of_fault,
        },
    )
    return Safety(app, site)


class _Errors:
    """Answers for what goes wrong: a whole page, or for a part of a page only the message."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def of_ours(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, VideoMaMaError)
        return self._shown(request, error, _STATUS.get(error.code, 502))

    def of_disk(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, OSError)
        return self.of_ours(request, disk_error(error))

    def of_http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return self._shown(request, VideoMaMaError(f"{error.detail}: {request.url.path}"), error.status_code)

    def of_fault(self, request: Request, _error: Exception) -> Response:  # Starlette raises it again, for the log
        said = InternalError(
            "This page failed.", "This is a fault of videomama: report it with what its terminal shows."
        )
        return self._shown(request, said, 500)

    def _shown(self, request: Request, error: VideoMaMaError, status: int) -> Response:
        if has_header(request.headers, "hx-request"):  # the message takes a part's place, and a browser logs no error
            return self._site.render(request, "_error.html", {"error": error})
        return self._site.render(request, "error.html", {"error": error}, status)
