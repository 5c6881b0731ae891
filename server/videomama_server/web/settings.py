"""The Settings page: config, folders, the server, weights, cache, doctor and sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client import messages
from videomama_client.client import Client
from videomama_client.errors import BadInput, NotPermitted, ProtocolError, ServerUnreachable

from videomama_server import config
from videomama_server.doctor import lines, report
from videomama_server.files import access
from videomama_server.web import config_table, weights_table
from videomama_server.web.fetching import Fetches
from videomama_server.web.forms import Form, with_form
from videomama_server.web.live import stream
from videomama_server.web.site import Site

_MOST_FOLDERS = 100
_MOST_GB = 1e9


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of the page."""
    page = _Settings(site)
    posted: dict[str, Callable[[Request, Form], Response]] = {
        "folders/add": page.add_folder,
        "folders/remove": page.remove_folder,
        "server/start": page.start_server,
        "server/stop": page.stop_server,
        "server/unload": page.unload,
        "weights/fetch": page.fetch,
        "weights/cancel": page.cancel_fetch,
        "cache/prune": page.prune,
        "cache/clear": page.clear,
        "sessions/end": page.end_sessions,
    }
    return [
        Route("/settings", page.show),
        Route("/settings/weights/live", lambda _: stream(lambda: site.text("_weights.html", page.weights()))),
        Route("/settings/cache", page.cache),
        Route("/settings/doctor", page.doctor),
        *(Route(f"/settings/{path}", with_form(handle), methods=["POST"]) for path, handle in posted.items()),
    ]


class _Settings:
    """Answers the requests of the page."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._fetches = Fetches()
        site.at_end.append(self._fetches.end)

    def show(self, request: Request) -> Response:
        """Return the page."""
        status = self._status()
        own = config.as_texts(config.load({"connection_file": self._site.connection_file}))
        context = {
            "status": status,
            "config": config_table.rows(status.config if status else None, own, config.callers({})),
            **self._folders(),
            **self.weights(),
        }
        return self._site.render(request, "settings.html", context)

    def weights(self) -> dict[str, Any]:
        """Return what the list of weights shows."""
        folder = self._site.settled().config.weights
        return {"weights": weights_table.rows(folder), "folder": folder, "fetches": self._fetches.known()}

    def cache(self, request: Request) -> Response:
        """Return what the cache holds."""
        return self._cached(request, lambda client: client.cache_report())

    def prune(self, request: Request, form: Form) -> Response:
        """Prune the cache, to a limit where one is given."""
        limit = _gigabytes(form.text("limit_gb"))
        return self._cached(request, lambda client: client.prune_cache(limit))

    def clear(self, request: Request, _form: Form) -> Response:
        """Clear the cache."""
        return self._cached(request, lambda client: client.clear_cache())

    def doctor(self, request: Request) -> Response:
        """Look at all that a refine needs; takes seconds."""
        found = report.examine(self._site.connection_file)
        return self._site.render(request, "_doctor.html", {"lines": found, "can_refine": lines.can_refine(found)})

    def start_server(self, request: Request, _form: Form) -> Response:
        """Start the server."""
        with self._site.client(start=True):
            return self._server(request)

    def stop_server(self, request: Request, _form: Form) -> Response:
        """Stop the server."""
        with self._site.client() as client:
            client.stop_server()
        return self._site.render(request, "_server.html", {"status": None, "stopping": True})

    def unload(self, request: Request, _form: Form) -> Response:
        """Free the memory that engines hold."""
        with self._site.client() as client:
            client.unload_engine()
        return self._server(request)

    def add_folder(self, request: Request, form: Form) -> Response:
        """Let a folder be browsed."""
        self._refuse_configured()
        text = form.text("folder")
        place = access.permit(Path(text), ()) if text else Path()
        if not text or not place.is_dir():
            raise BadInput(f"there is no folder {text!r}", "Type the whole path of a folder.")
        known = self._site.state.added_folders()
        if len(known) >= _MOST_FOLDERS:
            raise BadInput(f"{_MOST_FOLDERS} folders are added already", "Remove some first.")
        self._site.state.set_added_folders([*known, *([] if place in known else [place])])
        return self._site.render(request, "_folders.html", self._folders())

    def remove_folder(self, request: Request, form: Form) -> Response:
        """Let a folder not be browsed any more."""
        self._refuse_configured()
        kept = [known for known in self._site.state.added_folders() if str(known) != form.text("folder")]
        self._site.state.set_added_folders(kept)
        return self._site.render(request, "_folders.html", self._folders())

    def fetch(self, request: Request, form: Form) -> Response:
        """Start to fetch weights whose licence was accepted."""
        name = form.text("name")
        weights_table.check_name(name)
        if form.text("accepted") != "yes":
            raise NotPermitted("the licence of the weights is not accepted", "Read it, tick the box, then fetch.")
        settled = self._site.settled().config
        self._fetches.start(name, settled.weights, settled.folded_dir)
        return self._site.render(request, "_weights.html", self.weights())

    def cancel_fetch(self, request: Request, form: Form) -> Response:
        """End a fetch."""
        self._fetches.cancel(form.text("name"))
        return self._site.render(request, "_weights.html", self.weights())

    def end_sessions(self, request: Request, _form: Form) -> Response:
        """End every session, this one included."""
        self._site.state.forget_sessions()
        return self._site.render(request, "_sessions.html", {})

    def _status(self) -> messages.StatusReported | None:
        try:
            with self._site.client() as client:
                return client.status()
        except (ServerUnreachable, ProtocolError):
            return None

    def _server(self, request: Request) -> Response:
        return self._site.render(request, "_server.html", {"status": self._status(), "stopping": False})

    def _cached(self, request: Request, ask: Callable[[Client], messages.CacheReported]) -> Response:
        with self._site.client() as client:
            return self._site.render(request, "_cache.html", {"cache": ask(client)})

    def _folders(self) -> dict[str, Any]:
        return {
            "roots": self._site.roots(),
            "configured": bool(self._site.settled().config.roots),
            "added": self._site.state.added_folders(),
        }

    def _refuse_configured(self) -> None:
        if self._site.settled().config.roots:
            raise NotPermitted("the folders are set by `roots` of the server's config", "Change `roots` instead.")


def _gigabytes(text: str) -> float | None:
    """Return a size; None for an empty text, which stands for the server's own limit."""
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= _MOST_GB:  # false for NaN
        raise BadInput(f"the limit cannot be {text[:80]!r}", "Give a number of gigabytes, 0 or more.")
    return found
