"""Which pages there are; each is a module of this room with `routes(site)`, and adds its name here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from starlette.routing import Route

from videomama_server.web.site import Site

PAGES = ("browsing", "jobs", "judge", "mask_preview", "person", "picture_routes", "run", "run_defaults", "settings")


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of all pages."""
    return [route for page in PAGES for route in import_module(f"{__package__}.{page}").routes(site)]
